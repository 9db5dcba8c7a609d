"""Where a table begins and ends, and what a list has around it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from asyncsdk.errors import SourceError
from asyncsdk.models import Withheld
from asyncsdk.sources import read, read_csv
from asyncsdk.sources.layout import find_layout, is_total

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.sources import CsvSource


def given(*lines: str, encoding: str = "utf-8", **options: int) -> CsvSource:
    return read_csv(io.BytesIO("\n".join(lines).encode(encoding)), **options)  # type: ignore[arg-type]


def phones(source: CsvSource) -> list[str]:
    return [phone.phone for phone in source if not isinstance(phone, Withheld)]


@pytest.mark.parametrize(
    ("rows", "names", "above"),
    [
        ([["Name", "Mobil"], ["Anna", "0171 1234560"]], ("Name", "Mobil"), 1),
        ([["Anna", "0171 1234560"], ["Bert", ""]], ("1", "2"), 0),
        ([["Handyshop", "0171 1234560"], ["Bert", "0171 1"]], ("1", "2"), 0),
        ([["Anna", ""], ["Bert", "0171 1234560"]], ("1", "2"), 0),
        ([["x", "y"], ["Bert", "0171 1234560"]], ("x", "y"), 1),
        ([["Kunden"], [], ["Name", "Mobil"], ["A", "0171 1234560"]], ("Name", "Mobil"), 3),
        ([["Stand:", "1.10.2024"], ["Name", "Mobil"], ["A", "0171 1234560"]], ("Name", "Mobil"), 2),
        ([["Telefonliste", ""], ["Name", "Mobil"], ["A", "0171 1234560"]], ("Name", "Mobil"), 2),
        (
            [["Name", "Telefon", ""], ["", "privat", "mobil"], ["A", "030 123456", "0171 1234560"]],
            ("Name", "Telefon privat", "Telefon mobil"),
            2,
        ),
        (
            [["Kunde", "", "Notfall", ""], ["Name", "Tel", "Name", "Tel"], ["A", "0171 1234560"]],
            ("Kunde Name", "Kunde Tel", "Notfall Name", "Notfall Tel"),
            2,
        ),
        ([["Mobil"], ["0171 1234560"]], ("Mobil",), 1),
        ([["Hotline", "030 12345"], ["Name", "Mobil"], ["A", "0171 12345"]], ("Name", "Mobil"), 2),
        ([["Anna", "0171 1234560"], ["Handyshop", ""], ["B", "0171 12345"]], ("1", "2"), 0),
        (  # two lists in one, or a list that was printed: the names are there again
            [["Name", "Mobil"], ["A", "0171 1234560"], ["Name", "Mobil"], ["B", "0171 1234561"]],
            ("Name", "Mobil"),
            1,
        ),
        (  # a list that was sorted, its names along with it
            [["A", "0171 1234560"], ["B", "0171 1234561"], ["Name", "Mobil"], ["O", "0171 12345"]],
            ("1", "2"),
            0,
        ),
        # What has a number in it is a line of a text, and names nothing.
        ([["Telefon: 0171 1234560", "Handy: +49 171 1234561"], ["A", "0171 12"]], ("1", "2"), 0),
        ([["<phone>01711234560</phone>"]], ("1",), 0),
        (
            [["Telefon 2023/2024", "Umsatz 01/2024"], ["0171 12345", "1"]],
            ("Telefon 2023/2024", "Umsatz 01/2024"),
            1,
        ),
        (
            [["Hotline 030 12345"], ["Notdienst 0171 12345"], ["Name", "Mobil"], ["A", "0171 1"]],
            ("Name", "Mobil"),
            3,
        ),
    ],
)
def test_where_the_names_are(rows: list[list[str]], names: tuple[str, ...], above: int) -> None:
    layout = find_layout(rows, max(map(len, rows)), header=None)
    assert (layout.names, layout.above) == (names, above)


def test_the_group_of_a_column_says_whose_phones_it_has() -> None:
    source = given("Kunde;;Notfall;", "Name;Tel;Name;Mobil", "Anna;030 1234560;Ole;0171 1234560")
    assert phones(source) == ["030 1234560"]


def test_lines_above_may_be_counted_by_hand() -> None:
    source = given("Name;Mobil alt", "Name;Mobil", "Anna;0171 1234560", skip_lines=1)
    assert source.columns == ("Name", "Mobil")
    assert [row.line for row in source.rows()] == [3]


def test_a_title_is_told_and_counts_as_lines() -> None:
    source = given("Kunden 2024", "", "Name;Mobil", "Anna;0171 1234560")
    assert source.notes == ("a row above the names of the columns left out as a title",)
    assert [row.line for row in source.rows()] == [4]


def test_a_phone_above_the_names_is_told() -> None:
    source = given("Hotline;030 1234567", "Name;Mobil", "Anna;0171 1234560")
    assert phones(source) == ["0171 1234560"]
    assert "if it is a contact's, move it below them" in source.notes[1]


@pytest.mark.parametrize(
    ("cells", "total"),
    [
        (["Summe", "2", ""], True),
        (["", "Gesamt:", "30,00 €"], True),
        (["Total", "", "12"], True),
        (["Anzahl Kontakte", "2"], True),
        (["Razem", "2"], True),
        (["Łącznie 12 osób", "2"], True),
        (["Ergebnis", "3432469135"], True),
        (["Genel Toplam:", "2"], True),
        (["Gesamt: 2 Kontakte", ""], True),
        (["Summe", "2 Kontakte"], False),
        (["Total Energies", "", "Paris"], False),
        (["Summe, Anna", "", "Berlin"], False),
        (["", ""], False),
        (["Anna", "2"], False),
    ],
)
def test_lines_of_totals(cells: list[str], *, total: bool) -> None:
    assert is_total(cells) is total


def test_below_the_totals_are_no_contacts() -> None:
    rows = ["Name;Mobil;Umsatz", "Anna;0171 1234560;10", "Summe;1;10", "Hotline;030 1234567;"]
    source = given(*rows)
    assert phones(source) == ["0171 1234560"]
    held = [phone for phone in source if isinstance(phone, Withheld)]
    assert "below the totals in line 3" in str(held[1].problem)


@pytest.mark.parametrize(
    "total",
    [
        "Summe;3432469134;20",  # a spreadsheet adds up phones, too
        "Ergebnis;3432469134,00;",
        "Gesamt;2 Kontakte;20",
        ";Gesamt: 2 Kontakte;",
        "Total;;20;10",
    ],
)
@pytest.mark.parametrize("column", ["Mobil", "Vorwahl+Mobil", "Mobil,Umsatz"])
def test_no_total_is_sent_nor_what_is_below_it(total: str, column: str) -> None:
    rows = ["Name;Mobil;Umsatz;Vorwahl", "Anna;1711234560;10;+49", "Bert;1721234561;10;+49"]
    lines = "\n".join([*rows, total, "Hotline;0301234567;;+49"])
    source = read(io.BytesIO(lines.encode()), columns={"phone": column})
    assert [type(phone) is Withheld for phone in source] == [False, False, True, True]


def test_a_contact_with_the_name_of_a_total_is_one() -> None:
    rows = ["Name;Mobil;Ort", "Total;0171 1234560;Paris", "Bert;0171 1234561;Bonn"]
    assert len(phones(given(*rows))) == 2


@pytest.mark.parametrize(
    "lines",
    [
        ['"Zum Krug;0171 1234561;Köln', "Cara;0171 1234562;Bonn", 'Gasthof";0171 1234563;Kiel'],
        ['"Zum Krug;0171 1234561;Köln', 'Gasthof Post";0171 1234564;Kiel'],
    ],
)
def test_a_quote_that_swallows_rows_names_the_first(lines: list[str]) -> None:
    with pytest.raises(SourceError, match="looks like several") as caught:
        list(given("Name;Mobil;Ort", "Anna;0171 1234560;Berlin", *lines))
    assert caught.value.line == 3


def test_a_note_of_several_lines_is_one_cell() -> None:
    rows = ["Name;Mobil;Notiz", 'Anna;0171 1234560;"ruf an; bald', 'oder 0171 1234561; später"']
    assert phones(given(*rows)) == ["0171 1234560"]


def test_single_lines_in_another_encoding_are_named(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    lines = [b"Name;Mobil", "Müller;0171 1234560".encode(), "Jäger;0171 1".encode("cp1252")]
    path.write_bytes(b"\n".join([*lines, "Größe;0171 1234562".encode()]))
    source = read(path)
    assert [row.cells[0] for row in source.rows()] == ["Müller", "Jäger", "Größe"]
    assert source.notes == ("line 3 is not in UTF-8 like the others, and read as Windows-1252",)


def test_a_guessed_encoding_is_told() -> None:
    source = given("Name;Mobil", "Müller;0171 1234560", encoding="cp1252")
    assert source.notes == ("read as cp1252, as its bytes look",)


def test_equal_and_empty_names_are_told_apart_by_their_place() -> None:
    lists = [
        io.BytesIO(text.encode()) for text in ("Tel;;Tel\n1;2;030 123456\n", "Tel;Name\n4;5\n")
    ]
    source = read(lists, columns={"phone": "1"})
    assert source.columns == ("Tel", "", "Tel", "Name")
    assert [row.cells for row in source.rows()] == [
        ["1", "2", "030 123456", ""],
        ["4", "", "", "5"],
    ]
    again = io.BytesIO(b"Tel;;Tel\n1;2;030 123456\n")
    assert [phone.phone for phone in read(again, columns={"phone": "Tel#2"})] == ["030 123456"]


@drawn(
    st.lists(st.lists(st.sampled_from(["Name", "Mobil", "Anna", "e", ""]), max_size=5), max_size=4),
    st.integers(1, 6),
)
def test_rows_of_any_length_have_names(rows: list[list[str]], width: int) -> None:
    filled = [row for row in rows if row]
    layout = find_layout([*filled, ["Anna", "0171 1234560"]], width, header=None)
    assert len(layout.names) >= width
