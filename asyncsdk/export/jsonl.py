"""Results as JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from asyncsdk.export.counting import Counting
from asyncsdk.export.rows import unread
from asyncsdk.files import replacing
from asyncsdk.wire.convert import unstructure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from asyncsdk.ledger.account import Only, UploadAccount

__all__ = ["write_jsonl"]


def write_jsonl(path: str | PathLike[str], account: UploadAccount, only: Only = None) -> int:
    """Write one JSON object per line and result; returns the number of results."""
    written = Counting(account.results(only))
    group = {} if account.group_id is None else {"group": account.group_id}
    with replacing(path) as file:
        for result in written:
            file.write(_line(unstructure(result) | group))
        if (last := unread(account, only)) is not None:
            file.write(_line(_unread(last) | group))
    return written.count


def _unread(row: Mapping[str, object]) -> dict[str, object]:
    known = {name: row[name] for name in ("index", "outcome", "delivery")}
    return known | {"error": {"detail": row["reason"]}}


def _line(value: dict[str, object]) -> str:
    return msgspec.json.encode(value).decode() + "\n"
