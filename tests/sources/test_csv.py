from __future__ import annotations

import csv
import io
import os
import threading
import tracemalloc
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.models import Phone
from asyncsdk.sources import read, read_csv
from asyncsdk.sources.dialect import SAMPLE_SIZE

from .lists import fault_of

KONTAKTE = Path(__file__).parents[2] / "examples" / "kontakte_de.csv"
TABLE = 'Name;Mobil\r\nJürgen;"+4916012345678"\r\nŁukasz;0160 1234567\r\n'


def phones(text: str | bytes, **options: object) -> list[str]:
    raw = text if isinstance(text, bytes) else text.encode()
    return [phone.phone for phone in read_csv(io.BytesIO(raw), **options)]  # type: ignore[arg-type]


def test_the_messy_list_gives_a_phone_for_every_row() -> None:
    source = read_csv(KONTAKTE, columns={"a": "Anrede", "callback_data": "Kundennr."})
    listed = list(source)
    assert len(listed) == source.count() == 2105
    assert source.columns == ("Anrede", "Vorname", "Nachname", "Mobil", "Notiz", "Kundennr.")
    assert (source.dialect.encoding, source.dialect.delimiter) == ("utf-8-sig", ";")
    assert source.dialect.header
    assert source.mapping["phone"].column == "Mobil"
    assert listed[0] == Phone("+4916007922960", a="Herr", callback_data="KD-000000")
    assert sum(not phone.phone for phone in listed) == 60 + 17


def test_rows_are_known_by_file_line_and_index() -> None:
    lines = KONTAKTE.read_bytes().split(b"\n")
    source = read_csv(KONTAKTE)
    (row,) = source.pick([2104])
    assert lines[row.line - 1].decode().startswith(";".join(row.cells[:3]))
    assert row.line > row.index + 2, "quoted newlines lie before it"
    assert [row.index for row in source.pick(iter([0, 3, 9999]))] == [0, 3]


