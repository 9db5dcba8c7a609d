"""What address books, web applications and interfaces export; and what is no list at all."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk.errors import SourceError
from asyncsdk.sources import UndecidedError, read, read_json, read_vcards

from .books import spreadsheetml, zipped

if TYPE_CHECKING:
    from asyncsdk.sources import Source

A, B = "+491711234560", "+491711234561"


def opened(raw: bytes, **options: Any) -> Source:
    return read(io.BytesIO(raw), **options)


def phones(raw: bytes, **options: Any) -> list[str]:
    return [phone.phone for phone in opened(raw, **options)]


def card(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", *lines, "END:VCARD", ""])


CARDS = {
    "3.0": card("VERSION:3.0", "N:Beck;Anna;;;", "FN:Anna Beck", f"TEL;type=CELL;type=pref:{A}"),
    "2.1": card("VERSION:2.1", "N:Beck;Anna", f"TEL;CELL;PREF:{A}", "TEL;WORK;FAX:030 99999"),
    "4.0": card("VERSION:4.0", "FN:Anna", f'TEL;VALUE=uri;TYPE="cell,voice":tel:{A}'),
    "quoted": card(
        *("VERSION:2.1", "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BC="),
        *("rgen;;;", f"TEL;CELL:{A}"),
    ),
    "folded": card("VERSION:3.0", "FN:Anna", f"TEL;TYPE=CELL:{A[:6]}", f" {A[6:]}"),
    "label": card("VERSION:3.0", "FN:A", f"item1.TEL:{A}", "item1.X-ABLabel:Mobil"),
    "picture": card(
        "VERSION:3.0", "FN:A", "PHOTO;ENCODING=b:" + "QUJD" * 99, " QUJD", f"TEL;TYPE=CELL:{A}"
    ),
}


@pytest.mark.parametrize("kind", CARDS)
def test_vcards(kind: str) -> None:
    assert phones(CARDS[kind].encode()) == [A]


def test_each_kind_of_number_of_vcards_has_a_column() -> None:
    first = card(
        "VERSION:3.0", "FN:Anna", "ORG:Beck;Vertrieb", f"TEL;TYPE=CELL:{A}", "TEL;TYPE=WORK:030"
    )
    second = card(
        "VERSION:3.0", "FN:Bert", f"TEL;TYPE=HOME:{B}", "TEL;TYPE=HOME:040", "TEL;TYPE=FAX:1"
    )
    source = opened((first + second).encode(), columns={"phone": "Mobile,Phone home"})
    assert source.columns == (
        *("Name", "Organization", "Mobile", "Phone work", "Phone home", "Phone home 2", "Fax"),
    )
    assert [phone.phone for phone in source] == [A, B]
    assert [(row.line, row.cells[0]) for row in source.rows()] == [(1, "Anna"), (8, "Bert")]
    assert source.mapping["phone"].column == "Mobile,Phone home"


def test_a_card_that_does_not_end_names_its_line() -> None:
    raw = CARDS["3.0"] + "BEGIN:VCARD\r\nFN:Bert\r\n"
    with pytest.raises(SourceError, match="does not end") as caught:
        read_vcards(io.BytesIO(raw.encode()))
    assert caught.value.line == 7


HTML = {
    "plain": f"<html><table><tr><th>Name<th>Mobil<tr><td>Anna<td>{A}<tr><td>Bert<td>{B}</table>",
    "doctype": f"<!DOCTYPE html>\n<table><tr><td>Name</td><td>Mobil</td></tr>"
    f"<tr><td>A</td><td><a href='tel:1'>{A}</a></td></tr><tr><td>B</td><td>&nbsp;{B}</td></tr>",
    "layout": f"<html><table><tr><td><table><tr><th>Name<th>Mobil<tr><td>A<td>{A}<tr><td>B<td>{B}"
    "</table></table>",
    "hidden": f"<html><table><tr><th>Name<th>Mobil<tr><td>A<td><span style='display: none'>2024"
    f"</span>{A}<tr style='display:none'><td>X<td>0171 9<tr><td>B<td>{B}</table>",
    "hidden around": f"<html><table><tr><th>Name<th>Mobil<tr><td>A<td>{A}"
    "<tbody style='display:none'><tr><td>X<td>0171 8<tbody><tr style='visibility:collapse'><td>Y"
    f"<td>0171 9<tr><td>B<td>{B}</table>",
    "spans": f"<html><table><tr><th rowspan=2>Name<th colspan=2>Telefon<tr><th>privat<th>mobil"
    f"<tr><td>A<td>030 1234560<td>{A}<tr><td>B<td>030 1234561<td>{B}</table>",
    "xhtml": f"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><table><tr><th>Name"
    f"</th><th>Mobil</th></tr><tr><td>A</td><td>{A}</td></tr><tr><td>B</td><td>{B}</td></tr></table></html>",
}


@pytest.mark.parametrize("kind", HTML)
def test_tables_in_html(kind: str) -> None:
    assert phones(HTML[kind].encode()) == [A, B]


def test_blocks_in_a_cell_are_not_glued() -> None:
    raw = f"<table><tr><th>Name<th>Mobil<tr><td>A<td><div>{A}</div><div>{B}</div></table>"
    assert phones(raw.encode()) == [f"{A}\n{B}"]


def test_the_mark_of_a_note_is_no_part_of_a_number() -> None:
    raw = f"<table><tr><th>Name<th>Mobil<tr><td>A<td>{A}<sup>1</sup><tr><td>B<td>{B}<sub>2</sub>"
    assert phones(raw.encode()) == [f"{A} 1", f"{B} 2"]


def test_several_tables_are_asked_for() -> None:
    table = "<table>{}<tr><th>Name<th>Mobil<tr><td>A<td>{}</table>"
    raw = (table.format("<caption>Neu</caption>", A) + table.format("", B)).encode()
    with pytest.raises(UndecidedError, match=r"sheet='Neu'.*sheet='table 2'"):
        opened(raw)
    assert phones(raw, sheet="table 2") == [B]


CELL = '<Cell{}><Data ss:Type="{}">{}</Data></Cell>'


def test_workbooks_in_xml() -> None:
    head = (
        "<Row>" + CELL.format("", "String", "Name") + CELL.format("", "String", "Mobil") + "</Row>"
    )
    rows = (
        "<Row>" + CELL.format("", "String", "Anna") + CELL.format("", "Number", A[1:]) + "</Row>",
        '<Row ss:Index="5" ss:Hidden="1">'
        + CELL.format(' ss:Index="2"', "String", "0171")
        + "</Row>",
        "<Row>" + CELL.format(' ss:Index="2"', "String", B) + "</Row>",
    )
    raw = spreadsheetml({"Alt": head + "".join(rows), "Neu": head + "".join(rows)}, hidden="Alt")
    source = opened(raw)
    assert [(row.line, row.cells[1]) for row in source.rows() if row.cells] == [(2, A[1:]), (6, B)]
    assert "1 row of sheet 'Neu' hidden" in source.notes[0]


def test_a_workbook_in_xml_whose_formats_add_a_prefix() -> None:
    styles = (
        '<Style ss:ID="s1"><NumberFormat ss:Format="&quot;+41 &quot;0"/></Style>'
        '<Style ss:ID="s2"><NumberFormat ss:Format="&quot;+43 &quot;@"/></Style>'
        '<Style ss:ID="s3"><NumberFormat ss:Format="0.00"/></Style>'
    )
    column = '<Column ss:StyleID="s3"/><Column ss:Index="3" ss:Span="1" ss:StyleID="s1"/>'
    head = "<Row>" + "".join(CELL.format("", "String", name) for name in "abcd") + "</Row>"
    cells = [
        CELL.format("", "Number", "791234567"),
        CELL.format(' ss:StyleID="s1"', "Number", "791234567"),
        CELL.format("", "Number", "791234567"),
        CELL.format(' ss:StyleID="s2"', "String", "6641234567"),
    ]
    source = opened(
        spreadsheetml({"Neu": f"{column}{head}<Row>{''.join(cells)}</Row>"}, styles=styles),
        columns={"phone": "b"},
    )
    seen = next(row.cells for row in source.rows())
    assert seen == ["791234567", "+41 791234567", "+41 791234567", "+43 6641234567"]


PREFIX = '<NumberFormat ss:Format="&quot;+41 &quot;0"/>'
INHERITED = f'<Style ss:ID="a">{PREFIX}</Style><Style ss:ID="b" ss:Parent="a"/>'
CIRCLE = '<Style ss:ID="b" ss:Parent="c"/><Style ss:ID="c" ss:Parent="b"/>'


@pytest.mark.parametrize(
    ("styles", "style", "shown"),
    [
        (f'<Style ss:ID="Default">{PREFIX}</Style>', "", "+41 791234567"),
        (INHERITED, ' ss:StyleID="b"', "+41 791234567"),
        (CIRCLE, ' ss:StyleID="c"', "791234567"),
    ],
)
def test_a_format_in_a_workbook_in_xml_may_be_that_of_another_style(
    styles: str, style: str, shown: str
) -> None:
    head = "<Row>" + CELL.format("", "String", "Mobil") + CELL.format("", "String", "x") + "</Row>"
    row = "<Row>" + CELL.format(style, "Number", "791234567") + "</Row>"
    source = opened(spreadsheetml({"Neu": head + row}, styles=styles))
    assert [found.cells[0] for found in source.rows()] == [shown]


def test_a_zip_with_one_list_in_it() -> None:
    table = f"Name;Mobil\nAnna;{A}\n".encode()
    source = opened(zipped({"export/": b"", "export/kunden.csv": table, "__MACOSX/._x": b"x"}))
    assert [phone.phone for phone in source] == [A]
    assert source.path == "export/kunden.csv"
    with pytest.raises(SourceError, match=r"not one file in it, but 'a.csv', 'b.csv': unpack"):
        opened(zipped({"a.csv": table, "b.csv": table}))
    with pytest.raises(SourceError, match="has not one file in it, but none"):
        opened(zipped({"x/": b""}))
    with pytest.raises(SourceError, match="unpacks to more than 1,000 bytes"):
        opened(zipped({"a.csv": b"0" * 5000}), max_bytes=1000)


JSONS = {
    "wrapped": {"contacts": [{"n": "A", "phone": A}, {"n": "B", "phone": B}]},
    "deeper": {"page": 1, "data": {"items": [{"phone": A}, {"phone": B}]}, "tags": ["x"]},
    "numbers": {"count": 2, "phones": [A, B]},
    "nested": [{"n": "A", "contact": {"phone": A}}, {"n": "B", "contact": {"phone": B}}],
    "edges": {"data": {"c": {"edges": [{"node": {"phone": A}}, {"node": {"phone": B}}]}}},
    "labelled": [
        {"phones": [{"type": "work", "number": "030 1"}, {"type": "mobile", "number": A}]},
        {"phones": [{"type": "mobile", "number": B}]},
    ],
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("kind", JSONS)
def test_json_that_wraps_its_list(kind: str, indent: int | None) -> None:
    assert phones(json.dumps(JSONS[kind], indent=indent).encode()) == [A, B]


def test_the_lines_of_what_json_wraps() -> None:
    raw = json.dumps(JSONS["wrapped"], indent=1).encode()
    assert [row.line for row in opened(raw).rows()] == [3, 7]


def test_objects_over_several_lines() -> None:
    raw = "\n".join(json.dumps({"n": "A", "phone": phone}, indent=2) for phone in (A, B))
    source = read_json(io.BytesIO(raw.encode()))
    assert [phone.phone for phone in source] == [A, B]
    assert [row.line for row in source.rows()] == [1, 5]


def test_a_long_list_that_json_wraps_is_read_piece_by_piece() -> None:
    items = [{"n": "A", "phone": A}] * 40_000
    assert opened(json.dumps({"total": 1, "items": items}).encode()).count() == 40_000


def test_two_lists_in_json_are_none() -> None:
    raw = json.dumps({"a": [{"phone": A}], "b": [{"phone": B}]}).encode()
    with pytest.raises(SourceError, match="several lists, 'a' and 'b'"):
        opened(raw)


def packed(raw: bytes) -> bytes:
    return gzip.compress(raw, mtime=0)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"\xff\xd8\xff\xe0", "an image"),
        (b"RIFF1234WEBPVP8 ", "an image"),
        (b"SQLite format 3\x00" + bytes(90), "a database"),
        (b"\x00\x01\x00\x00Standard ACE DB\x00", "a database"),
        (b"{\\rtf1\\ansi", "a text document"),
        (b"7z\xbc\xaf\x27\x1c\x00", "a 7-Zip archive"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (b"BZh91AY&SY", "a bzip2 archive"),
        (packed(b"list.csv".ljust(257, b"\0") + b"ustar\0" + bytes(250)), "a tar archive"),
        (packed(packed(b"Mobil\n0171 1234560\n")), "packed twice"),
        (zipped({}), "an archive with nothing in it"),
        (b"MIME-Version: 1.0\r\n", "a web archive"),
        (b"-----BEGIN PGP MESSAGE-----\n", "encrypted"),
        (b"<?xml version='1.0'?><contacts/>", "an XML file"),
        (zipped({"word/document.xml": b"x", "[Content_Types].xml": b"x"}), "a Word document"),
    ],
)
def test_what_is_no_list_is_called_by_its_name(raw: bytes, name: str) -> None:
    with pytest.raises(SourceError, match=f"^is {name}.*: "):
        opened(raw)


def test_a_card_in_another_encoding_names_its_line() -> None:
    raw = CARDS["3.0"].encode() + b"BEGIN:VCARD\r\nFN:\x9d\r\n"
    with pytest.raises(SourceError, match=r"is not cp1252 .*: give its encoding") as caught:
        read_vcards(io.BytesIO(raw), encoding="cp1252")
    assert caught.value.line is not None


def test_a_flat_open_document_is_called_one() -> None:
    raw = b'<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:x">'
    with pytest.raises(SourceError, match="is a flat OpenDocument file"):
        opened(raw + b"<office:body><table/></office:body></office:document>")
