"""Where the row groups of a Parquet file are, by its footer.

The footer is a struct of Thrift's compact protocol (github.com/apache/thrift, doc/specs), and
parquet.thrift (github.com/apache/parquet-format) says what its fields are.
"""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["RowGroup", "RowGroups", "row_groups"]

_MAGIC = b"PAR1"
_TAIL = struct.Struct("<I4s")
_MOST = 1 << 26
"""Bytes of a footer at most."""
_DEEPEST = 16
"""Structs within each other at most."""


@frozen
class RowGroup:
    """Rows of a file that stand together."""

    rows: int
    start: int
    """The first of its bytes, and the one behind its last."""
    end: int


@frozen
class RowGroups:
    """All of them, in their order."""

    groups: tuple[RowGroup, ...]
    footer: int
    """The first byte of the footer, which goes to the end of the file."""


def row_groups(file: IO[bytes]) -> RowGroups | None:
    """The row groups of a file; None where it is no such file, or one that cannot be cut.

    Args:
        file: Can be read anywhere.
    """
    try:
        end = file.seek(-_TAIL.size, 2)
        length, magic = _TAIL.unpack(file.read(_TAIL.size))
        if magic != _MAGIC or length > min(end, _MOST):
            return None
        begin = file.seek(end - length)
        found = _Compact(file.read(length)).struct()
        groups = tuple(_group(one) for one in found[_ROW_GROUPS])
    except (OSError, LookupError, TypeError, ValueError, struct.error):
        return None
    return RowGroups(groups, begin) if _in_order(groups, begin) else None


_ROW_GROUPS = 4
_COLUMNS, _ROWS = 1, 3
"""Fields of a row group."""
_META = 3
_COMPRESSED, _DATA, _DICTIONARY = 7, 9, 11
"""Fields of what is said of a column: bytes it takes, and where they are."""


def _group(found: Mapping[int, Any]) -> RowGroup:
    columns = [column[_META] for column in found[_COLUMNS]]
    starts = [min(filter(None, (one[_DATA], one.get(_DICTIONARY)))) for one in columns]
    ends = [start + one[_COMPRESSED] for start, one in zip(starts, columns, strict=True)]
    return RowGroup(found[_ROWS], min(starts), max(ends))


def _in_order(groups: tuple[RowGroup, ...], footer: int) -> bool:
    """Whether they stand one after the other before the footer."""
    at = len(_MAGIC)
    for group in groups:
        if not (at <= group.start <= group.end and group.rows >= 0):
            return False
        at = group.end
    return at <= footer


class _Compact:
    """Reads values one after the other.

    Raises:
        ValueError: From any method: there are none.
    """

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0
        self._depth = 0
        self._kinds: dict[int, Callable[[], Any]] = {
            **dict.fromkeys((_TRUE, _FALSE, 3), self._byte),  # flags of a list have a byte each
            **dict.fromkeys((4, 5, 6), self._signed),
            7: lambda: self._bytes(8),
            8: lambda: self._bytes(self._unsigned()),
            9: self._list,
            12: self.struct,
        }

    def struct(self) -> dict[int, Any]:
        """The fields of a struct, by their numbers."""
        self._depth += 1
        if self._depth > _DEEPEST:
            msg = "it is nested too deep"
            raise ValueError(msg)
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            kind = head & _LOW
            number = number + (head >> 4) if head >> 4 else self._signed()
            fields[number] = kind == _TRUE if kind in {_TRUE, _FALSE} else self._kinds[kind]()
        self._depth -= 1
        return fields

    def _list(self) -> list[Any]:
        head = self._byte()
        size = self._unsigned() if head >> 4 == _LOW else head >> 4
        if size > len(self._raw):
            msg = "it has more values than bytes"
            raise ValueError(msg)
        read = self._kinds[head & _LOW]
        return [read() for _ in range(size)]

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _bytes(self, count: int) -> bytes:
        found = self._raw[self._at : self._at + count]
        if len(found) < count:
            msg = "it is cut short"
            raise ValueError(msg)
        self._at += count
        return found

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & (_MORE - 1)) << shift
            shift += 7
            if byte < _MORE:
                return value

    def _signed(self) -> int:
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)


_TRUE, _FALSE = 1, 2
_LOW = 15
"""The half of a byte that says of what kind a value is; in the other one: that a size follows."""
_MORE = 128
"""The bit that says that more bytes of a number follow."""