def test_each_iteration_reads_anew(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(TABLE, encoding="utf-8", newline="")
    source = read_csv(path)
    assert list(source) == list(source)
    one, two = iter(source), iter(source)
    assert next(one) == next(two)


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
    ],
)
def test_unicode_encodings_are_recognised(encoding: str, found: str) -> None:
    source = read_csv(io.BytesIO(TABLE.encode(encoding)), columns={"a": "Name"})
    assert source.dialect.encoding == found
    assert [phone.a for phone in source] == ["Jürgen", "Łukasz"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(encoding: str) -> None:
    raw = ("\ufeff" + TABLE).encode(encoding)
    assert read_csv(io.BytesIO(raw), encoding=encoding).columns == ("Name", "Mobil")


def test_what_is_not_utf8_is_windows_1252_unless_told_otherwise() -> None:
    raw = "Name;Mobil\nMüller €;01601234567\n".encode("cp1252")
    assert next(iter(read_csv(io.BytesIO(raw), columns={"a": "Name"}))).a == "Müller €"
    raw = "Name;Mobil\nŠimon;01601234567\n".encode("iso-8859-15")
    source = read_csv(io.BytesIO(raw), columns={"a": "Name"}, encoding="iso-8859-15")
    assert next(iter(source)).a == "Šimon"


def test_an_umlaut_far_behind_the_sample_still_tells_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    ascii_rows = b"Anna;01601234567\n" * (SAMPLE_SIZE // 8)
    path.write_bytes(b"Name;Mobil\n" + ascii_rows + "Jörg;01601234567\n".encode("cp1252"))
    assert read_csv(path).dialect.encoding == "cp1252"


@pytest.mark.parametrize("encoding", ["no-such", "hex", "undefined"])
def test_an_encoding_that_is_none_is_refused(encoding: str) -> None:
    with pytest.raises(ConfigurationError, match="no text encoding"):
        read_csv(io.BytesIO(b"Mobil\n1"), encoding=encoding)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_delimiters_are_recognised(delimiter: str) -> None:
    text = TABLE.replace(";", delimiter)
    assert read_csv(io.BytesIO(text.encode())).dialect.delimiter == delimiter
    assert phones(text) == ["+4916012345678", "0160 1234567"]


def test_a_comma_within_cells_is_not_the_delimiter() -> None:
    assert phones("Nachname, Vorname;Mobil\nMay, Eva;0160123456\nKoch, Ole;0160654321\n") == [
        "0160123456",
        "0160654321",
    ]


def test_a_list_of_one_column_keeps_its_cells_whole() -> None:
    text = "Mobil\n+4916012345678\n4,91601E+11\n+4916012345678, 016012345\n"
    assert phones(text)[1:] == ["4,91601E+11", "+4916012345678, 016012345"]


def test_a_separator_line_is_obeyed_and_counted() -> None:
    source = read_csv(io.BytesIO(b"sep=,\r\nName,Mobil\r\nAnna,01601234567\r\n"))
    assert source.columns == ("Name", "Mobil")
    assert [row.line for row in source.rows()] == [3]


def test_a_file_without_a_header_is_recognised() -> None:
    source = read_csv(io.BytesIO(b"Anna;01601234567\nOle;01607654321\n"), columns={"a": 1})
    assert not source.dialect.header
    assert source.columns == ("1", "2")
    assert list(source) == [Phone("01601234567", a="Anna"), Phone("01607654321", a="Ole")]


def test_the_header_can_be_given() -> None:
    assert phones("01601234567\n01607654321\n", header=True) == ["01607654321"]
    assert phones("Mobil\n01607654321\n", header=False) == ["Mobil", "01607654321"]


def test_short_and_long_and_empty_rows_are_rows() -> None:
    text = "Nr;Name;Mobil;Ort\n1;A;01601111111\n2;B\n3;C;;X\n;;;\n\n4;D; Dr.;01602222222;X\n"
    text += "5;E;01603333333;X;;\n"
    assert phones(text) == ["01601111111", "", "", "", "", "01603333333"]


def test_a_row_with_a_cell_too_many_never_shifts_another_number_into_the_phone() -> None:
    text = "Nr;Name;Festnetz;Mobil\n1;May;0301111111;01601111111\n2;May; Eva;0302222222;0160222222"
    assert phones(text) == ["01601111111", ""]


def test_empty_cells_of_other_columns_are_none() -> None:
    source = read_csv(io.BytesIO(b"a;Mobil\n;01601234567\n"), columns={"a": "a"})
    assert list(source) == [Phone("01601234567")]


def test_quoted_newlines_keep_line_numbers_right() -> None:
    raw = b'Mobil;Notiz\r\n0160111111;"zwei\r\nZeilen"\r\n\r\n0160222222;x\r\n'
    assert [(row.index, row.line) for row in read_csv(io.BytesIO(raw)).rows()] == [(0, 2), (1, 5)]


def test_nul_bytes_are_only_characters() -> None:
    assert phones("Mobil;x\n01601234\x00567;a\n01601234567;b\n") == [
        "01601234\x00567",
        "01601234567",
    ]


def test_old_mac_line_ends() -> None:
    assert phones("Name;Mobil\rA;0160111111\rB;0160222222\r") == ["0160111111", "0160222222"]


@pytest.mark.parametrize(
    "tail",
    [
        'B;"0160222222\nC;0160333333\n',  # never closed
        'B;"0160222222',  # never closed, on the last line
        'B;"0160222222\nC;0160333333;"x"\nD;0160444444\n',  # closed by another cell's quote
    ],
)
def test_a_stray_quote_swallows_no_rows(tail: str) -> None:
    source = read_csv(io.BytesIO(f"Name;Mobil;Notiz\nA;0160111111;x\n{tail}".encode()))
    rows = iter(source)
    assert next(rows).phone == "0160111111"
    with pytest.raises(SourceError, match="quotes") as caught:
        list(rows)
    assert caught.value.line == 3


def test_a_sloppy_quote_within_one_line_is_read() -> None:
    assert phones('Name;Mobil\n"Fa. "Koch" GmbH";0160111111\n') == ["0160111111"]


def test_quotes_can_mean_nothing() -> None:
    text = 'Zoll;Mobil\n"5;0160111111\n'
    assert phones(text, quotechar=None) == ["0160111111"]


def test_a_row_without_end_is_an_error_and_not_a_memory_leak() -> None:
    raw = b'Name;Mobil\nA;0160111111\nB;"' + b"0160222222\n" * 400_000
    source = read_csv(io.BytesIO(raw))
    tracemalloc.start()
    with pytest.raises(SourceError, match=r"quote left open|field larger") as caught:
        list(source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.line == 3
    assert peak < 8_000_000


def test_a_bad_byte_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"Name;Mobil\r\n" + b"A;0160111111\r\n" * 9998 + b"\xff;0160222222\r\n")
    with pytest.raises(SourceError, match="is not utf-8") as caught:
        list(read_csv(path, encoding="utf-8"))
    assert (caught.value.path, caught.value.line) == (str(path), 10_000)


def test_a_missing_an_empty_and_a_wrong_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.csv: cannot be opened"):
        read_csv(tmp_path / "gone.csv")
    with pytest.raises(SourceError, match="is empty"):
        read_csv(io.BytesIO(b"\n\n"))
    with pytest.raises(SourceError, match="a path or a file object is needed, not int"):
        read_csv(5)  # type: ignore[arg-type]


def test_a_separator_that_cannot_be_one_is_a_row() -> None:
    assert phones('sep="\n0160111111\n', header=True) == ["0160111111"]


def test_a_list_without_phones_is_told_with_the_line_of_its_header() -> None:
    with pytest.raises(SourceError, match="no column looks like phones") as caught:
        read_csv(io.BytesIO(b"\n\nx;y\na;b\n"))
    assert caught.value.line == 3


@pytest.mark.parametrize("options", [{"delimiter": ";;"}, {"quotechar": "ab"}])
def test_impossible_characters_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="single"):
        phones("Mobil\n0160111111\n", **options)


def test_text_files_and_strings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(TABLE, encoding="utf-8", newline="")
    with path.open(encoding="utf-8") as file:
        assert len(list(read_csv(file))) == 2
        assert not file.closed
    assert [p.a for p in read_csv(io.StringIO(TABLE), columns={"a": "Name"})][1] == "Łukasz"


def test_a_pipe_is_read_once() -> None:
    receiver, sender = os.pipe()
    with os.fdopen(receiver, "rb") as out, os.fdopen(sender, "wb") as into:
        feeder = threading.Thread(target=_feed, args=(into,))
        feeder.start()
        source = read_csv(out)
        assert not source.reopenable
        assert len(list(source)) == 50_000
        feeder.join()
        with pytest.raises(SourceError, match="cannot be read again"):
            list(source)


def _feed(into: io.BufferedWriter) -> None:
    with into:
        into.write(b"Mobil;Name\n" + b"0160111111;Anna\n" * 50_000)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"Name;Mobil\n" + b"Anna;01601234567\n" * 200_000)
    source = read_csv(path)
    tracemalloc.start()
    count = sum(1 for _ in source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 200_000
    assert peak < 1_000_000


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=8),
    delimiter=st.sampled_from(";,\t|"),
    ending=st.sampled_from(["\r\n", "\n", "\r"]),
)
def test_what_csv_writes_is_read_back(rows: list[list[str]], delimiter: str, ending: str) -> None:
    text = io.StringIO(newline="")
    # Before Python 3.13 a lone "\r" is quoted only where it is part of the line ending.
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL if ending == "\r\n" else csv.QUOTE_ALL
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending, quoting=quoting)
    writer.writerows(rows)
    raw = text.getvalue().encode("utf-8")
    source = read_csv(
        io.BytesIO(b"\xef\xbb\xbf" + raw),
        delimiter=delimiter,
        encoding="utf-8",
        header=False,
        columns={"phone": 1},
    )
    skipped = source.dialect.preamble
    assert [row.cells for row in source.rows()] == rows[skipped:]


