"""What every request meets before and after its operation: log, lock-out, key, limits, faults."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web
from attrs import define

from asyncsdk.sandbox.faults import FAULTS, Faults
from asyncsdk.sandbox.limits import RequestLimit, SlidingWindow
from asyncsdk.sandbox.lockout import Lockout
from asyncsdk.sandbox.problems import Refusal
from asyncsdk.sandbox.rules import BadBodyError, count_rows
from asyncsdk.sandbox.wreck import HangUp, refused, wrecked

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Coroutine

    from asyncsdk.sandbox.hosts import Hosts
    from asyncsdk.sandbox.log import RequestLog
    from asyncsdk.sandbox.replies import Replies

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

__all__ = ["BATCH", "CALL", "Call", "FrontDoor", "RefusedError"]

BATCH = "batch"
"""Name of the batch upload's route."""

AUTH_HEADER = "X-LOX24-AUTH-TOKEN"
REQUEST_ID_HEADER = "X-LOX24-REQUEST-ID"

_LOCKED = Refusal(
    429,
    "IP address was temporary blocked, because during short time from it was sent many request "
    "with invalid credentials. Please wait and try later.",
)
_UNAUTHORIZED = Refusal(401, "Client ID or API key isn't active or invalid!")
_TOO_MANY = "Too many requests"
_OTHER_HOST = Refusal(
    421,
    "The sandbox does not answer under this name: use its address, or give the name as hosts=.",
)
_TOO_LARGE = Refusal(413, "The request is too large.")


