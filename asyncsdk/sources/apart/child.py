"""The child's side: it takes its bounds, reads what it was given, and dies with its parent."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import IO, TYPE_CHECKING, Any

import msgspec

from asyncsdk.errors import SourceError
from asyncsdk.sources.apart.frames import END, FAULT, GIVEN, LACKING, read_frame, write_frame
from asyncsdk.sources.foreign import foreign_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["serve"]


def serve(task: str) -> None:
    """Answer the one request that stands in the pipe, message by message.

    Args:
        task: The module of this package that reads.
    """
    pipe, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # a library that talks does not talk into the answers
    frame = read_frame(pipe)
    if frame is None:
        return
    request = msgspec.msgpack.decode(frame[1])
    _bound(request["memory"])
    try:
        with foreign_faults(None, lambda: 1), _opened(request["path"], pipe) as file:
            _live_with(pipe)
            for message in _messages(task, file, request):
                write_frame(answers, GIVEN, msgspec.msgpack.encode(message))
                answers.flush()
        write_frame(answers, END, b"")
    except SourceError as error:
        fault = {"message": error.message, "line": error.line, "sheet": error.sheet}
        write_frame(answers, FAULT, msgspec.msgpack.encode(fault))
    except ImportError as error:
        write_frame(answers, LACKING, (error.name or "").encode())
    answers.flush()
    os._exit(0)  # what threads a library left behind are not waited for


def _messages(task: str, file: IO[bytes], request: dict[str, Any]) -> Iterator[Any]:
    module = import_module(f"asyncsdk.sources.apart.{task}")
    options = {**request["options"], "max_bytes": request["max_bytes"]}
    try:
        yield from module.read(file, options)
    except MemoryError:
        os._exit(1)  # at once: what a library would tidy up may wait for a thread that died of it


def _opened(path: bytes | None, pipe: IO[bytes]) -> IO[bytes]:
    """The file, which is named, or comes through the pipe."""
    if path is not None:
        return open(os.fsdecode(path), "rb")  # noqa: PTH123 - the name may be no text
    held = io.BytesIO()
    while (frame := read_frame(pipe)) is not None and frame[0] == GIVEN:
        held.write(frame[1])
    held.seek(0)
    return held


def _bound(memory: int) -> None:
    """Where the system can: it counts for the threads of a library, too."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it would hold the list
    # Where memory runs short all the same, this is the process to end.
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:  # noqa: PTH123
        score.write("1000")


def _live_with(pipe: IO[bytes]) -> None:
    """Nothing more comes through the pipe: its end is that of the parent, and ours.

    A thread waits for it; where there are signals one is asked for, too, since a library may hold
    the interpreter, and with it every thread, for as long as it likes.
    """
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
        fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_ASYNC)  # SIGIO, which ends a process
    Thread(target=_die_with, args=(pipe,), daemon=True).start()


def _die_with(pipe: IO[bytes]) -> None:
    pipe.read(1)
    os._exit(1)
