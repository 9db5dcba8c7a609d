"""Rows with the names of a table of one's own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import ConfigurationError, NotFoundError, Phone, UploadStopped
from asyncsdk.sources import read
from tests.rig import connected

if TYPE_CHECKING:
    from tests.rig import Rig

ROWS = [{"Mobil": f"+4916000{i}", "Anrede": "Frau", "Ort": "Köln", "b": "x"} for i in range(5)]


async def test_keys_become_fields(rig: Rig) -> None:
    columns = {"phone": "Mobil", "a": "Anrede"}
    report = await rig.upload(ROWS, columns=columns, batch_size=2)
    assert report.ok
    assert report.created[4].phone == Phone("+49160004", a="Frau", b="x")
    assert len(rig.sandbox.requests) == 3


async def test_the_groups_own_names() -> None:
    async with connected() as rig:
        group = rig.sandbox.add_group("named", name_a="Anrede", name_c="Stadt")
        report = await rig.client.phones.upload(
            group, ROWS, columns={"phone": "Mobil", "Anrede": "Anrede", "Stadt": "Ort"}
        )
        assert report.created[0].phone == Phone("+49160000", a="Frau", b="x", c="Köln")
        assert [phone.c for phone in rig.sandbox.phones(group)] == ["Köln"] * 5


async def test_a_name_that_the_group_does_not_have() -> None:
    async with connected() as rig:
        group = rig.sandbox.add_group("named", name_a="Anrede")
        with pytest.raises(UploadStopped, match=r"no field 'Titel'; .* names are 'Anrede'") as it:
            await rig.client.phones.upload(group, ROWS, columns={"phone": "Mobil", "Titel": "x"})
        assert isinstance(it.value.cause, ConfigurationError)
        with pytest.raises(UploadStopped) as it:
            await rig.client.phones.upload(99, ROWS, columns={"phone": "Mobil", "Titel": "x"})
        assert isinstance(it.value.cause, NotFoundError)
        assert not rig.stored


@pytest.mark.parametrize(
    ("columns", "right"),
    [
        ({"Mobil": "phone"}, {"phone": "Mobil"}),
        ({"Mobil": "phone", "Anrede": "a"}, {"phone": "Mobil", "a": "Anrede"}),
        ({"Mobil": "phone", "x": "y"}, {"phone": "Mobil", "x": "y"}),
    ],
)
async def test_the_wrong_way_round(columns: Any, right: Any, rig: Rig) -> None:
    with pytest.raises(ConfigurationError) as it:
        rig.upload(ROWS, columns=columns)
    assert str(it.value).endswith(f"did you mean {right}?")
    with pytest.raises(ConfigurationError) as it:
        read(io.BytesIO(b"Mobil;Anrede\n01601234567;Frau\n"), columns=columns)
    assert str(it.value).endswith(f"did you mean {right}?")


async def test_the_wrong_way_round_is_told_from_the_groups_own_names() -> None:
    async with connected() as rig:
        group = rig.sandbox.add_group("named", name_a="Anrede")
        rows = [{"phone": "+491", "a": "x", "b": "Frau"}]
        report = await rig.client.phones.upload(group, rows, columns={"Anrede": "b"})
        assert report.created[0].phone == Phone("+491", a="Frau")
        with pytest.raises(UploadStopped, match=r"did you mean \{'b': 'Titel'\}\?"):
            await rig.client.phones.upload(group, rows, columns={"Titel": "b"})


@pytest.mark.parametrize("columns", [["Mobil"], {"phone": 1}, {3: "Mobil"}, "phone"])
async def test_no_mapping(columns: Any, rig: Rig) -> None:
    with pytest.raises(ConfigurationError, match="columns must map"):
        rig.upload(ROWS, columns=columns)


async def test_two_names_for_one_field() -> None:
    async with connected() as rig:
        group = rig.sandbox.add_group("named", name_a="Anrede")
        with pytest.raises(UploadStopped, match="'a' and 'anrede ' mean the same field"):
            await rig.client.phones.upload(
                group, ROWS, columns={"phone": "Mobil", "a": "Ort", "anrede ": "Anrede"}
            )


async def test_one_key_for_two_fields(rig: Rig) -> None:
    report = await rig.upload(ROWS, columns={"phone": "Mobil", "callback_data": "Mobil", "c": "b"})
    assert report.created[0].phone == Phone("+49160000", c="x", callback_data="+49160000")


async def test_other_rows_are_as_they_are(rig: Rig) -> None:
    source: list[Any] = [Phone("+491"), "+492", {"phone": "+493"}, {"Mobil": "+494"}, 7]
    report = await rig.upload(source, columns={"phone": "Mobil"})
    assert rig.stored == ["+491", "+492", "+494"]
    assert [result.index for result in report.invalid] == [2, 4]


async def test_the_first_that_is_filled_and_parts_that_are_joined(rig: Rig) -> None:
    rows = [
        {"Mobil": None, "Vorwahl": "030", "Nr": 1234567},
        {"Mobil": "0171 1234560", "Vorwahl": "030", "Nr": ""},
        {"Mobil": "", "Vorwahl": "", "Nr": "1234567"},
    ]
    report = await rig.upload(rows, columns={"phone": "Mobil,Vorwahl+Nr"})
    sent = [commit.phone for commit in rig.sandbox.commits]
    assert sent == ["030 1234567", "0171 1234560"]
    assert [result.index for result in report.invalid] == [2], "half a number is none"
