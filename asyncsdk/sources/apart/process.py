"""Our side of a child process that reads a file: it is bounded, and it never outlives us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import frozen

from asyncsdk.errors import SourceError
from asyncsdk.places import ROW
from asyncsdk.processes import away_from_the_terminal, environment, python
from asyncsdk.sources.apart.frames import END, FAULT, GIVEN, LACKING, read_frame, write_frame
from asyncsdk.sources.opening import FileInput

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from typing import IO

    from asyncsdk.sources.opening import Input

__all__ = ["Bounds", "apart"]

_START = """
import sys, types
home, task, *sys.path[:] = sys.argv[1:]
for name, at in (("asyncsdk", home), ("asyncsdk.sources", home + "/sources")):
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [at]
from asyncsdk.sources.apart.child import serve
serve(task)
"""
# The packages stand there without what their `__init__` imports, which the child has no use for:
# that would cost 0.3 seconds. What is `__main__` here is none of its business.
_HOME = Path(__file__).parents[2]
_PIECE = 1 << 20
_OFTEN = 0.02
"""Seconds between two looks at a child."""
_LEAST_MEMORY = 1 << 28
_THREADS = "4"
"""Of polars: each asks for address space, which is bounded, and we wait for one row at a time."""
_READS = {
    "sheets": "spreadsheets",
    "tables": "Parquet and Arrow",
    "markup": "tables in HTML and XML",
}
_INSTEAD = "save it as CSV with the program that it comes from"


@frozen(kw_only=True)
class Bounds:
    """What a child may use."""

    max_bytes: int
    """Bytes that the file may unpack to; as many bytes of memory, but at least 256 MiB."""
    base: int = 0
    """Bytes of address space that the library asks for before it reads anything."""
    patience: float = 120.0
    """Seconds that it may take from one message to the next."""

    @property
    def memory(self) -> int:
        """Bytes of address space."""
        return self.base + self.resident

    @property
    def resident(self) -> int:
        """Bytes of memory that it fills."""
        return max(self.max_bytes, _LEAST_MEMORY)


@contextmanager
def apart(
    task: str, needed: str, source: Input, options: Mapping[str, Any], bounds: Bounds
) -> Iterator[Iterator[Any]]:
    """The messages of a task that runs in a child process; leaving the block ends that process.

    Args:
        task: The module of this package that reads.
        needed: The library that it needs, which the extra `files` brings.
        source: What to read.
        options: Plain values for the task.
        bounds: What it may use.

    Raises:
        SourceError: The task says so, or it died or took too long: the message says what to do.
        ImportError: The library is not installed.
    """
    if find_spec(needed) is None:
        raise _lacking(task, needed)
    child = _Child(task, source.name, bounds)
    try:
        with child.feeding():
            child.send(msgspec.msgpack.encode(_request(source, options, bounds)))
            if not _named(source):
                child.send_file(source)
        with closing(child.messages(needed)) as messages:
            yield messages
    finally:
        child.end()


def _named(source: Input) -> bool:
    """Whether the child can open the file by itself; else it is sent what is in it."""
    return isinstance(source, FileInput) and not source.packed


def _request(source: Input, options: Mapping[str, Any], bounds: Bounds) -> dict[str, Any]:
    path, mapped = None, 0
    if isinstance(source, FileInput) and _named(source):
        path = os.fsencode(source.path)
        mapped = source.path.stat().st_size  # a library may map it: that takes no memory
    return {
        "path": path,
        "options": dict(options),
        "memory": bounds.memory + mapped,
        "max_bytes": bounds.max_bytes,
    }


class _Watch:
    """Ends a process that keeps us waiting for too long, or that holds too much memory.

    What the system itself can bound is address space, of which libraries ask for more than they
    use: polars for 2 GiB.
    """

    def __init__(self, process: subprocess.Popen[bytes], bounds: Bounds) -> None:
        self._process = process
        self._bounds = bounds
        self._until: float | None = None
        """When we shall have waited for too long; None while we do not wait."""
        self._over = Event()
        self.late = False
        """Whether it was ended because it kept us waiting."""
        Thread(target=self._look, name="asyncsdk-watch", daemon=True).start()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While the process is to do something."""
        self._until = time.monotonic() + self._bounds.patience
        try:
            yield
        finally:
            self._until = None

    def end(self) -> None:
        """There is nothing to be watched any more."""
        self._over.set()

    def _look(self) -> None:
        while not self._over.wait(_OFTEN):
            until = self._until
            if until is not None and time.monotonic() > until:
                self.late = True
                self._process.kill()
            elif _resident(self._process.pid) > self._bounds.resident:
                self._process.kill()


