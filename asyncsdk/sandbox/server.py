"""The sandbox's life: it starts, serves, shows what it holds, and stops."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Self

from aiohttp import web

from asyncsdk.sandbox.batch import Batch, BatchRules, MemberOrder
from asyncsdk.sandbox.faults import Faults
from asyncsdk.sandbox.frontdoor import FrontDoor
from asyncsdk.sandbox.hosts import Hosts
from asyncsdk.sandbox.log import Commit, RequestLog, RequestRecord
from asyncsdk.sandbox.problems import Refusal
from asyncsdk.sandbox.replies import ASKED, STYLES, Echo, Replies, ReplyStyle
from asyncsdk.sandbox.routes import GROUP_FIELDS, Routes
from asyncsdk.sandbox.rules import group_violations
from asyncsdk.sandbox.store import DuplicatePolicy, Store, StoredPhone
from asyncsdk.sandbox.tamper import Tamper
from asyncsdk.sandbox.weak import weakly_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from ssl import SSLContext

    from asyncsdk.models import Group
    from asyncsdk.sandbox.limits import RequestLimit

__all__ = ["Sandbox"]

_IDLE = 30 * 24 * 3600.0  # seconds; a virtual clock may leap, and connections are kept all the same

_LARGEST = 1 << 24
"""Bytes of a body at most: sixteen times what a batch has by default."""


class Sandbox:
    """The provider in a box: a server with its own groups, phones and commit log.

    Use it as an async context manager. What it holds can be looked at after it stopped, and it may
    be started again, on the same port.

    Args:
        client_id: The client id that is good.
        api_key: The key that is good.
        host: Where it listens.
        port: Where it listens; 0: on any free port.
        hosts: Names under which it answers, besides addresses and `localhost`; a request to
            another one is answered 421, for a web page may have its own name lead here.
        style: The shape of its replies: a name in `STYLES`, or a `ReplyStyle`; "asked": what the
            request's `Accept` header asks for.
        duplicates: What becomes of a number that the group already holds.
        max_batch: Largest batch in phones; a larger one is answered 413.
        max_bytes: Largest body in bytes; a larger one is answered 413 before it is read. None:
            16 MiB.
        latency: Seconds that a request takes, or a function of its number that gives them.
        request_limit: How many requests pass; more are refused.
        faults: What goes wrong, and when.
        clock: Seconds, for the logs, the lock-out and the limit; by default the running loop's.
        wall_clock: Unix seconds, for `Retry-After` dates.
        ssl: Makes it serve https.
        echo: How replies spell the numbers; "normalized": as the store does, with leading + and
            digits only.
        order: The order of the members in a batch reply.
        whole_batch_errors: Whether one bad row makes the whole batch be refused.
        row_paths: How such a refusal names row `i` and its `field`; None: not at all.
        invalid_status: What a broken rule is answered, 422 or 400.
        refused_status: What a refused duplicate is answered, 409 or 422.
        page_size: Groups on a page.
        phones_page_size: Phones on a page of a group's list; None: all are on one.
        seed: Seed of all that is left to chance, apart from the faults'.

    Raises:
        ValueError: An option that makes no sense.
    """

    def __init__(
        self,
        *,
        client_id: str = "1234567",
        api_key: str = "sandbox-key",
        host: str = "127.0.0.1",
        port: int = 0,
        hosts: Iterable[str] = (),
        style: str | ReplyStyle = ASKED,
        duplicates: DuplicatePolicy = "store",
        max_batch: int | None = None,
        max_bytes: int | None = None,
        latency: float | Callable[[int], float] = 0.0,
        request_limit: RequestLimit | None = None,
        faults: Faults | None = None,
        clock: Callable[[], float] | None = None,
        wall_clock: Callable[[], float] = time.time,
        ssl: SSLContext | None = None,
        echo: Echo = "as sent",
        order: MemberOrder = "kept",
        whole_batch_errors: bool = False,
        row_paths: str | None = "[{i}].{field}",
        invalid_status: int = 422,
        refused_status: int = 409,
        page_size: int = 30,
        phones_page_size: int | None = None,
        seed: int = 0,
    ) -> None:
        self.client_id = client_id
        self.api_key = api_key
        self.host = host
        self.port: int = port
        self.faults: Faults = faults or Faults()
        self._clock = clock
        self._ssl = ssl
        self._max_bytes = _LARGEST if max_bytes is None else max_bytes
        self._log = RequestLog()
        self._store = Store(duplicates=duplicates, reformats=echo == "normalized")
        self._runner: web.AppRunner | None = None
        chance = random.Random(seed)
        replies = Replies(_style(style), echo=echo)
        self._door = FrontDoor(
            token=f"{client_id}:{api_key}",
            replies=replies,
            log=self._log,
            clock=self._now,
            wall_clock=wall_clock,
            latency=latency if callable(latency) else lambda _no: latency,
            limit=request_limit,
            hosts=Hosts([host, *hosts]),
            max_bytes=self._max_bytes,
            faults=self.faults,
            chance=chance,
        )
        rules = BatchRules(
            invalid_status, refused_status, max_batch, whole_batch_errors, row_paths, order
        )
        self._routes = Routes(
            account_id=int(client_id) if client_id.isdecimal() else 1,
            store=self._store,
            replies=replies,
            batch=Batch(self._store, replies, rules, chance),
            tamper=Tamper(replies, self.faults.chance),
            clock=self._now,
            page_size=page_size,
            phones_page_size=phones_page_size,
        )

    # its life

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        if self._runner is not None:
            msg = "the sandbox is running already"
            raise RuntimeError(msg)
        door = web.middleware(weakly_bound(self._door.middleware))
        app = web.Application(middlewares=[door], client_max_size=self._max_bytes)
        app.on_response_prepare.append(weakly_bound(self._door.sign))
        app.add_routes(self._routes.table())
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, keepalive_timeout=_IDLE
        )
        await runner.setup()
        self._runner = runner
        try:
            site = web.TCPSite(runner, self.host, self.port, ssl_context=self._ssl, backlog=1024)
            await site.start()
        except BaseException:
            await self.stop()
            raise
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Drop every connection and stop listening."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for site in list(runner.sites):
            await site.stop()
        await _drop(runner)
        await self._door.close()
        await runner.cleanup()

    async def drop_connections(self) -> None:
        """Abort every open connection, whatever it is doing."""
        if self._runner is not None:
            await _drop(self._runner)

    # what it holds

    @property
    def url(self) -> str:
        """Its base URL; known once it is started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._ssl else 'http'}://{host}:{self.port}"

    @property
    def commits(self) -> list[Commit]:
        """Every phone that was stored, in the order of storing: the judge of all accounts.

        A phone that was merged into one that the group held, and a later change or deletion, are
        no commits.
        """
        return self._store.commits

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request in the order of arrival; of very many the last 200,000 at least."""
        return self._log.records

    @property
    def groups(self) -> list[Group]:
        """Every group there ever was, with its count; deleted ones say when they were."""
        return self._store.all_groups()

    def add_group(self, name: str = "sandbox", **fields: str | None) -> int:
        """Create a group, and give its id.

        Raises:
            ValueError: A field that the provider would not take.
        """
        alien = sorted(set(fields) - set(GROUP_FIELDS))
        violations = tuple(group_violations({"name": name, **fields}))
        if alien or violations:
            told = f"no field {alien[0]}" if alien else Refusal(422, violations=violations).told
            msg = f"no group can be like this: {told}"
            raise ValueError(msg)
        return self._store.add_group({"name": name, **fields}).group.id

    def hold(self, group_id: int, numbers: Iterable[str]) -> None:
        """Have a group hold phones from before: no request brought them, so they are no commits.

        Raises:
            ValueError: There is no such group.
        """
        record = self._store.group(group_id)
        if record is None:
            msg = f"there is no group {group_id}: add_group gives the id of one"
            raise ValueError(msg)
        for number in numbers:
            self._store.hold(record, number)

    def phones(self, group_id: int) -> list[StoredPhone]:
        """What a group holds, in the order in which it came."""
        return self._store.phones(group_id)

    def _now(self) -> float:
        return self._clock() if self._clock else asyncio.get_running_loop().time()


async def _drop(runner: web.AppRunner) -> None:
    server = runner.server
    for connection in server.connections if server else ():
        if connection.transport is not None:
            connection.transport.abort()
    await asyncio.sleep(0)  # lets the connections be lost


def _style(style: str | ReplyStyle) -> ReplyStyle | None:
    if style == ASKED:
        return None
    if isinstance(style, ReplyStyle):
        return style
    if style not in STYLES:
        msg = f"no style is called {style!r}: choose from {', '.join([ASKED, *STYLES])}"
        raise ValueError(msg)
    return STYLES[style]
