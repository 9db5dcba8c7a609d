"""One function for every list: what it is, is found by looking at it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.sources.columns import Wanted
from asyncsdk.sources.csv import read_csv
from asyncsdk.sources.dialect import SAMPLE_SIZE
from asyncsdk.sources.excel import books
from asyncsdk.sources.formats import FORMATS, Format, recognised
from asyncsdk.sources.frames import is_frame, read_arrow, read_frame, read_parquet
from asyncsdk.sources.json import read_json
from asyncsdk.sources.many import ManySources
from asyncsdk.sources.opening import open_input
from asyncsdk.sources.vcards import read_vcards
from asyncsdk.sources.zipped import only_member
from asyncsdk.words import brief

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from asyncsdk.sources.columns import Column
    from asyncsdk.sources.questions import Question
    from asyncsdk.sources.table import Source, Table

__all__ = ["FORMATS", "Format", "named", "read"]

_STDIN = "-"


def read(
    source: str | os.PathLike[str] | IO[Any] | Sequence[str | os.PathLike[str]] | Any,
    *,
    format: Format | None = None,  # noqa: A002 - what everybody calls it
    columns: Mapping[str, Column] | None = None,
    names: Mapping[str, str] | None = None,
    country: str | int | None = None,
    ask: Callable[[Question], str | None] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    skip_lines: int = 0,
    quotechar: str | None = '"',
    sheet: str | Sequence[str] | None = None,
    hidden: str = "skip",
    send_unknown: bool = False,
    max_bytes: int | None = None,
) -> Source:
    """A contact list, whatever it is in, ready to be uploaded.

    Args:
        source: A path, a pattern (`lists/*.csv`), several of them as one list, `-` for standard
            input, a file object (it stays open), or a data frame. CSV, TSV, JSON, Excel,
            OpenDocument, tables in HTML, vCards, Parquet and Arrow are recognised, packed by gzip,
            zstd or zip or not.
        format: What the files are, if not as found.
        columns: Fields of `Phone` to column names or 1-based numbers, such as
            `{"phone": "Mobil", "a": "Anrede"}`. Only the phone's column is recognised by itself.
            `"Mobil,Telefon"` is the first of them that is filled, `"Vorwahl+Rufnummer"` both as one
            number, `"Telefon#2"` the second column of that name.
        names: What the group calls its columns (see `Group.columns`): such names may then be used
            as fields in `columns`.
        country: The column that says in which country each phone is: codes, calling codes or names.
            One that does so by its name and its cells is recognised by itself.
        ask: Who answers what a list leaves open, such as which of two columns has the phones: it is
            called with a `Question` and gives one of its answers, or None. Without it that is an
            `UndecidedError`.
        delimiter: Of CSV, the character between cells.
        encoding: Of CSV and JSON, as Python names it.
        header: Of CSV and spreadsheets, whether the first row names the columns.
        skip_lines: Of CSV and spreadsheets, how many lines there are above the table. A title that
            looks like one is left out by itself.
        quotechar: Of CSV, the character around cells that hold a delimiter; None if there is none.
        sheet: Of a spreadsheet, the name of the sheet, or several, or `"*"` for all that are
            visible and have phones. Without it, it is the one that does.
        hidden: Of a spreadsheet, what to do with rows that are hidden or filtered: `skip` or
            `send`.
        send_unknown: Of a rejects file, whether phones that may be in the group are sent, too.
        max_bytes: Bytes that a packed file may unpack to, and of memory that reading a spreadsheet,
            Parquet or Arrow may take; None for 2 GiB.

    Returns:
        An iterable, and async iterable, of phones: see `Source`.

    Raises:
        UndecidedError: Something must be chosen first; nothing is guessed.
        SourceError: A list cannot be read, is empty, lacks a column that `columns` names, or has
            none that looks like phones.
        ConfigurationError: An argument cannot work.
        ImportError: Something of the extra `files` is needed and not installed.
    """
    if format is not None and format not in FORMATS:
        msg = f"format must be one of {', '.join(FORMATS)}, not {brief(format)}"
        raise ConfigurationError(msg)
    options = {
        "columns": columns,
        "names": names,
        "country": country,
        "ask": ask,
        "delimiter": delimiter,
        "encoding": encoding,
        "header": header,
        "skip_lines": skip_lines,
        "quotechar": quotechar,
        "sheet": sheet,
        "hidden": hidden,
    }
    if is_frame(source):
        frame = read_frame(source, columns=columns, names=names, country=country, ask=ask)
        frame.send_unknown = send_unknown
        return frame
    parts = [
        part for place in named(source) for part in _read_one(place, format, max_bytes, options)
    ]
    for part in parts:
        part.send_unknown = send_unknown
    return parts[0] if len(parts) == 1 else ManySources(parts)


def named(source: Any) -> Sequence[Any]:
    """The files behind a path, a pattern, or several of them."""
    given = source if isinstance(source, Sequence) and not isinstance(source, str) else [source]
    found = [place for one in given for place in _expanded(one)]
    if not found:
        msg = "no file was named"
        raise SourceError(msg)
    return found


def _expanded(place: Any) -> list[Any]:
    if not isinstance(place, str):
        return [place]
    if place == _STDIN:
        return [sys.stdin.buffer]
    if not has_magic(place) or Path(place).exists():
        return [place]
    if found := sorted(path for path in glob(place, recursive=True) if Path(path).is_file()):  # noqa: PTH207 - patterns may be absolute
        return list(found)
    msg = "no file has such a name"
    raise SourceError(msg, path=place)


def _read_one(
    place: Any, kind: Format | None, max_bytes: int | None, options: dict[str, Any]
) -> Sequence[Table]:
    opened = open_input(place, SAMPLE_SIZE + 1, max_bytes)  # once: a pipe's head is read only once
    opened = opened if kind else only_member(opened)
    kind = kind or recognised(opened)
    if kind in {"excel", "html", "spreadsheetml"}:
        sheets = {name: options[name] for name in _SHEETS}
        return books(opened, _wanted(options), kind=kind, **sheets)
    read, names = _READERS[kind]
    return [read(opened, **{name: options[name] for name in (*_COLUMNS, *names)})]


def _wanted(options: Mapping[str, Any]) -> Wanted:
    return Wanted(**{name: options[name] for name in _COLUMNS})


_COLUMNS = ("columns", "names", "country", "ask")
_SHEETS = ("header", "skip_lines", "sheet", "hidden")
_CSV = ("delimiter", "encoding", "header", "skip_lines", "quotechar")
_READERS: dict[Format, tuple[Callable[..., Table], tuple[str, ...]]] = {
    "csv": (read_csv, _CSV),
    "json": (read_json, ("encoding",)),
    "parquet": (read_parquet, ()),
    "arrow": (read_arrow, ()),
    "vcard": (read_vcards, ("encoding",)),
}
"""What reads a single table of a format, and the options that it takes besides those of columns."""
