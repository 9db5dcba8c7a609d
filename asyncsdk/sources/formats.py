"""What a file is, by its first bytes, its name and its first character; and what is no list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, get_args

from asyncsdk.errors import SourceError
from asyncsdk.sources.opening import head_of

if TYPE_CHECKING:
    from asyncsdk.sources.opening import Input

__all__ = ["FORMATS", "Format", "recognised"]

Format = Literal["csv", "json", "excel", "parquet", "arrow", "vcard", "html", "spreadsheetml"]
FORMATS: tuple[str, ...] = get_args(Format)

_HEAD = 4096
_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),  # a stream
    (b"PK\x03\x04", "excel"),  # .xlsx and .ods are zip archives
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "excel"),  # .xls
)
_LIST = "export the contacts as CSV or Excel from the program that they are in"
_UNPACK = "unpack it, and give what is in it"
_TEXT = "save the list as CSV or Excel"
_NO_LISTS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF", _LIST),
    (b"\x89PNG", "an image (PNG)", _LIST),
    (b"\xff\xd8\xff", "an image (JPEG)", _LIST),
    (b"GIF8", "an image (GIF)", _LIST),
    (b"II*\x00", "an image (TIFF)", _LIST),
    (b"MM\x00*", "an image (TIFF)", _LIST),
    (b"SQLite format 3\x00", "a database (SQLite)", _LIST),
    (b"\x00\x01\x00\x00Standard Jet DB", "a database (Access)", _LIST),
    (b"\x00\x01\x00\x00Standard ACE DB", "a database (Access)", _LIST),
    (b"!BDN", "an Outlook data file", _LIST),
    (b"{\\rtf", "a text document (RTF)", _TEXT),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ", "an xz archive", _UNPACK),
    (b"PK\x05\x06", "an archive with nothing in it", _LIST),
    (b"\x1f\x8b", "packed twice", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "packed twice", _UNPACK),
    (b"-----BEGIN PGP", "encrypted (PGP)", "decrypt it first"),
    (b"MIME-Version:", "a web archive or an e-mail", _TEXT),
    (b"\x7fELF", "a program", _LIST),
    (b"MZ\x90", "a program", _LIST),
)
_TAR = slice(257, 262)
"""Where an archive of tar says that it is one."""
_IMAGES = re.compile(
    rb"RIFF....WEBP|....ftyp(?:heic|heix|mif1|avif)|BM....\x00\x00\x00\x00", re.DOTALL
)
_IN_ARCHIVES: tuple[tuple[bytes, str], ...] = (
    (b"word/", "a Word document"),
    (b"ppt/", "a presentation"),
    (b"Index/Document.iwa", "an Apple document"),
    (b"mimetypeapplication/vnd.oasis.opendocument.text", "a text document"),
    (b"mimetypeapplication/epub", "a book"),
)
_JSON_NAMES = (".json", ".jsonl", ".ndjson")
_TEXT_NAMES = (".csv", ".tsv", ".txt", ".tab")
_HTML = re.compile(rb"<(?:!doctype\s+html|html|table|head|body|meta|div)\b", re.IGNORECASE)
_FLAT = b"urn:oasis:names:tc:opendocument"
_WORKBOOK_2003 = b"urn:schemas-microsoft-com:office:spreadsheet"
_JSON = (b"{", b"[{", b'["', b"[\n", b"[ ", b"[\r")
_JSON_NUMBERS = re.compile(rb"\[\s*[+\d\"]")


def recognised(source: Input) -> Format:
    """The format of a file: by the first bytes where they tell, then by the name, then by a look.

    Raises:
        SourceError: It is something that is no list, which is named.
    """
    with source.peeking() as file:
        head = head_of(file, _HEAD)
    _refuse(head, source.name)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    text = _plain(head).lstrip()
    if (marked := _marked_up(text, source.name)) is not None:
        return marked
    name = (source.name or "").lower().removesuffix(".gz").removesuffix(".zst")
    if name.endswith(_JSON_NAMES):
        return "json"
    if name.endswith(_TEXT_NAMES):
        return "csv"
    return "json" if text.startswith(_JSON) or _JSON_NUMBERS.match(text) else "csv"


def _plain(head: bytes) -> bytes:
    """The beginning of a text in one byte a character, whatever its encoding."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[2:].replace(b"\x00", b"")
    return head.removeprefix(b"\xef\xbb\xbf")


def _refuse(head: bytes, path: str | None) -> None:
    for magic, what, instead in _NO_LISTS:
        if head.startswith(magic):
            _raise(what, instead, path)
    if _IMAGES.match(head):
        _raise("an image", _LIST, path)
    if head[_TAR].startswith(b"ustar"):
        _raise("a tar archive", _UNPACK, path)
    if head.startswith(b"PK\x03\x04"):
        for mark, what in _IN_ARCHIVES:
            if mark in head:
                _raise(what, _TEXT, path)


def _marked_up(text: bytes, path: str | None) -> Format | None:
    """What a text that is no table of its own is: cards, HTML, XML."""
    if text[:11].upper() == b"BEGIN:VCARD":
        return "vcard"
    if _HTML.match(text):
        return "html"
    if not text.startswith(b"<?xml"):
        return None
    if _WORKBOOK_2003 in text:
        return "spreadsheetml"
    if _FLAT in text:
        _raise("a flat OpenDocument file", "save it as .ods", path)
    if _HTML.search(text):
        return "html"
    _raise("an XML file that is no workbook", _TEXT, path)
    return None


def _raise(what: str, instead: str, path: str | None) -> None:
    msg = f"is {what}, no list of contacts: {instead}"
    raise SourceError(msg, path=path)
