"""What a vCard says of its encoding may not be so: its numbers are read all the same."""

from __future__ import annotations

import base64
import io
import quopri
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.errors import SourceError
from asyncsdk.sources import read_vcards
from asyncsdk.sources.contentlines import content_line, parts_of, unfolded
from tests.hostile.child import bounded

if TYPE_CHECKING:
    from pathlib import Path

A, B = "+491711234567", "+491711234568"
FN = b"FN;CHARSET=%s;ENCODING=QUOTED-PRINTABLE:%s"


def cards(*lines: bytes) -> bytes:
    """One with these lines, and one in which all is well."""
    first = [b"BEGIN:VCARD", b"VERSION:2.1", *lines, b"TEL;CELL:" + A.encode(), b"END:VCARD"]
    second = [b"BEGIN:VCARD", b"VERSION:3.0", b"FN:Bo", b"TEL;TYPE=CELL:" + B.encode()]
    return b"\r\n".join([*first, *second, b"END:VCARD", b""])


def names(raw: bytes, encoding: str | None = None) -> list[str]:
    """The names, where all the numbers are there."""
    source = read_vcards(io.BytesIO(raw), encoding=encoding)
    assert [phone.phone for phone in source] == [A, B]
    return [row.cells[0] for row in source.rows()]


CYRILLIC = "Юрген"
DECLARED: dict[str, tuple[bytes | str, str]] = {
    "as it is": (FN % (b"UTF-8", b"J=C3=BCrgen"), "Jürgen"),
    "code page": (FN % (b"ISO-8859-1", b"J=FCrgen"), "Jürgen"),
    "not utf-8": (FN % (b"UTF-8", b"J=FCrgen"), "Jürgen"),
    "utf-8 all the same": (FN % (b"ISO-8859-1", b"J=C3=BCrgen"), "Jürgen"),
    "wide": (FN % (b"Shift_JIS", quopri.encodestring("山田".encode("shift_jis"))), "山田"),
    "not wide": (FN % (b"UTF-16", b"J=C3=BCrgen"), "Jürgen"),
    "unknown": (FN % (b"klingon", b"J=FCrgen"), "Jürgen"),
    "no text": (FN % (b"hex", b"J=FCrgen"), "Jürgen"),
    "with a NUL": (FN % (b"utf\x008", b"J=FCrgen"), "Jürgen"),
    "empty": (FN % (b"", b"J=FCrgen"), "Jürgen"),
    "none": (b"FN;QUOTED-PRINTABLE:J=FCrgen", "Jürgen"),
    "eight bits": ("FN;CHARSET=windows-1251:" + CYRILLIC, CYRILLIC),
    "eight bits of utf-8": ("FN;CHARSET=ISO-8859-1:Jürgen".encode(), "Jürgen"),
    "eight bits, not utf-8": (b"FN;CHARSET=UTF-8:J\xfcrgen", "Jürgen"),
    "eight bits of what is not known": (b"FN;CHARSET=klingon:J\xfcrgen", "Jürgen"),
    "eight bits that say so": (b"FN;ENCODING=8BIT:J\xfcrgen", "Jürgen"),
    "hex digits that are none": (FN % (b"UTF-8", b"J=ZZrg=F"), "J=ZZrg=F"),
    "two lines": (FN % (b"UTF-8", b"J=C3=\r\n=BCrgen"), "Jürgen"),
    "a line that does not go on": (FN % (b"UTF-8", b"J=C3=BCrgen="), "Jürgen"),
    "base64": (b"FN;ENCODING=BASE64:" + base64.b64encode("Jürgen".encode()), "Jürgen"),
    "of a code page": (b"FN;CHARSET=latin1;ENCODING=b:" + base64.b64encode(b"J\xfcrgen"), "Jürgen"),
    "base64 without its end": (b"FN;ENCODING=b:SsO8cmdlbg", "Jürgen"),
    "base64 that is none": (b"FN;ENCODING=b:J\xc3\xbcrgen", "Jürgen"),
    "base64 that lacks a digit": (b"FN;BASE64:Jorge", "Jorge"),
    "another encoding": (b"FN;ENCODING=x-uuencode:Jorge", "Jorge"),
    "both names": (
        b"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=FCller;J=FCrgen;;;",
        "Jürgen Müller",
    ),
    "something else broken": (b"NOTE;ENCODING=BASE64:%%%%\r\nFN:Jorge", "Jorge"),
}


