"""The other side of `asyncsdk.web.apart`: does one thing with a list, and dies with its parent."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import msgspec

from asyncsdk.config import Rate
from asyncsdk.errors import AsyncSDKError
from asyncsdk.web.apart import Answer, Order
from asyncsdk.web.checking import check
from asyncsdk.web.job import Choices
from asyncsdk.web.making import make
from asyncsdk.web.reading import opened
from asyncsdk.web.receiving import Limits
from asyncsdk.web.results import lines

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["main"]

_NICE = 5
"""Whoever waits for a page goes before whoever waits for a list."""


def main() -> None:
    """Do what stands in the first line of standard input, and answer on standard output."""
    with suppress(OSError, AttributeError):
        os.nice(_NICE)
    answers, sys.stdout = sys.stdout, sys.stderr  # a library that talks does not talk in between
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    Thread(target=_live_with_parent, daemon=True).start()

    def answer(value: Answer) -> None:
        answers.buffer.write(msgspec.json.encode(value) + b"\n")
        answers.buffer.flush()

    try:
        result = _TASKS[order.task](order.given, lambda rows: answer(Answer(rows=rows)))
        answer(Answer(result=result))
    except (AsyncSDKError, ImportError) as error:
        answer(Answer(error=str(error)))
    except OSError as error:
        answer(Answer(error=f"the file cannot be read or written: {error.strerror or error}"))
    os._exit(0)  # what threads a library left behind are not waited for


def _check(given: dict[str, Any], heard: Callable[[int], None]) -> object:
    return asyncio.run(
        check(
            Path(given["path"]),
            given["name"],
            msgspec.convert(given["choices"], Choices),
            msgspec.convert(given["limits"], Limits),
            rate=msgspec.convert(given["rate"], Rate | None),
            settings=given["settings"],
            heard=heard,
        )
    )


def _make(given: dict[str, Any], _: Callable[[int], None]) -> None:
    make(
        given["kind"],
        Path(given["target"]),
        journal=Path(given["journal"]),
        path=Path(given["path"]),
        name=given["name"],
        choices=msgspec.convert(given["choices"], Choices),
        max_bytes=given["max_bytes"],
        group=given["group"],
    )


def _lines(given: dict[str, Any], _: Callable[[int], None]) -> object:
    choices = msgspec.convert(given["choices"], Choices)
    source = opened(Path(given["path"]), given["name"], choices, given["max_bytes"])
    return lines(source, given["indices"])


_TASKS: dict[str, Callable[[dict[str, Any], Callable[[int], None]], object]] = {
    "check": _check,
    "lines": _lines,
    "make": _make,
}


def _live_with_parent() -> None:
    """End when the pipe does, whatever else is going on."""
    sys.stdin.buffer.read()
    os._exit(1)
