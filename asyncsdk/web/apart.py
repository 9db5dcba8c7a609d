"""Work on a whole list, in a process of its own.

Reading a million rows takes the processor for half a minute: in a thread it would hold up every
request of its worker, by the interpreter's lock, and leave its memory behind. A process that dies
of a list, or is not needed any more, takes nothing with it.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import frozen

from asyncsdk.processes import away_from_the_terminal, environment, python
from asyncsdk.web.errors import FileRefusedError, JobError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Answer", "Order", "run_apart"]

_START = "import sys; sys.path[:] = sys.argv[1:]; from asyncsdk.web.child import main; main()"
_LONGEST = 1 << 22
"""Bytes of an answer."""


@frozen(kw_only=True)
class Order:
    """What the process is to do, fit for JSON."""

    task: str
    """A name in `asyncsdk.web.child`."""
    given: dict[str, Any]


@frozen(kw_only=True)
class Answer:
    """A line that it answers: how far it is, how it ended, or why it could not."""

    rows: int | None = None
    result: Any = None
    error: str | None = None


async def run_apart(task: str, given: dict[str, Any], heard: Callable[[int], None]) -> Any:
    """What a task gives.

    Args:
        task: Its name in `asyncsdk.web.child`.
        given: Its arguments, fit for JSON.
        heard: Is called with how far it is.

    Raises:
        FileRefusedError: The task says so; its message says why.
        JobError: Its process died, or cannot be started.
    """
    process = await _started()
    try:
        assert process.stdin is not None, "it was started with pipes"
        assert process.stdout is not None, "likewise"
        with suppress(ConnectionError):  # what it died of is told below
            process.stdin.write(msgspec.json.encode(Order(task=task, given=given)) + b"\n")
            await process.stdin.drain()
        async for line in process.stdout:
            answer = msgspec.json.decode(line, type=Answer)
            if answer.error is not None:
                raise FileRefusedError(answer.error)
            if answer.rows is None:
                return answer.result
            heard(answer.rows)
        msg = "reading the list took more memory or time than it may: save it as CSV, or split it"
        raise FileRefusedError(msg)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _started() -> asyncio.subprocess.Process:
    interpreter = python()
    if interpreter is None:
        msg = (
            "lists are read by a process of their own, and this program has no Python to start one "
            "with: name one by multiprocessing.set_executable"
        )
        raise JobError(msg)
    return await asyncio.create_subprocess_exec(
        interpreter,
        "-P",
        "-c",
        _START,
        *sys.path,
        stdin=asyncio.subprocess.PIPE,  # it stays open: it tells the child that we live
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # what a library says there may quote cells
        env=environment(),
        limit=_LONGEST,
        **away_from_the_terminal(),
    )