@pytest.mark.parametrize("kind", DECLARED)
def test_an_encoding_that_is_not_that_of_the_bytes(kind: str) -> None:
    line, name = DECLARED[kind]
    raw = line.encode("cp1251") if isinstance(line, str) else line
    assert names(cards(raw)) == [name, "Bo"]


def test_a_number_may_be_encoded_too() -> None:
    raw = cards(b"TEL;WORK;ENCODING=QUOTED-PRINTABLE:=2B49=20171", b"TEL;HOME;ENCODING=b:KzQ5MTcx")
    source = read_vcards(io.BytesIO(raw))
    assert next(row.cells[2:] for row in source.rows()) == ["+49 171", "+49171", A]


@pytest.mark.parametrize("line", [b"Anna", b"TEL;CELL", b'TEL;TYPE="CELL:0171', b";:", b":x"])
def test_what_is_no_line_is_named_by_its_own(line: bytes) -> None:
    with pytest.raises(SourceError, match="is no line of a vCard") as caught:
        names(cards(b"NOTE:a", b" b", line))
    assert caught.value.line == 5


def test_what_is_within_a_card_is_not_of_it() -> None:
    inner = b"BEGIN:VEVENT\r\nTEL;CELL:0\r\nFN:No\r\nEND:VEVENT"
    assert names(cards(inner, b"FN:Anna")) == ["Anna", "Bo"]


def test_a_picture_longer_than_any_line() -> None:
    picture = b"PHOTO;ENCODING=b:" + b"QUJD" * (1 << 19)
    assert names(cards(picture, b"FN:Anna")) == ["Anna", "Bo"]


def test_commas_part_no_name_and_no_number() -> None:
    raw = cards(b"FN:Beck, Anna", rb"ORG:Beck\; Co;Vertrieb").replace(A.encode(), b"0171 1,0171 2")
    row = next(iter(read_vcards(io.BytesIO(raw)).rows()))
    assert row.cells[:3] == ["Beck, Anna", "Beck; Co Vertrieb", "0171 1,0171 2"]


@given(st.lists(st.text(alphabet="ab;\\,n:\n\u00fc"), min_size=1, max_size=5))
def test_parts_are_found_again(parts: list[str]) -> None:
    def escaped(text: str) -> str:
        for char in "\\;,":
            text = text.replace(char, f"\\{char}")
        return text.replace("\n", r"\n")

    assert parts_of(";".join(map(escaped, parts))) == [part.strip() for part in parts]


@given(
    st.sampled_from(["utf-8", "cp1252", "shift_jis", "utf-16", "koi8-r"]),
    st.sampled_from(["QUOTED-PRINTABLE", "B", "8BIT"]),
    st.binary(max_size=40),
)
def test_no_bytes_are_too_odd(charset: str, encoding: str, raw: bytes) -> None:
    head = f"FN;CHARSET={charset};ENCODING={encoding}:"
    line = content_line(head + raw.decode("latin-1"), "cp1252")
    assert line is not None
    assert (line.name, encoding in line.words) == ("FN", True)
    assert list(unfolded(["a:b\r\n", " c\r\n", "\r\n", "d:\n"])) == [(0, "a:bc"), (3, "d:")]


READING = """
import sys
from asyncsdk.errors import SourceError
from asyncsdk.sources import read
try:
    print(read(sys.argv[1], columns={"phone": "Mobile"}).count())
except SourceError as error:
    print(error)
"""
LONG = 1 << 21
ENDLESS = {
    "parameters": b"TEL;X=" + b"," * 40 + b'"',
    "names": b"TEL" + b";X" * (LONG // 2) + b'"',
    "values": b"TEL;TYPE=" + b'"a",' * (LONG // 4) + b":1",
    "quotes": b"TEL" + b';X="' * (LONG // 4),
    "escapes": b"N:" + b"\\;" * (LONG // 2),
    "parts": b"N:" + b";" * LONG,
    "folds": b"NOTE:a" + b"\r\n b" * (LONG // 4),
    "soft breaks": b"NOTE;QUOTED-PRINTABLE:=" + b"\r\n=" * (LONG // 3),
    "blanks": b" " * LONG + b":",
    "unknown": b"".join(b"FN;CHARSET=x%d:\xfc\r\n" % at for at in range(LONG // 20)),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_no_line_takes_more_than_linear_time(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "list.vcf"
    path.write_bytes(cards(ENDLESS[kind]))
    said = bounded(READING, path, seconds=10)
    assert said == "2\n" or "is no line of a vCard" in said or "does not end" in said
