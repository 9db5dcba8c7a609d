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


@pytest.mark.parametrize("refused", [0, 1])
async def test_the_refusal_of_one_copy_is_not_told_of_the_other(refused: int) -> None:
    """Replies in another order, of which a refusal repeats nothing."""
    texts = ["fine", "fine"]
    texts[refused] = "x" * 1531
    source = [Phone("+491600000001", a=text, e=str(i)) for i, text in enumerate(texts)]
    async with connected(order="reversed") as rig:
        report = await rig.upload(source, validate=False)
        stored = [phone.e for phone in rig.sandbox.phones(rig.group_id)]
    assert [result.phone.e for result in report.created] == stored == [str(1 - refused)]
    assert [result.index for result in report.invalid] == [refused]
