"""When requests arrive at a server, as its kernel notes it.

On a busy machine the server itself looks at a request late, and at several in one go: its own clock
then shows more of them within a second than came. The kernel stamps a packet when it takes it over,
whatever waits for a processor at that moment, and hands the stamp out with the bytes.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from asyncsdk.sandbox.thread import SandboxThread

__all__ = ["Arrivals"]

_STAMPS = 35
"""`SO_TIMESTAMPNS` of Linux, which Python has no name for."""
_STAMP = struct.Struct("qq")
_METHODS = (b"GET ", b"POST ", b"PUT ", b"PATCH ", b"DELETE ")


class Arrivals:
    """One more door to a sandbox, at which the kernel notes when each request came."""

    def __init__(self, sandbox: SandboxThread) -> None:
        self.times: list[float] = []
        """Seconds by the monotonic clock, in the order in which they were read."""
        self._listener = _Listener(self.times)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        runner = sandbox._sandbox._runner
        assert runner is not None, "the sandbox does not run"
        site = web.SockSite(runner, self._listener, backlog=1024)
        sandbox._wait(site.start)


class _Listener(socket.socket):
    """A listening socket whose connections note when requests come."""

    def __init__(self, times: list[float]) -> None:
        super().__init__()
        self._times = times
        self.bind(("127.0.0.1", 0))
        self.listen()
        self.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)  # connections inherit it
        self._begin()

    def accept(self) -> tuple[socket.socket, Any]:
        descriptor, address = self._accept()  # type: ignore[attr-defined]
        return _Connection(descriptor, self._times), address

    def _begin(self) -> None:
        """Return when the kernel stamps: it begins to a moment after it was first asked to."""
        with socket.create_connection(self.getsockname()) as client, self.accept()[0] as server:
            assert isinstance(server, _Connection)
            while server.stamp is None:
                client.sendall(b"?")
                server.recv(1)


class _Connection(socket.socket):
    def __init__(self, descriptor: int, times: list[float]) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM, 0, descriptor)
        self._times = times
        self.stamp: float | None = None

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        data, notes, _, _ = self.recvmsg(size, socket.CMSG_SPACE(_STAMP.size), flags)
        for level, kind, stamp in notes:
            if (level, kind) == (socket.SOL_SOCKET, _STAMPS):
                seconds, nanoseconds = _STAMP.unpack(stamp)
                self.stamp = seconds + nanoseconds * 1e-9 - _offset()
        if data.startswith(_METHODS):
            assert self.stamp is not None, "the kernel does not stamp"
            self._times.append(self.stamp)
        return data


def _offset() -> float:
    """The wall clock's lead on the monotonic one, which processes share."""
    return time.time() - time.monotonic()
