"""A number that is in a list more than once: which of its phones a reply means."""

from __future__ import annotations

import pytest

from asyncsdk import Phone
from asyncsdk.sandbox import Faults
from tests.rig import connected


@pytest.mark.parametrize("copies", [2, 7, 40])
@pytest.mark.parametrize("column", ["callback_data", "a", "e"])
async def test_copies_of_a_number_in_another_order_are_told_apart_by_their_columns(
    column: str, copies: int
) -> None:
    source = [Phone("+491600000001", **{column: f"{i}"}) for i in range(copies)]
    async with connected(faults=Faults.script(["reorder"] * 3, seed=copies)) as rig:
        report = await rig.upload(source)
    stored = {phone.id: getattr(phone, column) for phone in rig.sandbox.phones(rig.group_id)}
    told = [stored[known.id or 0] for known in (r.created for r in report.created) if known]
    assert told == [getattr(phone, column) for phone in source]
