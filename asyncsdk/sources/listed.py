"""Rows that a program has at hand, as a list whose rows and columns can be written down."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from asyncsdk.errors import ConfigurationError
from asyncsdk.models import FIELDS, Phone
from asyncsdk.places import ROW
from asyncsdk.sources.cells import text_of
from asyncsdk.sources.frames import is_frame, read_frame
from asyncsdk.sources.picking import ColumnChoice
from asyncsdk.sources.table import Row, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ListSource", "source_of"]


def source_of(given: object) -> Source:
    """What was uploaded, as a list that is read once more.

    Args:
        given: A source, a data frame, or an iterable of rows of any kind that an upload takes.

    Raises:
        ConfigurationError: It can be read only once, or is no list of rows.
    """
    if isinstance(given, Source):
        return given
    if is_frame(given):
        return read_frame(given)
    if isinstance(given, (str, bytes, PathLike, Mapping)):
        msg = (
            f"a list of rows is needed, not a single {type(given).__name__}: give the list that "
            "was uploaded, or of a file what asyncsdk.sources.read made of it"
        )
        raise ConfigurationError(msg)
    if not isinstance(given, Iterable):
        kind = "an async source" if isinstance(given, AsyncIterable) else "no list of rows"
        raise ConfigurationError(_once(given, f"is {kind}"))
    if iter(given) is given:
        raise ConfigurationError(_once(given, "can be read only once, and the upload did that"))
    return ListSource(given)


def _once(given: object, why: str) -> str:
    return (
        f"the rows are needed once more, but this {type(given).__name__} {why}: give a list of the "
        "same rows, or upload a file by asyncsdk.sources.read and give that"
    )


class ListSource(Source):
    """Rows of any kind that an upload takes; a row's line is its number, from 1.

    Args:
        rows: Can be iterated more than once.
    """

    path: str | None = None
    unit: str = ROW
    reopenable: bool = True

    def __init__(self, rows: Iterable[object]) -> None:
        self._rows = rows
        names = dict.fromkeys(name for row in rows for name in _fields(row))
        self.columns: tuple[str, ...] = tuple(names)
        self.mapping: dict[str, ColumnChoice] = {
            name: ColumnChoice(name, self.columns.index(name), "")
            for name in FIELDS
            if name in names
        }

    def __repr__(self) -> str:
        return f"ListSource({len(self.columns)} columns)"

    def rows(self) -> Iterator[Row]:
        """The rows as texts, in order; what a row lacks is empty."""
        for index, row in enumerate(self._rows):
            fields = _fields(row)
            cells = [_text(fields.get(name)) for name in self.columns]
            yield Row(index, index + 1, cells, mapping=self.mapping, unit=self.unit)

    def __iter__(self) -> Iterator[Phone]:
        for row in self._rows:
            texts = {name: _text(value) for name, value in _fields(row).items()}
            phone, *others = (texts.get(name) for name in FIELDS)
            yield Phone(phone or "", *(text or None for text in others))


def _text(value: object) -> str:
    """A cell as a text; a value that has none is named by its type."""
    try:
        return text_of(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _fields(row: object) -> Mapping[str, Any]:
    """A row as names and values; one that cannot be read has none."""
    if isinstance(row, str):
        return {"phone": row.rstrip("\r\n")}
    if isinstance(row, Phone):
        values = {name: getattr(row, name) for name in FIELDS}
        return {name: value for name, value in values.items() if value is not None}
    try:
        known: Any = getattr(row, "_mapping", row)  # SQLAlchemy keeps the names of a row there
        names = known.keys()  # a sqlite3.Row would give its values
        return {str(name): known[name] for name in names}
    except Exception:
        return {}
