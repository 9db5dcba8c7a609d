"""A character set that somebody names is one of texts, and takes linear time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.charsets import charset_of


@pytest.mark.parametrize(
    ("name", "known"),
    [
        *(("UTF-8", "utf_8"), ("utf8", "utf_8"), (" iso-8859-1 ", "latin_1"), ("L1", "latin_1")),
        *(("windows-1252", "cp1252"), ("cp1252", "cp1252"), ("Shift_JIS", "shift_jis")),
        *(("GB2312", "gb2312"), ("koi8-r", "koi8_r"), ("us-ascii", "ascii")),
    ],
)
def test_names_of_character_sets(name: str, known: str) -> None:
    assert charset_of(name) == known
    assert "a".encode(known).decode(known) == "a"


@pytest.mark.parametrize(
    "name", ["", "klingon", "punycode", "idna", "hex", "base64", "rot13", "unicode_escape", "a\0b"]
)
def test_names_of_something_else(name: str) -> None:
    assert charset_of(name) is None


@given(st.text())
def test_any_other_text(name: str) -> None:
    assert charset_of(name) is None or "".encode(charset_of(name) or "") is not None
