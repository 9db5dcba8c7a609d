"""Which sheets, rows and digits of a workbook are meant: what a person sees of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.sources import ExcelSource, ManySources, UndecidedError, read
from asyncsdk.sources.apart.shown import dressed_number

from .books import filtered, formatted, ods, workbook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD = ["Name", "Mobil"]
JANUARY = [HEAD, ["Anna", "0171 1234560"]]
FEBRUARY = [["Name", "Handy"], ["Bert", "0171 1234561"], ["Cara", "0171 1234562"]]
NOTE = [["Bitte bis Freitag senden"], ["Danke"]]


def phones(path: Path, **options: str | list[str]) -> list[str]:
    return [phone.phone for phone in read(path, **options)]  # type: ignore[arg-type]


def test_a_note_beside_the_list_is_left_out_and_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", {"Notiz": NOTE, "Januar": JANUARY})
    source = read(path)
    assert isinstance(source, ExcelSource)
    assert (source.sheet, source.notes) == ("Januar", ("not read: 'Notiz'",))


def test_several_sheets_with_phones_are_asked_for(tmp_path: Path) -> None:
    sheets = {"Notiz": NOTE, "Januar": JANUARY, "Februar": FEBRUARY}
    path = workbook(tmp_path / "x.xlsx", sheets)
    with pytest.raises(UndecidedError, match=r"sheet='Januar'.*sheet='\*'") as caught:
        read(path)
    assert caught.value.question is not None
    assert [each.answer for each in caught.value.question.options] == ["Januar", "Februar", "*"]
    assert phones(path, sheet="Februar") == ["0171 1234561", "0171 1234562"]
    everything = read(path, sheet="*")
    assert isinstance(everything, ManySources)
    assert [(row.path, row.line) for row in everything.rows()] == [
        (f"{path}[Januar]", 2),
        (f"{path}[Februar]", 2),
        (f"{path}[Februar]", 3),
    ]
    assert phones(path, sheet=["Februar", "Januar"])[-1] == "0171 1234560"
    assert read(path, ask=lambda _: "Januar").count() == 1


def test_hidden_sheets_are_read_when_they_are_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", {"Alt": FEBRUARY, "Neu": JANUARY}, hidden=("Alt",))
    assert phones(path) == ["0171 1234560"]
    assert phones(path, sheet="Alt") == ["0171 1234561", "0171 1234562"]
    with pytest.raises(SourceError, match=r"no sheet 'Mai'; there are 'Alt', 'Neu'"):
        read(path, sheet="Mai")


@pytest.mark.parametrize("write", [filtered, ods])
def test_hidden_rows_are_counted_and_left_out(
    write: Callable[[Path, list[list[str]], tuple[int, ...]], Path], tmp_path: Path
) -> None:
    rows = [HEAD, *([f"N{line}", f"0171 12345{line:02}"] for line in range(2, 9))]
    path = write(tmp_path / ("x.xlsx" if write is filtered else "x.ods"), rows, (3, 5, 8))
    source = read(path)
    assert [row.line for row in source.rows()] == [2, 4, 6, 7]
    assert "3 rows of sheet 'Kontakte' hidden or filtered" in source.notes[0]
    assert len(phones(path, hidden="send")) == 7
    with pytest.raises(ConfigurationError, match="'skip' or 'send'"):
        read(path, hidden="show")


@pytest.mark.parametrize(
    ("form", "number", "shown"),
    [
        ('"+41 "0', 791234567, "+41 791234567"),
        ('"+41 "00 000 00 00', 791234567, "+41 79 123 45 67"),
        ("\\+0", 491711234560, "+491711234560"),
        ("00000000000", 1711234560, "01711234560"),
        ('"0"0', 1711234560, "01711234560"),
        ("0000 000000", 1711234560, "1711 234560"),
        ("(000) 000-0000", 2025550123, "(202) 555-0123"),
        ("0", 491711234560, "491711234560"),
        ("0.00", 491711234560, "491711234560"),
        ("#,##0", 491711234560, "491711234560"),
        ("General", 491711234560, "491711234560"),
    ],
)
def test_a_number_is_read_as_its_format_shows_it(
    form: str, number: float, shown: str, tmp_path: Path
) -> None:
    assert phones(formatted(tmp_path / "x.xlsx", form, [number, number])) == [shown, shown]


@pytest.mark.parametrize(
    ("number", "form", "shown"),
    [
        ("5", "000", "005"),
        ("12345", "0-0", "1234-5"),
        ("791234567", '"+41 "0;-0;0', "+41 791234567"),
        ("-5", '"+41 "0', "-5"),
        ("12", "[$-407]0 0", "1 2"),
        ("12", "##0", "12"),
    ],
)
def test_digits_in_a_format(number: str, form: str, shown: str) -> None:
    assert dressed_number(number, form) == shown


def test_a_password_is_called_one(tmp_path: Path) -> None:
    path = tmp_path / "x.xls"
    stream = "EncryptedPackage".encode("utf-16-le")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000) + stream + bytes(2000))
    with pytest.raises(SourceError, match="protected by a password: open it"):
        read(path)
