"""A program that serves a port while a test runs, and may die and come back."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Program", "accepting", "free_port", "open_folder"]


class Program:
    """One that listens at a port.

    Args:
        command: Its path and arguments.
        port: Where it listens.
    """

    def __init__(self, *command: str, port: int) -> None:
        self.port = port
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Return once it accepts connections."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        await accepting(self.port)

    async def stop(self) -> None:
        """End it at once, and whatever it started."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own
        await process.wait()

    def signal(self, which: signal.Signals) -> None:
        """Send it a signal, as to reload."""
        assert self._process is not None
        self._process.send_signal(which)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that a program may use which gives up being root."""
    folder = Path(tempfile.mkdtemp(prefix="asyncsdk-"))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def accepting(port: int, host: str = "127.0.0.1") -> None:
    """Return once something accepts connections there."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
                return
