"""A sandbox beside the caller: in a thread and an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Self

from asyncsdk.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from asyncsdk.models import Group
    from asyncsdk.sandbox.log import Commit, RequestRecord
    from asyncsdk.sandbox.store import StoredPhone

__all__ = ["SandboxThread"]


class SandboxThread:
    """A sandbox in a thread of its own, for tests that are not async or run in another loop.

    Use it as a context manager, or call `start` and `stop`. What it shows are snapshots.

    Args:
        **options: As for `Sandbox`.
    """

    def __init__(self, **options: Any) -> None:
        self._sandbox = Sandbox(**options)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="lox24-sandbox", daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve, until `stop`; a thread serves once."""
        self._thread.start()
        self._ready.wait()
        try:
            self._wait(self._sandbox.start)
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """Drop every connection and end the thread."""
        if self._thread.is_alive():
            self._wait(self._sandbox.stop)
            self._end()

    @property
    def url(self) -> str:
        """The sandbox's base URL."""
        return self._sandbox.url

    @property
    def client_id(self) -> str:
        """The client id that is good."""
        return self._sandbox.client_id

    @property
    def api_key(self) -> str:
        """The key that is good."""
        return self._sandbox.api_key

    @property
    def commits(self) -> list[Commit]:
        """Every phone that was stored so far; see `Sandbox.commits`."""
        return list(self._sandbox.commits)

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request so far."""
        return list(self._sandbox.requests)

    @property
    def groups(self) -> list[Group]:
        """Every group so far."""
        return self._sandbox.groups

    def add_group(self, name: str = "sandbox", **fields: str | None) -> int:
        """Create a group, and give its id."""
        return self._sandbox.add_group(name, **fields)

    def hold(self, group_id: int, numbers: Iterable[str]) -> None:
        """Have a group hold phones from before; see `Sandbox.hold`."""
        self._sandbox.hold(group_id, numbers)

    def phones(self, group_id: int) -> list[StoredPhone]:
        """What a group holds."""
        return self._sandbox.phones(group_id)

    def drop_connections(self) -> None:
        """Abort every open connection."""
        self._wait(self._sandbox.drop_connections)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            self._loop.call_soon(self._ready.set)
            self._loop.run_forever()

    def _wait(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        loop = self._running_loop()
        asyncio.run_coroutine_threadsafe(work(), loop).result()

    def _end(self) -> None:
        loop = self._running_loop()
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or not self._thread.is_alive():
            msg = "the sandbox is not running: use it as a context manager, or call start()"
            raise RuntimeError(msg)
        return self._loop
