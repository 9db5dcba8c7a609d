"""Real Redis servers of which others take the place: by Sentinel, or in a cluster."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from redis import asyncio, sentinel
from redis.asyncio import RedisCluster
from redis.exceptions import RedisError

from tests.integrations.redis_server import PASSWORD, RedisServer
from tests.parts import command

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from redis.asyncio import Redis

__all__ = ["RedisNodes", "WatchedRedis"]

_PATIENCE = 60
"""Seconds until servers must have agreed."""
_FIRST, _LAST = 20_000, 32_000
"""Ports: the nodes of a cluster listen 10,000 above theirs, too."""


class _Servers(ABC):
    """Servers that run within a block."""

    _stack: ExitStack

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @abstractmethod
    def _start(self, stack: ExitStack) -> None:
        """Start them; the stack ends them, also where this fails."""


class WatchedRedis(_Servers):
    """A primary, its replica, and a Sentinel that puts one in the place of the other."""

    def __init__(self) -> None:
        ports = _free_ports(3)
        self.primary = RedisServer(ports[0], masterauth=PASSWORD, repl_diskless_sync_delay="0")
        self.replica = RedisServer(ports[1], masterauth=PASSWORD, replicaof=f"127.0.0.1 {ports[0]}")
        self._sentinel = ports[2]
        self._folder = Path(tempfile.mkdtemp(prefix="sentinel-"))

    def _start(self, stack: ExitStack) -> None:
        stack.callback(shutil.rmtree, self._folder)
        stack.enter_context(self.primary)
        stack.enter_context(self.replica)
        settings = (
            f"port {self._sentinel}",
            f"sentinel monitor pace 127.0.0.1 {self.primary.port} 1",
            f"sentinel auth-pass pace {PASSWORD}",
            "sentinel down-after-milliseconds pace 300",
            "sentinel failover-timeout pace 2000",
        )
        path = self._folder / "sentinel.conf"
        path.write_text("\n".join(settings) + "\n")
        words = [command("redis-server"), str(path), "--sentinel"]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.kill)
        self.wait_for_replica()
        _wait_until(lambda: self._asked("discover_slaves") == [self._at(self.replica)])

    def client(self) -> Redis:
        """What finds the primary, whichever that is."""
        found: Any = asyncio.Sentinel([("127.0.0.1", self._sentinel)])  # type: ignore[no-untyped-call]
        client: Redis = found.master_for("pace", password=PASSWORD, socket_timeout=5.0)
        return client

    def wait_for_replica(self) -> None:
        """Return when the replica has what the primary has."""
        _wait_until(lambda: "master_link_status:up" in self.replica.ask_all("INFO replication"))
        write = "SET asked 1\r\nWAIT 1 1000"  # it waits for what its connection has written
        _wait_until(lambda: ":1" in self.primary.ask_all(write).splitlines())

    def fail_over(self) -> None:
        """Kill the primary, and return when the replica has its place."""
        self.primary.kill()
        _wait_until(lambda: "role:master" in self.replica.ask_all("INFO replication"))
        _wait_until(lambda: self._asked("discover_master") == self._at(self.replica))

    @staticmethod
    def _at(server: RedisServer) -> tuple[str, int]:
        return "127.0.0.1", server.port

    def _asked(self, what: str) -> Any:
        """What Sentinel says; nothing where it is not there yet, or knows nobody."""
        found: Any = sentinel.Sentinel([("127.0.0.1", self._sentinel)])  # type: ignore[no-untyped-call]
        try:
            return getattr(found, what)("pace")
        except RedisError:
            return None
        finally:
            for each in found.sentinels:
                each.close()


class RedisNodes(_Servers):
    """A cluster of three, each of which has a third of the slots."""

    def __init__(self) -> None:
        self.nodes = [
            RedisServer(
                port, cluster_enabled="yes", cluster_node_timeout="1000", masterauth=PASSWORD
            )
            for port in _free_ports(3)
        ]

    def _start(self, stack: ExitStack) -> None:
        first, *others = self.nodes
        for at, node in enumerate(self.nodes):
            stack.enter_context(node)
            node.ask(f"CLUSTER ADDSLOTSRANGE {at * _SLOTS // 3} {(at + 1) * _SLOTS // 3 - 1}")
        for node in others:
            first.ask(f"CLUSTER MEET 127.0.0.1 {node.port}")
        _wait_until(self._agree)

    def client(self) -> RedisCluster:
        """What asks the node that has a key."""
        return RedisCluster(host="127.0.0.1", port=self.nodes[0].port, password=PASSWORD)

    def restart(self) -> None:
        """Kill all of them, and return when they are there again, with what they had."""
        for node in self.nodes:
            node.kill()
        for node in self.nodes:
            node.start()
        _wait_until(self._agree)

    def _agree(self) -> bool:
        return all("cluster_state:ok" in node.ask_all("CLUSTER INFO") for node in self.nodes)


_SLOTS = 16_384


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens at, nor 10,000 above."""
    found: list[int] = []
    ports = iter(Random().sample(range(_FIRST, _LAST), _LAST - _FIRST))
    while len(found) < count:
        port = next(ports)
        if all(_is_free(one) for one in (port, port + 10_000)):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _wait_until(agreed: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE
    while not agreed():
        assert time.monotonic() < until, "they do not agree"
        time.sleep(0.05)