class _Child:
    """The process, its two pipes, and what is said of its death."""

    def __init__(self, task: str, name: str | None, bounds: Bounds) -> None:
        self._name = name
        self._bounds = bounds
        self._process = _started(task, name)
        self._watch = _Watch(self._process, bounds)

    @property
    def _input(self) -> IO[bytes]:
        assert self._process.stdin is not None, "it was started with a pipe"
        return self._process.stdin

    @contextmanager
    def feeding(self) -> Iterator[None]:
        """While this is written to the child; what it says of its death comes when it is read.

        The pipe stays open: it tells the child that we live.
        """
        with self._watch.waiting(), suppress(BrokenPipeError):
            yield
            self._input.flush()

    def send(self, raw: bytes) -> None:
        """One frame to the child."""
        write_frame(self._input, GIVEN, raw)

    def send_file(self, source: Input) -> None:
        """All that is in the file, piece by piece."""
        with source.reading() as file:
            while piece := file.read(_PIECE):
                write_frame(self._input, GIVEN, piece)
        write_frame(self._input, END, b"")

    def messages(self, needed: str) -> Generator[Any, None, None]:
        """What the task yields, until it is at its end."""
        while True:
            kind, raw = self._received()
            if kind == END:
                return
            if kind == LACKING:
                raise _lacking(None, raw.decode() or needed)
            value = msgspec.msgpack.decode(raw)
            if kind == FAULT:
                raise SourceError(path=self._name, unit=ROW, **value)
            yield value

    def end(self) -> None:
        """Whatever it does, it is over; its pipes are closed."""
        self._watch.end()
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what is buffered can no longer be written
                pipe.close()  # type: ignore[union-attr]

    def _received(self) -> tuple[int, bytes]:
        assert self._process.stdout is not None, "it was started with a pipe"
        with self._watch.waiting():
            frame = read_frame(self._process.stdout)
        if frame is None:
            raise SourceError(self._death(), path=self._name, line=1, unit=ROW)
        return frame

    def _death(self) -> str:
        if self._watch.late:
            spent = f"took more than {self._bounds.patience:g} seconds"
        else:
            spent = f"took more than {self._bounds.resident:,} bytes of memory, or is damaged"
            spent += f" ({_signal(self._process.wait())})"
        return (
            f"reading it {spent}: delete what lies far from the list, or {_INSTEAD}; "
            f"a larger max_bytes (--max-bytes, now {self._bounds.max_bytes}) allows more memory"
        )


def _resident(pid: int) -> int:
    """Bytes of memory that a process fills by itself, where the system tells."""
    with suppress(OSError), Path(f"/proc/{pid}/status").open("rb") as status:
        for line in status:
            if line.startswith(b"RssAnon:"):
                return int(line.split()[1]) << 10
    return 0


def _started(task: str, name: str | None) -> subprocess.Popen[bytes]:
    interpreter = python()
    if interpreter is None:
        msg = (
            "is read by a process of its own, and this program has no Python to start one with: "
            f"name one by multiprocessing.set_executable, or {_INSTEAD}"
        )
        raise SourceError(msg, path=name)
    variables = environment()
    variables.setdefault("POLARS_MAX_THREADS", _THREADS)
    try:
        return subprocess.Popen(  # noqa: S603 - our own program
            [interpreter, "-P", "-c", _START, str(_HOME), task, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what a library says there may quote cells
            env=variables,
            **away_from_the_terminal(),
        )
    except OSError as error:
        msg = f"no process can be started to read it ({error.strerror or error}): {_INSTEAD}"
        raise SourceError(msg, path=name) from error


def _signal(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


def _lacking(task: str | None, needed: str) -> ImportError:
    what = _READS.get(task or "", "this file")
    name = needed.replace("_", "-")
    return ImportError(f"reading {what} needs {name}: pip install 'asyncsdk[files]'")
