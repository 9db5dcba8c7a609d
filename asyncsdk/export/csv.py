"""Results as CSV."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from asyncsdk.export.counting import Counting
from asyncsdk.export.rows import COLUMNS, rows, unread
from asyncsdk.files import replacing
from asyncsdk.sources.inert import escape

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from asyncsdk.ledger.account import Only, UploadAccount

__all__ = ["write_csv"]


def write_csv(path: str | PathLike[str], account: UploadAccount, only: Only = None) -> int:
    """Write one row per result with a header; returns the number of results."""
    written = Counting(rows(account, only))
    with replacing(path) as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(COLUMNS)
        writer.writerows(map(_inert, written))
        if (last := unread(account, only)) is not None:
            writer.writerow(_inert(map(last.get, COLUMNS)))
    return written.count


def _inert(row: Iterable[object]) -> list[object]:
    """Cells that no spreadsheet takes for a formula."""
    return [escape(cell) if isinstance(cell, str) else cell for cell in row]
