from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.sources.columns import Column, ColumnChoice, Wanted
from asyncsdk.sources.columns import choose_columns as choose
from asyncsdk.sources.likeness import looks_like_phone
from asyncsdk.sources.names import name_rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROWS = [["Anna", "01234", "+49 160 1234567"], ["Ole", "04321", "0160/7654321"]]


def choose_columns(
    found: Sequence[str],
    rows: Sequence[Sequence[str]],
    columns: Mapping[str, Column] | None = None,
    **place: Any,
) -> dict[str, ColumnChoice]:
    return choose(found, rows, Wanted(columns), **place)


@pytest.mark.parametrize(
    ("name", "rank"),
    [
        ("Mobil", 3),
        ("Mobiltelefon", 3),
        ("Tel. mobil", 3),
        ("Handynummer", 3),
        ("Privathandy", 3),
        ("Cell phone", 3),
        ("Téléphone portable", 3),
        ("Teléfono móvil", 3),
        ("Cellulare", 3),
        ("мобильный", 3),
        ("Telefon", 2),
        ("TELEFONNUMMER", 2),
        ("phoneNumber", 2),
        ("phone_number", 2),
        ("Rufnummer", 2),
        ("telefono", 2),
        ("Téléphone", 2),
        ("Tel.", 2),
        ("Телефон", 2),
        ("numéro", 1),
        ("Nummer", 1),
        ("Fax", 0),
        ("Telefax", 0),
        ("Telefonart", 0),
        ("phone type", 0),
        ("Vorname", 0),
        ("Hotel", 0),
        ("Automobil", 0),
        ("Kundennummer", 0),
        ("", 0),
    ],
)
def test_names_of_phone_columns(name: str, rank: int) -> None:
    assert name_rank(name) == rank


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("+49 (0)160/123-4567", True),
        ("'+4916012345678", True),
        ("\u202a+4916000095783\u202c", True),
        ("+49\xa0160\xa01234567", True),
        ("+4916006119255, +4916003352749", True),
        ("01234", False),
        ("KD-000001", False),
        ("12.11.2024", False),
        ("2024-11-12", False),
        ("4,91601E+11", False),
        ("unbekannt", False),
        ("", False),
    ],
)
def test_cells_that_look_like_phones(cell: str, *, phone: bool) -> None:
    assert looks_like_phone(cell) is phone


def test_the_mobile_column_is_preferred() -> None:
    chosen = choose_columns(["Telefon", "Mobil"], [["0301234567", "01601234567"]])
    assert (chosen["phone"].column, chosen["phone"].reason) == ("Mobil", "by its name")


def test_an_empty_column_with_the_better_name_is_not_taken() -> None:
    chosen = choose_columns(["Telefon", "Mobil"], [["0301234567", ""]])
    assert chosen["phone"].column == "Telefon"


def test_without_a_telling_name_the_content_decides() -> None:
    chosen = choose_columns(["x", "y", "z"], ROWS)
    assert (chosen["phone"].column, chosen["phone"].reason) == ("z", "by its content")


def test_a_promising_name_over_an_empty_column_yields_to_content() -> None:
    chosen = choose_columns(["Handy", "y", "z"], [["", "a", "01601234567"]])
    assert chosen["phone"].column == "z"


def test_the_only_column_must_look_like_phones() -> None:
    assert choose_columns(["x"], [["491711234567"]])["phone"].reason == "the only column"
    with pytest.raises(SourceError, match="no column looks like phones"):
        choose_columns(["x"], [["unbekannt"]])


def test_a_mapped_column_is_not_the_phone_too() -> None:
    chosen = choose_columns(["Handy", "Telefon"], [["01601234567", "01601234567"]], {"a": "Handy"})
    assert chosen["phone"].column == "Telefon"


def test_columns_by_name_by_case_and_by_number() -> None:
    columns = ["Name", "PLZ", "Mobil"]
    chosen = choose_columns(columns, ROWS, {"phone": "mobil ", "a": "Name", "b": 2})
    assert {field: choice.position for field, choice in chosen.items()} == {
        "phone": 2,
        "a": 0,
        "b": 1,
    }


def test_an_unknown_column_names_those_there_are() -> None:
    with pytest.raises(SourceError, match=r"list\.csv: .*'Handy' for 'phone'.*'Name', 'Mobil'"):
        choose_columns(["Name", "Mobil"], ROWS, {"phone": "Handy"}, path="list.csv")


def test_an_unknown_field_names_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"'fon'.*phone, a, b"):
        choose_columns(["Name", "Mobil"], ROWS, {"fon": "Mobil"})


def test_a_name_that_occurs_twice_asks_which() -> None:
    with pytest.raises(SourceError, match="'Mobil#1' or 'Mobil#2'"):
        choose_columns(["Mobil", "Mobil"], ROWS, {"phone": "Mobil"})


def test_no_phone_column_at_all_asks_for_one() -> None:
    with pytest.raises(SourceError, match=r"no column looks like phones.*'x', 'y'"):
        choose_columns(["x", "y"], [["a", "b"]])
