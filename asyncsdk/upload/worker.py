"""The way of a batch: from the queue over its request to the books, top to bottom."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from attrs import define, evolve

from asyncsdk.errors import AsyncSDKError, OutcomeUnknownError
from asyncsdk.http.exchange import Attempt, Reply
from asyncsdk.results import WOULD_BE_SENT, Delivery, Outcome, StoppedBy
from asyncsdk.upload.flights import Stage
from asyncsdk.upload.verdict.decision import Decision
from asyncsdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncsdk.errors import ApiError
    from asyncsdk.http.exchange import Request
    from asyncsdk.ledger.entry import Entry
    from asyncsdk.pace.lane import Lane
    from asyncsdk.pace.requests import Requests
    from asyncsdk.pace.retry import Budget
    from asyncsdk.pace.slots import AdaptiveSlots, Slots
    from asyncsdk.upload.books import Books
    from asyncsdk.upload.ending import Ending
    from asyncsdk.upload.flights import Flight, Flights
    from asyncsdk.upload.fuse import Fuse
    from asyncsdk.upload.intake.batches import Batches
    from asyncsdk.upload.jobs import Jobs
    from asyncsdk.upload.queue import Queue
    from asyncsdk.upload.sharing import LoopShare
    from asyncsdk.upload.totals import Totals
    from asyncsdk.upload.verdict.table import Table

__all__ = ["Post", "Workers"]

_SPARE = 2
"""Workers that wait with a batch for a place in flight, so that no place is empty while a reply is
decoded and the next batch is drawn."""
_SMALL = 100
"""Rows of a reply that is read back in a tenth of a millisecond: it holds nobody up."""


class Post(Value, frozen=True, eq=False):
    """How the batches of an upload are posted."""

    requests: Requests
    """The door that all requests of the client pass."""
    request: Request
    """What is asked, without a body."""
    lane: Lane
    """What these requests have for themselves."""
    dry_run: bool = False
    """Whether nothing is sent."""

    async def permit(self) -> Attempt:
        """A request that has waited for pause and rate: its rows are drawn only then.

        It is to be sent soon, or released.
        """
        attempt = Attempt(token=self.requests.credentials.token)
        try:
            await self.lane.acquire(attempt, self.requests.pace)
        except BaseException:
            self.release(attempt)
            raise
        attempt.permitted = True
        return attempt

    def release(self, attempt: Attempt) -> None:
        """Give a permit back that is not used."""
        attempt.permitted = False
        self.requests.pace.release(attempt)
        self.lane.release(attempt)


@define(eq=False)
class Workers:
    """Posts batches, as many at once as may be, and carries out what the table of failures says."""

    post: Post
    concurrency: int
    slots: AdaptiveSlots | None
    """Where the concurrency is adaptive."""
    queue: Queue
    batches: Batches
    flights: Flights
    books: Books
    table: Table
    budget: Budget
    totals: Totals
    ending: Ending
    share: LoopShare
    places: Slots
    fuse: Fuse

    async def run(self, jobs: Jobs, then: Callable[[], None] | None = None) -> None:
        """Work until there is no more work, with as many workers as find some.

        Args:
            jobs: Runs them.
            then: Called when the first is there.
        """
        if self.slots is not None:
            work = partial(self._work_in_slots, self.slots)
            await jobs.run_many(work, self.concurrency, then=then)
        else:
            spare = min(_SPARE, self.concurrency - 1)
            await jobs.run_many(self._work, self.concurrency + spare, then=then)

    @property
    def limit(self) -> int:
        """Requests that may be under way at once, at this moment."""
        return self.concurrency if self.slots is None else self.slots.limit

    @property
    def waiting_for_replies(self) -> set[asyncio.Task[object] | None]:
        """The tasks whose request is under way: they come to their end by themselves."""
        return {flight.task for flight in self.flights if flight.stage is Stage.UNDER_WAY}

    async def _work(self, another: Callable[[], None]) -> None:
        """One of a few more than may be in flight: those have their next batch ready."""
        while not self.ending.begun and (flight := await self.queue.get()) is not None:
            if self.queue.more:
                another()
            await self._carry(flight)
            await self.books.room()

    async def _work_in_slots(self, slots: AdaptiveSlots, another: Callable[[], None]) -> None:
        """A worker that takes nothing while more are at work than the server has room for."""
        while not self.ending.begun:
            async with slots:
                flight = await self.queue.get()
                if flight is None:
                    return
                if self.queue.more:
                    another()
                await self._carry(flight)
                await self.books.room()

    # -- one batch -------------------------------------------------------------------------

    async def _carry(self, flight: Flight) -> None:
        """Post a batch, then put each of its rows where it belongs."""
        flight.stage = Stage.WAITING
        if not self.batches.fits(flight.batch):
            flight = self._fitted(flight)
        if self.queue.endless:
            self._yield_permits(flight)
        async with self.places:
            answer = await self._exchange(flight)
        if isinstance(answer, Reply) and answer.ok:
            if suspects := self.fuse.passed():
                self._again(suspects)
            if not self.books.durable:  # one that is has to record it first
                flight.stage, flight.reply = Stage.LANDED, answer
                await self._give_way(len(flight.batch))
        decision = self.decide(flight, answer)
        if decision.refusal is not None:
            decision = self._suspecting(flight, decision, decision.refusal)
        await self._carry_out(flight, decision)

    async def _give_way(self, rows: int) -> None:
        """Return when a reply to so many rows may be read back.

        If that takes a while, what waits to leave goes first: the batch that takes this place, and
        those that take the places of other replies which came together with this one.
        """
        alone, small = len(self.flights) == 1, rows <= _SMALL
        if not (alone or small):
            await asyncio.sleep(0)
        if not (alone and small):
            await self.share.acquire(rows)

    def _fitted(self, flight: Flight) -> Flight:
        """The first piece of a batch, since batches have to be smaller than when it was cut."""
        first, *others = self.books.recut(flight, self.batches.sized(flight.batch))
        first.attempt = flight.attempt
        self.queue.put_back(others)
        return first

    async def _exchange(self, flight: Flight) -> Reply | AsyncSDKError:
        """One request, from waiting for its permit on; how it ended."""
        if self.post.dry_run:
            return Reply(0, b"")
        departure = _Departure(self, flight)
        request = self.post.request.carrying(flight.batch.body, len(flight.batch))
        answer: Reply | AsyncSDKError
        try:
            answer = await self.post.requests.send(
                request, attempt=flight.attempt, departure=departure
            )
        except AsyncSDKError as error:
            answer = error
        finally:
            departure.over()
        departure.learn(answer)
        return answer

    def abandon(self, flight: Flight) -> Entry:
        """The account of rows that are not sent any more; in a dry run none ever is."""
        if flight.attempt.permitted:
            self.post.release(flight.attempt)
        if self.post.dry_run:
            batch = flight.batch
            return batch.entry(Outcome.SKIPPED, Delivery.NOT_SENT, problem=WOULD_BE_SENT)
        return flight.abandon()

    def release_permits(self) -> None:
        """Have those that wait for a worker wait for their permits once more."""
        for flight in self.flights:
            if flight.attempt.permitted:
                self.post.release(flight.attempt)

    def _yield_permits(self, flight: Flight) -> None:
        """Have no permit wait for a place while those in the places wait for a permit.

        The reader got it for a batch that was to leave at once. Others came back meanwhile.
        """
        if not flight.attempt.permitted:
            self.release_permits()
        elif self.places.full and any(other.waits for other in self.flights):
            self.post.release(flight.attempt)

    def decide(self, flight: Flight, answer: Reply | AsyncSDKError) -> Decision:
        """What the end of its request means for the rows of a batch."""
        if self.post.dry_run:
            return Decision([self.abandon(flight)])
        if isinstance(answer, Reply) and answer.ok:  # how long others waited is nothing to it
            return self.table.reply(flight.batch, answer, streak=0, waited=0.0)
        gate, totals = self.post.requests.pace.gate, self.totals
        waited = gate.waited(totals.clock(), totals.began)
        if isinstance(answer, Reply):
            streak = flight.attempt.streak
            return self.table.reply(flight.batch, answer, streak=streak, waited=waited)
        return self.table.failure(flight.batch, flight.attempt, answer, waited=waited)

    def _suspecting(self, flight: Flight, decision: Decision, refusal: ApiError) -> Decision:
        """The same, unless it may be the request that is refused: see `Fuse`."""
        fuse, batch = self.fuse, flight.batch
        fuse.refused(batch)
        if not (fuse.suspicious if len(batch) > 1 else fuse.holds(batch)):
            return decision
        if len(batch) > 1:
            return decision.changed(again=(batch.take([0]), batch.take(range(1, len(batch)))))
        if fuse.hold(flight, decision):
            # It is in hand without a fate; if the upload ends, it was refused, and is not stored.
            flight.attempt = Attempt()
            flight.batch = batch.because(refusal.problem, refusal.status, refusal.request_id)
            self.books.waiting(flight.batch)
            return Decision(held=True)
        for suspect, _ in fuse.acquit():
            self.books.leave(suspect, suspect.batch.failed(Delivery.ANSWERED))
        return self.table.stop(batch, _of_all(refusal), Delivery.ANSWERED, refusal.request_id)

    def acquit(self) -> None:
        """Nothing else is left to be sent: the phones that were refused alone are at fault."""
        for flight, decision in self.fuse.acquit():
            self.books.settle([flight], decision)

    def _again(self, flights: Sequence[Flight]) -> None:
        """Have these sent once more."""
        for flight in flights:
            flight.stage = Stage.READY
        self.queue.put_back(flights)

    async def _carry_out(self, flight: Flight, decision: Decision) -> None:
        """Do what was decided; nothing is awaited before it is entered and everybody knows."""
        if decision.held:
            self.queue.done()
            return
        now = self.totals.clock()
        again = self.books.settle([flight], decision)
        if decision.doubt:  # it is looked up when nothing is under way
            self.queue.interrupt()
        if decision.size is not None:
            self.batches.size = min(self.batches.size, decision.size)
        gate = self.post.requests.pace.gate
        if decision.pause is not None:
            gate.close(decision.pause.seconds, now, decision.pause.reason)
        if gate.opens > now:
            self.books.timeline.paused(now, gate.opens)
        if decision.stop is not None:
            self.ending.begin(StoppedBy.ERROR, decision.stop)
        wait = decision.backoff
        if decision.tokens:
            wait = max(wait, self.budget.take(now, decision.tokens))
        if wait and not self.ending.begun:  # then it goes out no more
            await asyncio.sleep(wait)
        if again:
            self._again(again)
        self.queue.done()


def _of_all(refusal: ApiError) -> ApiError:
    """A refusal of every batch, and of phones alone."""
    said = f"{refusal.problem.detail} " if refusal.problem.detail else ""
    detail = f"{said}(every batch was refused, and phones alone: it is the request, not the phones)"
    problem = evolve(refusal.problem, detail=detail)
    return type(refusal)(refusal.status, problem, refusal.request_id)


class _Departure:
    """What is done for the request of one batch before it leaves, and what is learned from it."""

    def __init__(self, workers: Workers, flight: Flight) -> None:
        self.lane = workers.post.lane
        self._workers = workers
        self._flight = flight
        self._began: float | None = None
        self._ended = 0.0

    async def record(self) -> None:
        await self._workers.books.sending(self._flight.batch)

    def withdraw(self) -> None:
        self._workers.books.waiting(self._flight.batch)

    def depart(self) -> None:
        """The request has its permit: from here on it may leave."""
        flight, totals = self._flight, self._workers.totals
        self._began = totals.clock()
        flight.attempt.resends = flight.batch.attempts
        totals.request(again=flight.batch.attempts > 0)
        flight.batch = flight.batch.changed(attempts=flight.batch.attempts + 1)
        flight.stage, flight.task = Stage.UNDER_WAY, asyncio.current_task()

    def over(self) -> None:
        """The exchange has ended, however."""
        if self._began is None:
            return
        self._ended, books = self._workers.totals.clock(), self._workers.books
        again = self._flight.batch.attempts > 1
        books.timeline.request(self._ended, self._ended - self._began, again=again)

    def learn(self, answer: Reply | AsyncSDKError) -> None:
        """Tell budget and adaptive concurrency how it went."""
        workers, flight = self._workers, self._flight
        in_flight = 0 if workers.slots is None else workers.flights.requests
        if flight.stage is Stage.UNDER_WAY:
            flight.stage = Stage.WAITING
        good = isinstance(answer, Reply) and answer.ok
        if good:
            workers.budget.give(self._ended)
        if workers.slots is None or self._began is None:
            return
        status = answer.status if isinstance(answer, Reply) else 0
        busy = isinstance(answer, OutcomeUnknownError) or status in _BUSY
        if good or busy:  # refusals of other kinds say nothing
            workers.slots.finished(
                phones=len(flight.batch),
                latency=self._ended - self._began,
                in_flight=in_flight,
                refused=busy,
            )


_BUSY = frozenset({429, 503})
"""Statuses by which a server says that it has too much to do."""
