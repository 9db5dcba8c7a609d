"""Which sheets, rows and digits of a workbook are meant: what a person sees of it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.sources import ExcelSource, ManySources, UndecidedError, read
from asyncsdk.sources.apart.dressing import dressed_number, dressed_text
from tests.parts import module

from .books import (
    filtered,
    formatted,
    formatted_ods,
    formatted_xls,
    ods,
    repeated_ods,
    workbook,
    workbook_xls,
    xls,
    zipped,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = ["Name", "Mobil"]
JANUARY = [HEAD, ["Anna", "0171 1234560"]]
FEBRUARY = [["Name", "Handy"], ["Bert", "0171 1234561"], ["Cara", "0171 1234562"]]
LISTS = Path(__file__).parents[1] / "lists"
WRITERS = {"x.xlsx": filtered, "x.ods": ods, "x.xls": xls}
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
    assert [str(row.place(several=True)) for row in everything.rows()] == [
        "x.xlsx, sheet 'Januar', row 2",
        "x.xlsx, sheet 'Februar', row 2",
        "x.xlsx, sheet 'Februar', row 3",
    ]
    assert phones(path, sheet=["Februar", "Januar"])[-1] == "0171 1234560"
    assert read(path, ask=lambda _: "Januar").count() == 1


@pytest.mark.parametrize(("name", "write"), [("x.xlsx", workbook), ("x.xls", workbook_xls)])
def test_hidden_sheets_are_read_when_they_are_named(
    name: str, write: Callable[..., Path], tmp_path: Path
) -> None:
    path = write(tmp_path / name, {"Alt": FEBRUARY, "Neu": JANUARY}, hidden=("Alt",))
    assert phones(path) == ["0171 1234560"]
    assert phones(path, sheet="Alt") == ["0171 1234561", "0171 1234562"]
    with pytest.raises(SourceError, match=r"no sheet 'Mai'; there are 'Alt', 'Neu'"):
        read(path, sheet="Mai")


@pytest.mark.parametrize("name", WRITERS)
def test_hidden_rows_are_counted_and_left_out(name: str, tmp_path: Path) -> None:
    rows = [HEAD, *([f"N{line}", f"0171 12345{line:02}"] for line in range(2, 9))]
    path = WRITERS[name](tmp_path / name, rows, (3, 5, 8))
    source = read(path)
    assert [row.line for row in source.rows()] == [2, 4, 6, 7]
    assert "3 rows of sheet 'Kontakte' hidden or filtered" in source.notes[0]
    assert len(phones(path, hidden="send")) == 7
    with pytest.raises(ConfigurationError, match="'skip' or 'send'"):
        read(path, hidden="show")


def test_rows_that_are_written_once_and_stand_there_often(tmp_path: Path) -> None:
    rows = [
        (["Liste"], 1, "visible", False),
        ([], 3, "visible", False),
        (HEAD, 1, "visible", False),
        (["Anna", "0171 1234560"], 2, "visible", False),
        (["Bert", "0171 1234561"], 3, "filter", False),
        (["Cara", "0171 1234562"], 2, "visible", True),
        (["Dora", "0171 1234563"], 1, "visible", False),
        ([], 1_000_000, "visible", False),
    ]
    source = read(repeated_ods(tmp_path / "x.ods", rows))
    assert [row.line for row in source.rows()] == [6, 7, 13]
    assert "5 rows of sheet 'Kontakte' hidden or filtered" in "".join(source.notes)


@pytest.mark.parametrize("write", [formatted, formatted_xls])
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
        ("0%", 491711234560, "491711234560"),
        ("dd/mm/yyyy", 491711234560, "491711234560"),
        ('"+41 "#,##0.00', 791234567, "+41 791234567"),
        ("General", 491711234560, "491711234560"),
    ],
)
def test_a_number_is_read_as_its_format_shows_it(
    write: Callable[..., Path], form: str, number: float, shown: str, tmp_path: Path
) -> None:
    path = tmp_path / ("x.xlsx" if write is formatted else "x.xls")
    assert phones(write(path, form, [number, number])) == [shown, shown]


def test_the_mark_of_a_note_is_no_part_of_a_number(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with module("xlsxwriter").Workbook(path) as book:
        sheet = book.add_worksheet("Kontakte")
        bold = book.add_format({"bold": True})
        sheet.write_row(0, 0, HEAD)
        for at, script in enumerate((1, 2), 1):
            raised = book.add_format({"font_script": script})
            sheet.write_string(at, 0, "Anna")
            sheet.write_rich_string(at, 1, bold, "0171", f" 123456{at}", raised, "1")
        sheet.write_string(3, 1, "0171 1234563")
        sheet.write_rich_string(4, 1, bold, "0171 ", "1234564")
    assert phones(path) == ["0171 1234561 1", "0171 1234562 1", "0171 1234563", "0171 1234564"]


def test_cells_that_do_not_say_where_they_are_stand_one_behind_the_other(tmp_path: Path) -> None:
    """Some programs write no `r` of rows and cells: a format is that of its cell all the same."""
    path = formatted(tmp_path / "x.xlsx", '"+41 "0', [791234567, 791234568])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = re.sub(rb'(<row|<c) r="\w+"', rb"\1", parts[sheet])
    path.write_bytes(zipped(parts))
    assert phones(path) == ["+41 791234567", "+41 791234568"]


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        (["+41 ", 1], "+41 791234567"),
        (["+", 1], "+791234567"),
        ([11], "00791234567"),
        (["0", 1, " (mobil)"], "0791234567 (mobil)"),
        ([1], "791234567"),
    ],
)
def test_a_format_of_an_open_document(form: list[str | int], shown: str, tmp_path: Path) -> None:
    path = formatted_ods(tmp_path / "x.ods", form, [791234567, 791234567])
    assert phones(path, columns={"phone": "Mobil"}) == [shown, shown]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["formats.xls", "formats.ods"])
def test_a_workbook_that_was_converted_shows_the_same(name: str) -> None:
    """By LibreOffice, which wrote beside each number how it shows it."""
    source = read(LISTS / name, columns={"phone": "Mobil", "a": "Gezeigt"})
    assert "6 rows of sheet 'Neu' hidden or filtered" in source.notes[1]
    assert source.notes[2] == "not read: hidden sheet: 'Alt'"
    seen = [(phone.phone, (phone.a or "").replace(",", "")) for phone in source]
    assert len(seen) == 29
    assert [number for number, shown in seen if number != shown] == []


@pytest.mark.parametrize(
    ("number", "form", "shown"),
    [
        ("5", "000", "005"),
        ("12345", "0-0", "1234-5"),
        ("791234567", '"+41 "0;-0;0', "+41 791234567"),
        ("-5", '"+41 "0', "-5"),
        ("12", "[$-407]0 0", "1 2"),
        ("12", "##0", "12"),
        ("12", "0##", "012"),
        ("5", '[>9]"+41 "0;0', "5"),
        ("12", '[>9]"+41 "0;0', "+41 12"),
        ("12", '0;"a;b"0', "12"),
        ("12", '"a;b "0;0', "a;b 12"),
        ("12", '"+41 "General', "+41 12"),
        ("12", '"+41 "0.00', "+41 12"),
        ("12", "[$+41-807] 0", "+41 12"),
        ("12", "[$\N{EURO SIGN}-407] 0", "12"),
        ("12", '"0"@', "12"),
        ("12", "# ?/?", "12"),
        ("12", "0.00E+00", "12"),
        ("12", '"+41 "0%', "12"),
        ("12", '"', "12"),
        ("12", "", "12"),
    ],
)
def test_digits_in_a_format(number: str, form: str, shown: str) -> None:
    assert dressed_number(number, form) == shown


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ('"+41 "@', "+41 79"),
        ('0;-0;0;"+41 "@', "+41 79"),
        ("@", "79"),
        ('"+41 "0', "79"),
        ('"@"0', "79"),
    ],
)
def test_a_text_in_a_format(form: str, shown: str) -> None:
    assert dressed_text("79", form) == shown


def test_a_book_of_which_hidden_rows_are_not_known_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsb"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("xl/workbook.bin", b"")
    with pytest.raises(SourceError, match=r"binary workbook .*hidden='send'"):
        read(path)
    with pytest.raises(SourceError) as failed:  # then it is read, and this one is damaged
        read(path, hidden="send")
    assert "binary workbook" not in str(failed.value)


def test_a_password_is_called_one(tmp_path: Path) -> None:
    path = tmp_path / "x.xls"
    stream = "EncryptedPackage".encode("utf-16-le")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000) + stream + bytes(2000))
    with pytest.raises(SourceError, match="protected by a password: open it"):
        read(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.replace(b"</table:table>", b"5/table:table>"),
        lambda content: content.replace(b"</table:table-row>", b"", 1),
        lambda content: content[: content.index(b"</table:table>")],
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b"</text:p>", b"</text:q>", 1),
        lambda content: content + b"<more/>",
        lambda _: b"",
    ],
)
def test_an_ods_that_is_not_xml_is_refused_at_once(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    whole = ods(tmp_path / "whole.ods", JANUARY, ())
    path = tmp_path / "x.ods"
    with zipfile.ZipFile(whole) as found, zipfile.ZipFile(path, "w") as made:
        for name in found.namelist():
            part = found.read(name)
            made.writestr(name, damage(part) if name == "content.xml" else part)
    with pytest.raises(SourceError, match=r"is damaged \(content\.xml: .*save it once more"):
        read(path)