class RefusedError(Exception):
    """An operation ends with a refusal of the whole request."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


@define
class Call:
    """One request on its way through the sandbox."""

    no: int
    authorized: bool
    fault: str | None = None
    phones: int | None = None


CALL = web.RequestKey("call", Call)


class FrontDoor:
    """The one middleware of the sandbox.

    Args:
        token: The good value of the auth header.
        replies: Words the refusals.
        log: Takes down every request.
        clock: Seconds, for the log, the lock-out and the limit.
        wall_clock: Unix seconds, for `Retry-After` dates.
        latency: Seconds that a request of this number takes before it is processed.
        limit: Requests that pass.
        hosts: The names under which it answers.
        max_bytes: Size of a body that passes.
        faults: The schedule of faults.
        chance: Makes the request ids.
    """

    def __init__(
        self,
        *,
        token: str,
        replies: Replies,
        log: RequestLog,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        latency: Callable[[int], float],
        limit: RequestLimit | None,
        hosts: Hosts,
        max_bytes: int,
        faults: Faults,
        chance: random.Random,
    ) -> None:
        self._token = token
        self._replies = replies
        self._log = log
        self._clock = clock
        self._wall_clock = wall_clock
        self._latency = latency
        self._window = SlidingWindow(limit) if limit else None
        self._hosts = hosts
        self._max_bytes = max_bytes
        self._faults = faults
        self._chance = chance
        self._lockout = Lockout()
        self._working: set[asyncio.Task[web.StreamResponse]] = set()

    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Take a request down, and answer it or have it answered."""
        call = request[CALL] = self._arrive(request)
        reply: web.StreamResponse | None = None
        try:
            reply = await self._answer(request, handler, call)
        except ConnectionError:  # the client left while it sent, or was sent to
            reply = HangUp()
        finally:
            told = None if reply is None or isinstance(reply, HangUp) else reply.status
            self._log.close(call.no, status=told, phones=call.phones, fault=call.fault)
        return reply

    async def sign(self, _request: web.BaseRequest, reply: web.StreamResponse) -> None:
        """Give a reply the id that the provider's support asks for."""
        reply.headers[REQUEST_ID_HEADER] = f"{self._chance.getrandbits(128):032x}"

    async def close(self) -> None:
        """Give up what is still being processed."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    def _arrive(self, request: web.Request) -> Call:
        self._replies.heed(request.headers.get("Accept", ""))
        token = request.headers.get(AUTH_HEADER)
        authorized = token == self._token
        no = self._log.open(
            at=self._clock(),
            method=request.method,
            path=request.raw_path,
            authorized=authorized,
            client_id=token.partition(":")[0] if token else None,
        )
        return Call(no, authorized)

    async def _answer(
        self, request: web.Request, handler: Handler, call: Call
    ) -> web.StreamResponse:
        refusal = self._turned_away(request, call)
        if refusal is not None:
            await asyncio.sleep(self._latency(call.no))
            return refusal
        if self._faults.routes == "all" or request.match_info.route.name == BATCH:
            call.fault = self._faults.next()
        try:
            if call.fault is None:
                return await self._process(request, handler, call)
            return await self._go_wrong(call.fault, request, handler, call)
        except web.HTTPRequestEntityTooLarge:  # a body that came in chunks, or was packed
            return self._replies.refusal(_TOO_LARGE)

    def _turned_away(self, request: web.Request, call: Call) -> web.Response | None:
        """The refusal of a request that is not even looked at."""
        now, ip = self._clock(), request.remote or ""
        if request.headers.get("Host") not in self._hosts:
            return self._replies.refusal(_OTHER_HOST)
        if self._lockout.locked(ip, now):
            return self._replies.refusal(_LOCKED)
        if not call.authorized:
            if request.headers.get(
                AUTH_HEADER
            ):  # who has none does not guess, as a page of the web
                self._lockout.guessed(ip, now)
            return self._replies.refusal(_UNAUTHORIZED)
        if self._window and not self._window.take(now):
            headers = self._window.headers(now, self._wall_clock())
            return self._replies.refusal(Refusal(self._window.limit.status, _TOO_MANY), headers)
        if self._too_large(request.content_length or 0):  # before the body is read
            return self._replies.refusal(_TOO_LARGE)
        return None

    async def _go_wrong(
        self, fault: str, request: web.Request, handler: Handler, call: Call
    ) -> web.StreamResponse:
        processed = FAULTS[fault].processed or fault.startswith("item-")
        if fault == "reset-head":
            return self._refused(fault)
        if not processed:
            await self._look_at(request, call)
            await asyncio.sleep(self._latency(call.no))
        if fault == "timeout-before":
            await _forever()
        if not processed:
            return self._refused(fault)
        reply = await self._process(request, handler, call)
        if fault == "timeout-after":
            await _forever()
        if fault == "slow":
            await asyncio.sleep(self._faults.delay)
        await self.sign(request, reply)  # what is left of the reply may never be prepared
        return wrecked(fault, reply, self._replies)

    def _refused(self, fault: str) -> web.Response:
        wait, wall = self._faults.retry_after, self._wall_clock()
        return refused(fault, self._replies, retry_after=wait, wall=wall)

    async def _look_at(self, request: web.Request, call: Call) -> None:
        body = await request.read()
        if request.match_info.route.name == BATCH:
            call.phones = count_rows(body)

    async def _process(
        self, request: web.Request, handler: Handler, call: Call
    ) -> web.StreamResponse:
        """Do the operation, after its latency; a client that leaves meanwhile stops nothing."""
        await request.read()
        pause = self._latency(call.no) + (self._faults.delay if call.fault == "late" else 0.0)
        if pause <= 0:
            return await self._operate(request, handler)
        return await asyncio.shield(self._start(self._operate_later(pause, request, handler)))

    def _start(
        self, work: Coroutine[Any, Any, web.StreamResponse]
    ) -> asyncio.Task[web.StreamResponse]:
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task

    async def _operate_later(
        self, pause: float, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        await asyncio.sleep(pause)
        try:
            return await self._operate(request, handler)
        except ConnectionError:  # caught here, since nobody may be there to hear of it
            return HangUp()

    async def _operate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusedError as error:
            return self._replies.refusal(error.refusal)
        except BadBodyError as error:
            return self._replies.refusal(Refusal(400, str(error)))
        except web.HTTPException as error:  # no such route, or no such method
            return self._replies.refusal(Refusal(error.status, error.reason))

    def _too_large(self, size: int) -> bool:
        return size > self._max_bytes


async def _forever() -> None:
    """Wait until aiohttp cancels the handler of a client that left."""
    await asyncio.get_running_loop().create_future()
