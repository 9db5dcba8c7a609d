"""Uploads over a cable that is pulled: run in a network namespace of its own.

The client is here, the sandbox in another namespace, a pair of veth interfaces between the two. The
far end is set down: packets vanish, as with a cable that is pulled; nobody is told.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from asyncsdk import RetryPolicy
from tests.network.far import PORT
from tests.rig import assert_accounts, client_at, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncsdk import Phone

NEAR, FAR = "10.98.76.1", "10.98.76.2"


@frozen
class Commit:
    """A phone that was stored there."""

    callback_data: str
    phone_id: int


@frozen
class Store:
    """What the far sandbox holds."""

    commits: list[Commit]


class Cable:
    """The sandbox at the far end, and the cable to it."""

    def __init__(self) -> None:
        self._far = subprocess.Popen(
            ["unshare", "-n", sys.executable, "-m", "tests.network.far", FAR],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        _ip("link", "set", "lo", "up")
        _ip("link", "add", "near", "type", "veth", "peer", "name", "far")
        _ip("addr", "add", f"{NEAR}/24", "dev", "near")
        _ip("link", "set", "near", "up")
        self._await_namespace()
        _ip("link", "set", "far", "netns", str(self._far.pid))
        self._there("addr", "add", f"{FAR}/24", "dev", "far")
        self.plug()
        self.client_id, self.api_key, self.group = self._ask()

    def plug(self) -> None:
        """Let packets through."""
        self._there("link", "set", "far", "up")

    def pull(self) -> None:
        """Let packets vanish."""
        self._there("link", "set", "far", "down")

    @property
    def store(self) -> Store:
        """What was stored so far."""
        return Store([Commit(*commit) for commit in self._ask()])

    def close(self) -> None:
        """End the sandbox."""
        self._far.communicate(timeout=30)

    def _await_namespace(self) -> None:
        """Return once the child has a namespace of its own: before, it shares this one."""
        here = Path("/proc/self/ns/net").readlink()
        while Path(f"/proc/{self._far.pid}/ns/net").readlink() == here:
            pass

    def _ask(self) -> Any:
        assert self._far.stdin is not None
        assert self._far.stdout is not None
        self._far.stdin.write("\n")
        self._far.stdin.flush()
        return json.loads(self._far.stdout.readline())

    def _there(self, *arguments: str) -> None:
        command = ["nsenter", "-t", str(self._far.pid), "-n", "ip", *arguments]
        subprocess.run(command, check=True, timeout=30)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, timeout=30)


async def paced(rows: list[Phone], seconds: float) -> AsyncIterator[Phone]:
    """The rows, spread over so much time."""
    for i, row in enumerate(rows):
        if i % 10 == 0:
            await asyncio.sleep(10 * seconds / len(rows))
        yield row


async def upload(cable: Cable, job: dict[str, Any]) -> str:
    """Upload while the cable is pulled for a while; gives the report's line."""
    source = phones(job["count"])
    url = f"http://{FAR}:{PORT}"
    good = {"client_id": cable.client_id, "api_key": cable.api_key}
    warnings.filterwarnings("ignore", ".* is not encrypted")  # as it is with a cable
    async with client_at(url, **good, **job["client"]) as client:
        running = client.phones.upload(
            cable.group,
            paced(source, job["lasts"]),
            rate=None,
            batch_size=10,
            retry=RetryPolicy(**job["retry"]),
            on_unknown="reconcile",
            quiet_period=job["quiet"],
            journal=job["journal"],
        ).start()
        while running.progress.created < job["count"] // 4:  # noqa: ASYNC110 - real time
            await asyncio.sleep(0.01)
        cable.pull()
        await asyncio.sleep(job["away"])
        cable.plug()
        report = await running
    await asyncio.sleep(job["late"])
    assert report.ok, f"{report}: {report.failed and report.failed[0].error}"
    assert_accounts(report, cable.store, source)  # type: ignore[arg-type]
    return str(report)


def main() -> None:
    """Do the job that stands in the arguments."""
    cable = Cable()
    try:
        said = asyncio.run(upload(cable, json.loads(sys.argv[1])))
    finally:
        cable.close()
    sys.stdout.write(said)


if __name__ == "__main__":
    main()
