"""Results as CSV."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from asyncsdk.export.atomic import replacing
from asyncsdk.export.rows import COLUMNS, rows, unread
from asyncsdk.sources.inert import escape

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from asyncsdk.ledger.account import Only, UploadAccount

__all__ = ["write_csv"]


def write_csv(path: str | PathLike[str], account: UploadAccount, only: Only = None) -> int:
    """Write one row per result with a header; returns the number of results."""
    count = 0
    with replacing(path) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for count, row in enumerate(rows(account, only), 1):  # noqa: B007 - used after the loop
            writer.writerow(_inert(row))
        if (last := unread(account, only)) is not None:
            writer.writerow(_inert(map(last.get, COLUMNS)))
    return count


def _inert(row: Iterable[object]) -> list[object]:
    """Cells that no spreadsheet takes for a formula."""
    return [escape(cell) if isinstance(cell, str) else cell for cell in row]
