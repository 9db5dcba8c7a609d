"""Results as JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from asyncsdk.export.atomic import replacing
from asyncsdk.export.besides import UNREAD
from asyncsdk.results import Delivery
from asyncsdk.wire.convert import unstructure

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from asyncsdk.export.besides import Besides
    from asyncsdk.results import PhoneResult

__all__ = ["write_jsonl"]


def write_jsonl(path: str | PathLike[str], results: Iterable[PhoneResult], besides: Besides) -> int:
    """Write one JSON object per line and result; returns the number of results."""
    count = 0
    group = {} if besides.group_id is None else {"group": besides.group_id}
    with replacing(path) as file:
        for count, result in enumerate(results, 1):  # noqa: B007 - used after the loop
            file.write(_line(unstructure(result) | group))
        if besides.unread_from is not None:
            file.write(_line(_unread(besides) | group))
    return count


def _unread(besides: Besides) -> dict[str, object]:
    return {
        "index": besides.unread_from,
        "outcome": UNREAD,
        "delivery": Delivery.NOT_SENT.value,
        "error": {"detail": besides.reason},
    }


def _line(value: dict[str, object]) -> str:
    return msgspec.json.encode(value).decode() + "\n"