@given(st.binary(max_size=300))
def test_whatever_the_bytes_only_our_error_with_a_line_is_raised(raw: bytes) -> None:
    fault = fault_of(lambda: read_csv(io.BytesIO(raw)))
    assert fault is None or fault.line is not None


def test_the_encoding_that_is_proposed_is_another_one() -> None:
    source = read_csv(io.BytesIO("Name;Mobil\nMüller;0171 1234560\n".encode("cp437")))
    with pytest.raises(SourceError, match=r"is not cp1252 .* such as 'cp850'"):
        list(source)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "idna"])
@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.vcf"])
def test_a_wrong_encoding_is_told_as_one(encoding: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    lines = {
        "x.csv": TABLE,
        "x.json": '[{"Mobil": "0171 1234560 \u00e4"}]',
        "x.vcf": "BEGIN:VCARD\r\nFN:\u00e4\r\nTEL;CELL:0171 1234560\r\nEND:VCARD\r\n",
    }
    path.write_text(lines[name], encoding="utf-8")
    with pytest.raises(SourceError, match=rf"is not {encoding} .*give its encoding") as caught:
        list(read(path, encoding=encoding))
    assert caught.value.line == 1


@pytest.mark.parametrize("columns", [None, {"phone": "Handy"}])
def test_no_error_repeats_the_list(columns: dict[str, str] | None) -> None:
    """In a wrong encoding a list is a single line: what looks like names is all of it."""
    rows = "".join(f"Anna;0171 {number}\n" for number in range(1_000_000, 1_005_000))
    for text, encoding in ((rows, "utf-16-le"), (rows.replace("\n", ";"), "utf-8")):
        with pytest.raises(SourceError) as caught:
            read_csv(io.BytesIO(text.encode()), encoding=encoding, columns=columns)
        assert len(str(caught.value)) < 4000
        assert "100123" not in str(caught.value)
