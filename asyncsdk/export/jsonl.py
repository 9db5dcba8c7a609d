"""Results as JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from asyncsdk.export.atomic import replacing
from asyncsdk.wire.convert import unstructure

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from asyncsdk.results import PhoneResult

__all__ = ["write_jsonl"]


def write_jsonl(path: str | PathLike[str], results: Iterable[PhoneResult]) -> int:
    """Write one JSON object per line and result; returns the number of lines."""
    count = 0
    with replacing(path) as file:
        for count, result in enumerate(results, 1):  # noqa: B007 - used after the loop
            file.write(msgspec.json.encode(unstructure(result)).decode())
            file.write("\n")
    return count
