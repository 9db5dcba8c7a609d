"""Rows with the names of a table of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import ConfigurationError, NotFoundError, Phone, UploadStopped
from tests.rig import connected

if TYPE_CHECKING:
    from tests.rig import Rig

ROWS = [{"Mobil": f"+4916000{i}", "Anrede": "Frau", "Ort": "Köln", "b": "x"} for i in range(5)]


async def test_keys_become_fields(rig: Rig) -> None:
    columns = {"Mobil": "phone", "Anrede": "a"}
    report = await rig.upload(ROWS, columns=columns, batch_size=2)
    assert report.ok
    assert report.created[4].phone == Phone("+49160004", a="Frau", b="x")
    assert len(rig.sandbox.requests) == 3


async def test_the_groups_own_names() -> None:
    async with connected() as rig:
        group = rig.sandbox.add_group("named", name_a="Anrede", name_c="Stadt")
        report = await rig.client.phones.upload(
            group, ROWS, columns={"Mobil": "phone", "Anrede": "Anrede", "Ort": "Stadt"}
        )
        assert report.created[0].phone == Phone("+49160000", a="Frau", b="x", c="Köln")
        assert [phone.c for phone in rig.sandbox.phones(group)] == ["Köln"] * 5


async def test_a_name_that_the_group_does_not_have() -> None:
    async with connected() as rig:
        group = rig.sandbox.add_group("named", name_a="Anrede")
        with pytest.raises(UploadStopped, match=r"'Titel' is no field .* names are 'Anrede'") as it:
            await rig.client.phones.upload(group, ROWS, columns={"Mobil": "phone", "x": "Titel"})
        assert isinstance(it.value.cause, ConfigurationError)
        with pytest.raises(UploadStopped) as it:
            await rig.client.phones.upload(99, ROWS, columns={"Mobil": "phone", "x": "Titel"})
        assert isinstance(it.value.cause, NotFoundError)
        assert not rig.stored


async def test_a_mapping_the_wrong_way_round() -> None:
    async with connected() as rig:
        group = rig.sandbox.add_group("named")
        with pytest.raises(UploadStopped, match=r"did you mean \{'Mobil': 'phone'\}\?"):
            await rig.client.phones.upload(group, ROWS, columns={"phone": "Mobil"})
        assert not rig.stored


@pytest.mark.parametrize("columns", [["Mobil"], {"Mobil": 1}, {3: "phone"}, "phone"])
async def test_no_mapping(columns: Any, rig: Rig) -> None:
    with pytest.raises(ConfigurationError, match="columns must map"):
        rig.upload(ROWS, columns=columns)


async def test_two_keys_for_one_field(rig: Rig) -> None:
    with pytest.raises(ConfigurationError, match="'Mobil' and 'Tel' mean the same field"):
        rig.upload(ROWS, columns={"Mobil": "phone", "Tel": "phone"})


async def test_other_rows_are_as_they_are(rig: Rig) -> None:
    source: list[Any] = [Phone("+491"), "+492", {"phone": "+493"}, {"Mobil": "+494"}, 7]
    report = await rig.upload(source, columns={"Mobil": "phone"})
    assert rig.stored == ["+491", "+492", "+494"]
    assert [result.index for result in report.invalid] == [2, 4]
