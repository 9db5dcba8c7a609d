"""A pace that any number of processes and hosts share."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Never

from asyncsdk.config import Rate
from asyncsdk.errors import AuthenticationError, ConfigurationError, FencedError
from asyncsdk.integrations.redis.known import Known
from asyncsdk.integrations.redis.permit import Fence, Permit
from asyncsdk.integrations.redis.reach import Reach
from asyncsdk.integrations.redis.server import Server
from asyncsdk.integrations.redis.settings import MICRO, Settings
from asyncsdk.integrations.redis.share import Share
from asyncsdk.integrations.redis.spares import Spares
from asyncsdk.integrations.redis.state import state_of
from asyncsdk.models import Problem
from asyncsdk.pace.credentials import verdict_on_key
from asyncsdk.pace.gate import Gate
from asyncsdk.pace.rate import sleep_until
from asyncsdk.secret import Secret
from asyncsdk.validators import whole_number
from asyncsdk.words import brief

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from redis.asyncio import Redis, RedisCluster

    from asyncsdk.http.exchange import Attempt
    from asyncsdk.integrations.redis.state import Answer, PaceState

__all__ = ["FencedPace", "SharedPace"]

DEFAULT_RATE = Rate(10, per=1.0)

_RENEWED = 5.0
"""Seconds after which whoever tries for all says that it is still at it: a third of its lease."""
_POLL = 0.1
"""Seconds until it is asked again what became of the request that tries."""
_USED = 0.9
"""The part of its time in which a permit is used: a process may be held up on the last step."""
_PASSING = frozenset({"go", "wait", "paused", "proving"})
"""Answers that refuse nothing."""
_HEARD = 2.0
"""Seconds for which it is known that others reach the provider, at least."""


class SharedPace:
    """One rate, one pause and one guard of the credentials for any number of processes and hosts.

    To be given to a client as `pace=`. Permits are handed out by a script in Redis, by its clock,
    first come, first served. A client that was closed has closed its connections, too; the pace may
    be used again.

    Args:
        url: Where Redis is, such as `redis://host:6379/0`; or a client of `redis.asyncio`, also of
            a cluster or of Sentinel, which is borrowed.
        name: Whose pace it is: the same for all who share it, another for each account.
        rate: Requests in any window of time at most, over all who share it; by default ten per
            second. What a new process brings holds for all; `asyncsdk pace --rate` changes it
            for all.
        margin: Seconds after its slot within which a request leaves. A window is taken for so much
            longer. It has to be more than Redis takes to answer.
        patience: Seconds to hold everything while Redis does not answer.
        workers: How many processes share it. With it, a client goes on after `patience` with
            `rate / workers`, once its key is proven; without, it stops.
        timeout: Seconds to wait for an answer of Redis.

    Raises:
        ConfigurationError: An argument cannot work.
        ImportError: The extra `redis` is not installed.
    """

    def __init__(
        self,
        url: str | Secret | Redis | RedisCluster,
        *,
        name: str = "lox24",
        rate: Rate = DEFAULT_RATE,
        margin: float = 0.05,
        patience: float = 30.0,
        workers: int | None = None,
        timeout: float = 2.0,
    ) -> None:
        # A frame of ours that an error passes has no password among its locals.
        url = Secret(url) if isinstance(url, str) else url
        self._settings = Settings(rate, margin, patience, workers, timeout)
        self._server = Server(url, name, timeout)
        self.gate: Gate = Gate(self._pause)
        """Pauses all requests of this process; see `Pace`."""
        self._reach = Reach(self._server, self.gate, patience=patience, timeout=timeout)
        self._share = Share(rate, workers)
        self._spares = Spares(margin * _USED)
        self._client = os.urandom(8).hex()
        self._count = 0
        self._permits: dict[Attempt, Permit] = {}
        self._left: dict[str, int] = {}
        """Of permits that were used, and of which Redis does not know when."""
        self._known = Known(f"asyncsdk pace {name}")
        self._proving = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()

    def __repr__(self) -> str:
        return f"<SharedPace {self._server.name!r} at {self._server.place}>"

    def __reduce__(self) -> Never:
        msg = "a shared pace is not pickled: make one in each process, from the same URL"
        raise TypeError(msg)

    @property
    def rate(self) -> Rate:
        """The rate of all who share it, as far as is known here."""
        return self._share.rate

    @property
    def margin(self) -> float:
        """Seconds after its slot within which a request leaves, or never."""
        return self._settings.margin

    async def state(self) -> PaceState:
        """How the pace stands at this moment, for all who share it.

        Raises:
            PaceError: Redis does not answer.
        """
        return state_of(await self._reach.once("state"))

    async def set_rate(self, rate: Rate) -> None:
        """Change the rate for everybody.

        Raises:
            PaceError: Redis does not answer.
        """
        Settings(rate)
        await self._reach.once("rate", **_rate(rate, "to_"))

    async def open_guard(self) -> int:
        """Forget that credentials were refused; returns how many were.

        One request tries them again. The process that was refused itself needs
        `Client.set_credentials`, or a new client.

        Raises:
            PaceError: Redis does not answer.
        """
        return (await self._reach.once("open")).count

    async def claim(self, partition: str) -> int:
        """A new epoch of a partition: every earlier one is refused from now on.

        Raises:
            PaceError: Redis does not answer.
        """
        return int((await self._reach.once("claim", partition=partition)).epoch)

    def fenced(self, partition: str, epoch: int) -> FencedPace:
        """The same pace for the requests of one partition, until a later epoch of it comes.

        Args:
            partition: What is sent, as all call it who may send it.
            epoch: The run that sends it: `claim` gives one, or any number that grows.
        """
        return FencedPace(self, Fence(partition, whole_number("epoch", epoch)))

    # -- the pace of a client --------------------------------------------------------------

    async def acquire(self, attempt: Attempt) -> None:
        """See `Pace`.

        Raises:
            AuthenticationError: Its credentials were refused, here or elsewhere.
            PaceError: Redis does not answer, and the patience is used up.
        """
        await self.acquire_fenced(attempt, None)

    async def acquire_fenced(self, attempt: Attempt, fence: Fence | None) -> None:
        """As `acquire`, for a request of a partition.

        Raises:
            FencedError: A later run has taken it over.
        """
        key = self._known.digest(attempt.token)
        await self.gate.wait()
        spare = self._spares.take(key, fence, asyncio.get_running_loop().time())
        if spare is not None:
            self._permits[attempt] = spare
            return
        self._count += 1
        permit = Permit(f"{self._client}-{self._count}", key, fence)
        self._permits[attempt] = permit
        if self._known.is_proven(key):
            await self._queue(attempt, permit)
        else:
            async with self._proving:  # one of this process asks for all the others
                await self._queue(attempt, permit)

    def confirm(self, attempt: Attempt) -> bool:
        """See `Pace`."""
        now = asyncio.get_running_loop().time()
        permit = self._permits.get(attempt)
        return permit is not None and now <= permit.expires and self.gate.enter(attempt, now)

    async def renew(self, attempt: Attempt, *, wait: bool = False) -> None:
        """See `Pace`: pause, guard and fence are looked at once more, and the window."""
        permit = self._permits.get(attempt)
        if permit is None:
            return
        loop = asyncio.get_running_loop()
        while loop.time() > permit.expires:
            answer = await self._ask(attempt, permit, turn=True)
            if answer is None or answer.kind == "go":
                continue
            if answer.kind == "wait":
                await sleep_until(loop.time() + answer.wait)
            elif not wait:  # it queues once more, and keeps nobody from anything
                return
            else:
                await self._sit_out(answer)

    def release(self, attempt: Attempt) -> None:
        """See `Pace`."""
        self.gate.leave(attempt)
        permit = self._permits.pop(attempt, None)
        if permit is None:
            return
        self._note_departure(attempt, permit)
        if permit.own:
            self._share.release(attempt)
        elif permit.probing is not None or not attempt.left:
            if permit.probing is not None:
                permit.probing.cancel()
            unused = not attempt.left
            self._start(self._reach.tell("release", id=permit.id, key=permit.key, unused=unused))

    async def learn(self, attempt: Attempt, status: int) -> None:
        """See `Pace`."""
        self._known.heard = asyncio.get_running_loop().time()
        permit = self._permits.get(attempt)
        key = "" if permit is None else permit.key
        good = verdict_on_key(status)
        if good is False:
            # Whoever waits for it must not be let go before this is known.
            self._known.proven.discard(key)
            self._spares.drop()
            await asyncio.shield(self._start(self._tell_verdict(key, "refused")))
        elif good and key not in self._known.proven:
            self._known.proven.add(key)
            self._start(self._tell_verdict(key, "proven"))
        elif self._known.outage:
            self._start(self._reach.tell("learn", client=self._client))
        self._known.outage = False

    async def aclose(self) -> None:
        """See `Pace`: what is still to be told is told first."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._settings.timeout)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.close()

    # -- permits ---------------------------------------------------------------------------

    async def _queue(self, attempt: Attempt, permit: Permit) -> None:
        """Return when it is the turn of a request."""
        loop = asyncio.get_running_loop()
        while True:
            await self.gate.wait()
            answer = await self._ask(attempt, permit, turn=False)
            if answer is None or answer.kind == "go":
                return
            if answer.kind == "wait":
                await sleep_until(loop.time() + answer.wait)
                return
            await self._sit_out(answer)

    async def _sit_out(self, answer: Answer) -> None:
        """Wait for the end of a pause, or for what becomes of the request that tries."""
        now = asyncio.get_running_loop().time()
        if answer.kind == "paused":
            self.gate.follow(answer.wait, now, answer.reason, answer.streak)
            await self.gate.wait()
        else:
            await asyncio.sleep(_POLL)

    async def _ask(self, attempt: Attempt, permit: Permit, *, turn: bool) -> Answer | None:
        """What Redis says; None where it is away, and this client goes on by itself.

        Args:
            attempt: The request.
            permit: What it has.
            turn: Whether it has waited for its slot.

        Raises:
            AsyncSDKError: The request is never to leave.
        """
        now = asyncio.get_running_loop().time()
        settings, known = self._settings, self._known
        about: dict[str, Any] = {
            "id": permit.id,
            "key": permit.key,
            "client": self._client,
            "margin": round(settings.margin * MICRO),
            "begins": not known.met,
            "known": known.met,
            "away": self._share.used_within(settings.margin, now),
            "heard": round((now - known.heard) * MICRO) if known.heard > -inf else None,
            "turn": turn,
            "want": self._spares.wanted(now) or None,
            "left": self._departures(),
            **_rate(settings.rate),
        }
        if permit.fence is not None:
            about |= {"partition": permit.fence.partition, "epoch": permit.fence.epoch}
        # Without Redis nobody knows a key that is wrong, nor a run that was taken over.
        alone = self._share.exists and permit.fence is None and known.is_proven(permit.key)
        answer = await self._reach.ask("permit", alone=alone, **about)
        if answer is None:
            await self._go_alone(attempt, permit)
        elif answer.kind == "go":
            self._go(permit, answer)
            self._spares.keep(permit, answer.spares)
        elif answer.kind != "wait":
            self._spares.drop()
        if answer is not None and answer.kind not in _PASSING:
            raise _refusal(answer, permit)
        return answer

    def _departures(self) -> dict[str, int]:
        """How many microseconds before their end permits were used that were not told of so far.

        Of a request without a body nobody knows when it left: it may have had to connect.
        """
        for attempt, permit in self._permits.items():
            self._note_departure(attempt, permit)
        found, self._left = self._left, {}
        return found

    def _note_departure(self, attempt: Attempt, permit: Permit) -> None:
        known = attempt.left and attempt.renew is None and isfinite(permit.expires)
        if known and not permit.told:
            permit.told = True
            self._left[permit.id] = round((permit.expires - attempt.left_at) * MICRO)

    def _go(self, permit: Permit, answer: Answer) -> None:
        """Take a permit, unless the answer was too long under way.

        The server let it go at some moment after it was asked: counted from there it never holds
        for longer than it may.
        """
        self._known.met, self._known.outage = True, answer.outage
        if answer.rate is not None:
            self._share.follow(answer.rate)
        if answer.proven:
            self._known.proven.add(permit.key)
        now = asyncio.get_running_loop().time()
        permit.expires = answer.asked + answer.valid * _USED
        if answer.probing and permit.probing is None:
            permit.probing = self._start(self._keep_trying(permit))
        self._reach.came(now - answer.asked, answer.valid)

    async def _go_alone(self, attempt: Attempt, permit: Permit) -> None:
        """A permit of the share that is this client's while Redis is away."""
        if not permit.own:
            permit.own = True
            await self._share.acquire(attempt)
        permit.expires = inf

    async def _keep_trying(self, permit: Permit) -> None:
        """Say that a request for which others wait is still under way."""
        while True:
            await asyncio.sleep(_RENEWED)
            await self._reach.tell("renew", id=permit.id, key=permit.key)

    # -- what others are told --------------------------------------------------------------

    def _pause(self, seconds: float, reason: str) -> None:
        """Have everybody pause, as the gate of this client does."""
        self._spares.drop()
        about: dict[str, Any] = {
            "client": self._client,
            "length": round(seconds * MICRO),
            "reason": reason,
            "streak": self.gate.streak,
        }
        if self.gate.out:
            fresh = max(_HEARD, 3 * self._settings.rate.per / self._settings.rate.requests)
            about |= {"outage": True, "fresh": round(fresh * MICRO)}
            self._known.outage = True
        self._start(self._reach.tell("pause", within=seconds, **about))

    async def _tell_verdict(self, key: str, verdict: str) -> None:
        await self._reach.tell("learn", client=self._client, key=key, verdict=verdict)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class FencedPace:
    """A shared pace for the requests of one partition; see `SharedPace.fenced`."""

    def __init__(self, pace: SharedPace, fence: Fence) -> None:
        self._pace = pace
        self.gate: Gate = pace.gate
        self.confirm: Callable[[Attempt], bool] = pace.confirm
        self.release: Callable[[Attempt], None] = pace.release
        self.renew: Callable[..., Coroutine[Any, Any, None]] = pace.renew
        self.learn: Callable[..., Coroutine[Any, Any, None]] = pace.learn
        self.aclose: Callable[..., Coroutine[Any, Any, None]] = pace.aclose
        acquire = partial(pace.acquire_fenced, fence=fence)
        self.acquire: Callable[[Attempt], Coroutine[Any, Any, None]] = acquire

    @property
    def rate(self) -> Rate:
        """See `SharedPace`."""
        return self._pace.rate

    def __reduce__(self) -> Never:
        msg = "a shared pace is not pickled: make one in each process, from the same URL"
        raise TypeError(msg)


def _rate(rate: Rate, prefix: str = "") -> dict[str, int]:
    return {f"{prefix}requests": rate.requests, f"{prefix}per": round(rate.per * MICRO)}


def _refusal(answer: Answer, permit: Permit) -> Exception:
    """The error for a request that is never to leave."""
    if answer.kind == "fenced" and permit.fence is not None:
        fence = permit.fence
        return FencedError(
            f"partition {brief(fence.partition)} has been taken over: this run of it is of epoch "
            f"{fence.epoch}, and one of {answer.epoch} sends now; end this one"
        )
    detail = (
        "another client was refused with these credentials, and none sends with them any more; "
        "once they are good, `asyncsdk pace --open` lets one request try"
    )
    if answer.kind == "refused":
        return AuthenticationError(401, Problem("Unauthorized", detail))
    return ConfigurationError(f"Redis gives an answer of another version ({brief(answer.kind)})")
