"""Wires the stages: fixed workers draw batches, post them, and settle what comes back.

Invariants:
- every row read is at any time in exactly one place: the source's rest, the work given back, a
  worker's hands (`_held`, also while its reply waits in `_landed`), the unknown, or the ledger;
- nothing is awaited between taking rows out of one place and putting them into the next;
- a worker catches every error, so that none cancels its siblings.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Protocol

from attrs import evolve, frozen

from asyncsdk.config import Adaptive
from asyncsdk.errors import AsyncSDKError, JournalError, OutcomeUnknownError
from asyncsdk.http.exchange import Attempt, Reply
from asyncsdk.ledger.interface import DurableLedger, Resumed
from asyncsdk.ledger.run import Run
from asyncsdk.models import Problem
from asyncsdk.pace.knee import Knee
from asyncsdk.progress import Progress
from asyncsdk.results import Delivery
from asyncsdk.upload.accounts import Accounts
from asyncsdk.upload.intake.batches import Batches, count_on
from asyncsdk.upload.pace import Gate, Limiter, Slots
from asyncsdk.upload.recovery.resume import given_up, know_again, left_over, note_group
from asyncsdk.upload.retry import Budget
from asyncsdk.upload.turns import Turns
from asyncsdk.upload.verdict.judge import Judge
from asyncsdk.upload.verdict.settlement import Settlement
from asyncsdk.upload.work import Work

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncsdk.config import UploadOptions
    from asyncsdk.ledger.entry import Entry
    from asyncsdk.ledger.interface import Ledger
    from asyncsdk.upload.channel import Channel
    from asyncsdk.upload.intake.batches import Batch
    from asyncsdk.upload.intake.check import Checker
    from asyncsdk.upload.recovery.reconcile import Reconciler

__all__ = ["Pipeline", "Post"]

logger = logging.getLogger("asyncsdk")

_PROGRESS_INTERVAL = 0.1
"""Seconds between two calls of `on_progress` at least."""

_DRY = Problem("Not sent", "a dry run sends nothing")

_SPARE = 2
"""Workers that wait with a batch for a place in flight, so that no place is empty while a reply is
decoded and the next batch is drawn."""

_ROUND = 1000
"""Rows drawn or read back between two polls of the event loop: three default batches take two or
three milliseconds."""

_BUSY = frozenset({429, 503})
"""Statuses by which a server says that it has too much to do."""


class Post(Protocol):
    """Posts one batch."""

    async def __call__(
        self,
        *,
        body: bytes,
        attempt: Attempt,
        before: Callable[[], Awaitable[None]],
        begins: Callable[[], None],
    ) -> Reply:
        """One exchange, as `Transport.request`."""


@frozen
class _Outcome:
    """How a request ended."""

    settlement: Callable[[], Settlement]
    """Tells what that means for the rows of its batch."""
    good: bool = False
    """Whether the server took the batch, so that the next request may leave before this is told."""


class Pipeline:
    """One run of an upload."""

    def __init__(
        self,
        source: object,
        options: UploadOptions,
        *,
        post: Post,
        checker: Checker,
        prepare: Callable[[], Awaitable[None]],
        ledger: Ledger,
        channel: Channel | None = None,
        pool_size: int | None = None,
        reconciler: Reconciler | None = None,
        random: Random | None = None,
    ) -> None:
        self._options = options
        self._post = post
        self._prepare = prepare
        self._ledger = ledger
        self._durable = ledger if isinstance(ledger, DurableLedger) else None
        self._channel = channel
        self._reconciler = reconciler
        self._concurrency = min(options.workers, pool_size or options.workers)
        self._slots: Slots | None = None
        if isinstance(options.concurrency, Adaptive):
            low = min(options.concurrency.min, self._concurrency)
            self._slots = Slots(Knee(Adaptive(low, self._concurrency)))
        self._clock = asyncio.get_running_loop().time
        self._accounts = Accounts(ledger, channel, self._clock, self._entered)
        self._batches = Batches(
            source,
            checker,
            options.batch_size,
            options.max_batch_bytes,
            register=self._accounts,
            breathe=self._breathe,
            clock=self._clock,
        )
        self._work = Work(self._batches)
        self._gate = Gate()
        self._limiter = Limiter(options.rate) if options.rate else None
        self._judge = Judge(
            options.retry,
            options.on_unknown,
            self._gate,
            Budget(interval=options.retry.base * 2),
            self._batches,
            random or Random(),
            self._clock,
        )
        self._held: dict[Batch, Attempt] = {}
        self._landed: dict[Batch, _Outcome] = {}
        """Of the held those whose request was answered well, and not yet looked at."""
        self._flights = asyncio.Semaphore(self._concurrency)
        self._under_way: dict[asyncio.Task[None] | None, int] = {}
        self._unknown: list[Batch] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._turns = Turns(_ROUND)
        self._requests = 0
        self._retries = 0
        self._base = Run()
        """What earlier runs took, and had settled."""
        self._began = self._clock()
        self._ended: float | None = None
        self._progress_due = 0.0
        self._draining = False
        self._stopped_by: str | None = None
        self.cause: BaseException | None = None
        """The error that ended the run, if one did."""

    # -- what others ask -------------------------------------------------------------------

    @property
    def elapsed(self) -> float:
        """Seconds since the start, or from start to end."""
        now = self._clock() if self._ended is None else self._ended
        return self._base.elapsed + now - self._began

    def progress(self) -> Progress:
        """How far it is."""
        counts = self._ledger.counts
        return Progress(
            read=self._batches.read,
            created=counts.created,
            invalid=counts.invalid,
            failed=counts.failed,
            in_flight=sum(self._under_way.values()),
            requests=self._base.requests + self._requests,
            retries=self._base.retries + self._retries,
            concurrency=self._concurrency if self._slots is None else self._slots.limit,
            throttled=self._base.throttled + self._gate.throttled(self._clock()),
            elapsed=self.elapsed,
            unknown=counts.unknown,
            paused=max(0.0, self._gate.opens - self._clock()),
            paused_by=self._gate.reason,
            looking=self._reconciler.doing if self._reconciler else "",
            looked_up=self._reconciler.found if self._reconciler else "",
        )

    def totals(self) -> Run:
        """The totals so far."""
        course = self._accounts.timeline.history(self.elapsed - self._base.elapsed)
        return evolve(self._sums(), history=(*self._base.history, course))

    def _sums(self) -> Run:
        """The totals without the course."""
        base, now = self._base, self._clock() if self._ended is None else self._ended
        return Run(
            counts=self._ledger.counts,
            requests=base.requests + self._requests,
            retries=base.retries + self._retries,
            throttled=base.throttled + self._gate.throttled(now),
            elapsed=self.elapsed,
            complete=self._ended is not None and self._stopped_by is None,
            stopped_by=self._stopped_by,
            batches=base.batches + self._batches.made,
            bytes=base.bytes + self._batches.encoded,
        )

    # -- running and stopping --------------------------------------------------------------

    async def run(self) -> None:
        """Upload until the source is exhausted or something stops it, then close the accounts."""
        loop = asyncio.get_running_loop()
        expiry = None
        if self._options.deadline is not None:
            expiry = loop.call_later(self._options.deadline, self._expire)
        try:
            resumed = Resumed() if self._durable is None else await self._durable.open(self._sums)
            await self._begin(resumed)
            await self._phase(self._workers())
            while self._reconciler is not None and self._unknown and not self._draining:
                await self._phase([self._reconcile])
                await self._phase(self._workers())
        except asyncio.CancelledError:
            self.halt("cancelled")
            raise
        except JournalError:
            self.halt("error")
            raise
        finally:
            if expiry is not None:
                expiry.cancel()
            await self._finish()

    def halt(self, stopped_by: str, cause: BaseException | None = None) -> None:
        """Begin nothing new: what is under way comes to its end, whoever waits stops waiting."""
        if self._draining or self._ended is not None:
            return
        self._draining = True
        self._stopped_by = stopped_by
        self.cause = cause
        if cause is not None:
            logger.warning("an upload stops: %s", type(cause).__name__)
        if self._channel is not None:
            self._channel.open_wide()
        for task in self._tasks:
            if task not in self._under_way:
                task.cancel()

    def abandon(self) -> None:
        """Close the accounts now; the workers are cancelled by whoever cancels `run`."""
        self.halt("cancelled")
        self._close_accounts()

    def _close_accounts(self) -> None:
        """Enter what was read and has no fate yet; from here on nothing is entered any more."""
        if self._ended is not None:
            return
        running = any(not task.done() for task in self._tasks)
        for batch, outcome in self._landed.items():
            self._close_landed(batch, outcome)
        for batch, attempt in self._held.items():
            # While its worker still runs, a request that was begun may leave at any moment.
            left = attempt.left or (running and attempt.begun)
            self._accounts.leave(batch, self._abandoned(batch, left=left))
        for batch in self._work.rest():
            self._accounts.leave(batch, self._abandoned(batch, left=False))
        for batch in self._unknown:
            self._accounts.leave(batch, batch.failed(Delivery.UNKNOWN))
        self._landed.clear()
        self._held.clear()
        self._unknown.clear()
        self._ended = self._clock()
        settled = self._ledger.counts.settled
        assert settled == self._batches.read, (settled, self._batches.read)  # noqa: S101 - the law
        self._accounts.close()

    def _close_landed(self, batch: Batch, outcome: _Outcome) -> None:
        """Enter what a reply says that nobody has looked at yet, if that can be made out."""
        try:
            settlement = outcome.settlement()
        except Exception as error:  # noqa: BLE001 - whatever it is, the accounts are closed
            logger.warning("a reply could not be read: %s", type(error).__name__)
            return  # it is still held, as one that left
        del self._held[batch]
        self._settled([batch], settlement)
        for again in settlement.again:
            self._accounts.leave(again, self._abandoned(again, left=False))

    async def _finish(self) -> None:
        """Stop the workers, close the accounts and the source, whatever happens meanwhile."""
        for task in self._tasks:
            task.cancel()
        try:
            if self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            self._close_accounts()
            try:
                await self._close_ledger()
            finally:
                self._tell_progress(last=True)
                await self._close_source()

    async def _close_ledger(self) -> None:
        try:
            if self._durable is not None:
                await self._durable.close(self.totals())
        except JournalError as error:
            if self.cause is None:
                self._stopped_by, self.cause = self._stopped_by or "error", error

    async def _close_source(self) -> None:
        try:
            await self._batches.close()
        except Exception as error:  # noqa: BLE001 - the source is foreign code
            logger.warning("closing the source of an upload failed: %s", type(error).__name__)

    def _expire(self) -> None:
        """The deadline has come: nothing is waited for any more."""
        self.halt("deadline")
        for task in self._tasks:
            task.cancel()

    # -- the workers -----------------------------------------------------------------------

    async def _phase(self, jobs: list[Callable[[], Awaitable[None]]]) -> None:
        """Run these side by side until each has ended; an error of one stops the upload."""
        if not self._draining:
            self._tasks = [asyncio.create_task(self._guarded(job)) for job in jobs]
            await asyncio.wait(self._tasks)

    async def _guarded(self, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except Exception as error:  # noqa: BLE001 - the source is foreign code
            self.halt("error", error)

    def _workers(self) -> list[Callable[[], Awaitable[None]]]:
        if self._slots is not None:
            return [partial(self._slot_worker, self._slots)] * self._concurrency
        return [self._worker] * (self._concurrency + min(_SPARE, self._concurrency - 1))

    async def _worker(self) -> None:
        """One of a few more than may be in flight: those have their next batch ready."""
        await self._turns.take(self._batches.size)
        while not self._draining and (batch := await self._work.next()) is not None:
            await self._carry(batch)
            await self._room()
            await self._turns.take(self._batches.size)

    async def _slot_worker(self, slots: Slots) -> None:
        """A worker that draws nothing while more are at work than the server has room for."""
        while not self._draining:
            async with slots:
                batch = await self._work.next()
                if batch is None:
                    return
                await self._carry(batch)
                await self._room()
            await self._turns.take(self._batches.size)

    async def _reconcile(self) -> None:
        """Look up in the group what is unknown: what is missing there goes out again."""
        assert self._reconciler is not None  # noqa: S101 - or there is nothing unknown
        unknown = self._unknown
        settlement = await self._reconciler.look(unknown)
        self._unknown = []
        self._settled(unknown, settlement)
        self._give_back(settlement.again)

    def _give_back(self, batches: list[Batch]) -> None:
        """Have these sent before anything new."""
        for batch in batches:
            self._work.put(batch)

    async def _breathe(self) -> None:
        """Let others run, and wait for a slow disk or consumer."""
        await asyncio.sleep(0)
        await self._room()

    async def _room(self) -> None:
        """Wait for a slow disk or consumer."""
        if self._durable is not None:
            await self._durable.room()
        if self._channel is not None:
            await self._channel.room()

    async def _carry(self, batch: Batch) -> None:
        """Post a batch, then put each of its rows where it belongs."""
        attempt = self._held[batch] = Attempt()
        async with self._flights:
            outcome = await self._exchange(batch, attempt)
        if outcome.good and self._durable is None:  # a durable one has to record it first
            self._landed[batch] = outcome
            # What waits to leave goes first: the one that takes this place, and those that take the
            # places of other replies which came together with this one.
            await asyncio.sleep(0)
            await self._turns.take(len(batch))
            del self._landed[batch]
        settlement = outcome.settlement()
        del self._held[batch]
        self._accounts.timeline.paused(self._clock(), self._gate.opens)
        self._settled([batch], settlement)
        for again in settlement.again:
            self._held[again] = Attempt()
        if settlement.stop is not None:
            self.halt("error", settlement.stop)
        if settlement.pause:
            await asyncio.sleep(settlement.pause)
        for again in settlement.again:
            del self._held[again]
        self._give_back(settlement.again)
        self._work.done()

    async def _exchange(self, batch: Batch, attempt: Attempt) -> _Outcome:
        """One request, from waiting for its turn on."""
        if self._options.dry_run:
            entry = batch.because(_DRY).failed(Delivery.NOT_SENT)
            return _Outcome(partial(Settlement, [entry]))
        task = asyncio.current_task()
        epoch, began = 0, None

        def begins() -> None:
            nonlocal epoch, began
            epoch, began = self._gate.epoch, self._clock()
            attempt.begun = True
            self._under_way[task] = len(batch)
            self._requests += 1
            self._retries += batch.attempts > 0
            batch.attempts += 1

        try:
            reply = await self._post(
                body=batch.body,
                attempt=attempt,
                before=partial(self._admit, batch, attempt),
                begins=begins,
            )
        except AsyncSDKError as error:
            self._learn(batch, began, lost=isinstance(error, OutcomeUnknownError))
            return _Outcome(partial(self._judge.error, batch, attempt, error))
        else:
            self._learn(batch, began, status=reply.status)
            return _Outcome(partial(self._judge.reply, batch, reply, epoch), good=reply.ok)
        finally:
            self._forgo(attempt)
            self._under_way.pop(task, None)
            if began is not None:
                now = self._clock()
                self._accounts.timeline.request(now, now - began, again=batch.attempts > 1)

    def _learn(
        self, batch: Batch, began: float | None, *, status: int = 0, lost: bool = False
    ) -> None:
        """Tell an adaptive concurrency how a request went: refusals of other kinds say nothing."""
        if self._slots is None or began is None:
            return
        busy = lost or status in _BUSY
        if busy or 200 <= status < 300:  # noqa: PLR2004 - the class 2xx
            self._slots.finished(
                phones=len(batch),
                latency=self._clock() - began,
                in_flight=len(self._under_way),
                refused=busy,
            )

    async def _admit(self, batch: Batch, attempt: Attempt) -> None:
        """Wait until gate and limiter let the request through at once, and it is on record."""
        while True:
            await self._gate.wait()
            if self._limiter is not None:
                await self._limiter.turn(attempt)
            if not self._gate.closed(self._clock()):
                break
            self._forgo(attempt)
        if self._durable is not None:
            await self._durable.sending(batch)

    def _forgo(self, attempt: Attempt) -> None:
        """Let others have the turn of a request that is over, or has to wait again."""
        if self._limiter is not None:
            self._limiter.end(attempt)

    async def _begin(self, resumed: Resumed) -> None:
        """Take up what an earlier run left; nothing of it is sent while the source is in doubt."""
        self._base = evolve(resumed.run, counts=evolve(resumed.run.counts))
        self._batches.checked = resumed.read
        count_on(resumed.last_key)
        waiting, interrupted = left_over(resumed, self._options.on_unknown)
        self._unknown += interrupted
        self._give_back(waiting)
        await self._phase([self._prepare])
        if resumed.begun and self._durable is not None:
            await self._phase([partial(know_again, self._batches, self._durable, resumed)])
        if self._reconciler is not None and not resumed.finished:
            await self._phase([partial(note_group, self._reconciler, self._durable, resumed)])
        if interrupted and not self._draining:
            blind = self._reconciler is not None and resumed.baseline is None
            settlement = given_up(interrupted) if blind else self._judge.doubt(interrupted)
            self._unknown = []
            self._settled(interrupted, settlement)
            self._give_back(settlement.again)

    # -- the accounts ----------------------------------------------------------------------

    def _settled(self, old: list[Batch], settlement: Settlement) -> None:
        """Enter what became of the rows of these batches; those in doubt are looked up later."""
        if self._ended is None:
            self._accounts.settle(old, settlement)
            self._unknown += settlement.doubt

    def _entered(self) -> None:
        """Something was entered in the accounts."""
        self._check_limit()
        self._tell_progress()

    def _abandoned(self, batch: Batch, *, left: bool) -> Entry:
        """The account of rows that were read and met no fate."""
        if left:
            told = "the upload ended while these phones were under way"
            batch.because(Problem("Outcome unknown", told))
        elif batch.problem is None:
            batch.because(Problem("Not sent", "the upload ended before these phones were sent"))
        return batch.failed(Delivery.UNKNOWN if left else Delivery.NOT_SENT)

    def _check_limit(self) -> None:
        """Stop if too much of what this run settled was not created."""
        limit, counts, then = self._options.stop_when, self._ledger.counts, self._base.counts
        settled = counts.settled - then.settled
        if limit is not None and limit.reached(settled - (counts.created - then.created), settled):
            self.halt("stop_when")

    def _tell_progress(self, *, last: bool = False) -> None:
        """Call `on_progress` unless it was called just now; its own errors are its own."""
        tell, now = self._options.on_progress, self._clock()
        if tell is None or (now < self._progress_due and not last):
            return
        self._progress_due = now + _PROGRESS_INTERVAL
        try:
            tell(self.progress())
        except Exception:
            logger.exception("on_progress raised; the upload goes on")
