"""One run of an upload: resume, note the group, send, reconcile, close."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from attrs import define, evolve

from asyncsdk.completion import completed
from asyncsdk.errors import JournalError
from asyncsdk.progress import Phase, Progress
from asyncsdk.results import StoppedBy
from asyncsdk.upload.flights import Stage
from asyncsdk.upload.jobs import Jobs, end_in_time
from asyncsdk.upload.recovery.resume import given_up, left_over

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from asyncsdk.config import UploadOptions
    from asyncsdk.ledger.interface import Resumed
    from asyncsdk.ledger.run import Counts, Run
    from asyncsdk.upload.books import Books
    from asyncsdk.upload.callback import ProgressCallback
    from asyncsdk.upload.ending import Ending
    from asyncsdk.upload.flights import Flight, Flights
    from asyncsdk.upload.queue import Queue
    from asyncsdk.upload.reader import Reader
    from asyncsdk.upload.recovery.baseline import Baseline
    from asyncsdk.upload.recovery.claims import Claim
    from asyncsdk.upload.recovery.reconcile import Reconciler
    from asyncsdk.upload.totals import Totals
    from asyncsdk.upload.verdict.decision import Decision
    from asyncsdk.upload.worker import Workers

__all__ = ["UploadRun"]

logger: logging.Logger = logging.getLogger("asyncsdk")


@define(eq=False)
class UploadRun:
    """Runs the phases one after the other, and closes the accounts whatever ends them."""

    options: UploadOptions
    prepare: Callable[[], Awaitable[None]] | None
    """What is to be known before the first row is read, if anything is."""
    flights: Flights
    queue: Queue
    books: Books
    totals: Totals
    ending: Ending
    reader: Reader
    workers: Workers
    claim: Claim
    baseline: Baseline | None
    """Where it matters what the group held before."""
    reconciler: Reconciler | None
    jobs: Jobs
    callback: ProgressCallback | None = None

    async def run(self) -> None:
        """Upload until the source is exhausted or something stops it, then close the accounts."""
        expiry = None
        if self.options.deadline is not None:
            loop = asyncio.get_running_loop()
            expiry = loop.call_later(self.options.deadline, self._expire)
        if self.callback is not None:
            self.callback.start(self.progress)
        logger.info("an upload into group %d begins", self.claim.group_id)
        try:
            if self._prepares:
                await self._prepare()
            await self.workers.run(self.jobs, self.reader.go)
            while self._in_doubt:
                await self._look_up()
                await self.workers.run(self.jobs)
            if not self.ending.begun:
                self.workers.acquit()
        except asyncio.CancelledError:
            self.ending.begin(StoppedBy.CANCELLED)
            raise
        except BaseException:
            self.ending.begin(StoppedBy.ERROR)
            raise
        finally:
            if expiry is not None:
                expiry.cancel()
            if self._at_rest:
                await self._close()
            else:
                await completed(asyncio.create_task(self._close()))

    # -- phases ----------------------------------------------------------------------------

    @property
    def _prepares(self) -> bool:
        """Whether there is anything to be done before the first row is read."""
        ordinary = self.reader.repeats and not self.books.durable
        return not ordinary or self.prepare is not None or self.baseline is not None

    async def _prepare(self) -> None:
        """Take up what an earlier run left, and what has to be known before the first row."""
        await self._resume(await self.books.open(self.sums))
        if not self.reader.repeats:  # it may go on for as long as the program
            await self._look_up()

    async def _resume(self, resumed: Resumed) -> None:
        """Take up what an earlier run left; nothing of it is sent while the source is in doubt."""
        if not self.reader.repeats:  # what follows is new, and the group may hold other phones now
            resumed = evolve(resumed, exhausted=False, existing=None)
        if resumed.begun:
            self.totals.resume(resumed.run)
        self.workers.batches.checked = resumed.read
        waiting, interrupted = left_over(resumed, self.options.on_unknown)
        doubtful = [self.flights.add(batch, Stage.DOUBTFUL) for batch in interrupted]
        self.queue.put_back([self.flights.add(batch) for batch in waiting])
        if self.prepare is not None:
            await self.jobs.run(self.prepare)
        baseline = self.baseline
        if baseline is not None and baseline.skipping is not None and self.reader.repeats:
            await self.jobs.run(lambda: baseline.restore(resumed))
        if self.ending.begun:
            return
        if self.books.durable:  # there may be nothing to read, or something to read again
            self.reader.start(resumed)
            await self.jobs.run(self.reader.wait_recognised)
        lost = self.reconciler is not None and baseline is not None and baseline.is_lost(resumed)
        if lost and not self.ending.begun:
            # Before the group is noted: what is in doubt may be in it, and would not be found.
            self._settle(doubtful, given_up(interrupted))
            doubtful = []
        if baseline is not None and not resumed.finished:
            await self.jobs.run(lambda: self._note_group(baseline, resumed))
        if doubtful and not self.ending.begun:
            self._settle(doubtful, self.workers.table.doubt(interrupted))

    async def _note_group(self, baseline: Baseline, resumed: Resumed) -> None:
        """Know what the group held before the upload: as it was noted then, or by looking now."""
        if self.reconciler is not None:
            self.reconciler.watch()
        wants_ids = self.reconciler is not None
        if self.callback is not None and baseline.to_read(resumed, ids=wants_ids):
            self.callback.changed()  # it may take a while
        ids = await baseline.read(resumed, ids=wants_ids)
        if self.reconciler is not None:
            self.reconciler.know(ids)
            if baseline.is_lost(resumed):
                self.books.baseline(ids)
        if self.books.durable and resumed.existing is None:
            found = await baseline.existing()
            if found is not None:
                self.books.existing(found)

    @property
    def _in_doubt(self) -> bool:
        """Whether there are phones to be looked up."""
        doubtful = self.reconciler is not None and bool(self.flights.doubtful)
        return doubtful and not self.ending.begun

    async def _look_up(self) -> None:
        """Look up in the group what is unknown, while nothing is under way."""
        if self._in_doubt:
            self.workers.release_permits()
            await self.jobs.run(self._reconcile)
        self.queue.resume()

    async def _reconcile(self) -> None:
        """Look up in the group what is unknown: what is missing there goes out again."""
        assert self.reconciler is not None  # or there is nothing doubtful
        doubtful = self.flights.doubtful
        self._settle(doubtful, await self.reconciler.look([flight.batch for flight in doubtful]))

    def _settle(self, flights: Sequence[Flight], decision: Decision) -> None:
        """Enter what became of these, and have sent again what is to be."""
        again = self.books.settle(flights, decision)
        for flight in again:
            flight.stage = Stage.READY
        self.queue.put_back(again)

    # -- the end ---------------------------------------------------------------------------

    def stop_waiting(self) -> None:
        """The end has begun: whoever is not waiting for a reply stops waiting."""
        self.jobs.cancel(spared=self.workers.waiting_for_replies)

    def abandon(self) -> None:
        """Close the accounts now; the workers are cancelled by whoever cancels `run`."""
        self.ending.begin(StoppedBy.CANCELLED)
        self._close_accounts()

    def runs_in(self, task: asyncio.Task[object] | None) -> bool:
        """Whether a task is one of its own, in which foreign code may wait for its end in vain."""
        callback = None if self.callback is None else self.callback.task
        return task is not None and task in {self.reader.task, callback}

    def _expire(self) -> None:
        """The deadline has come: nothing is waited for any more."""
        self.ending.begin(StoppedBy.DEADLINE)
        self.jobs.cancel()

    @property
    def _at_rest(self) -> bool:
        """Whether nothing has to be waited for to close it."""
        foreign = self.callback is not None or not self.reader.ended
        return self.jobs.idle and not foreign and not self.books.durable

    async def _close(self) -> None:
        """Stop everything, close the accounts and the ledger."""
        self.reader.stop()
        await self.jobs.end()
        self._close_accounts()
        if not self.reader.ended:
            await end_in_time([self.reader.task], "the source")
        if self.books.durable:
            try:
                await self.books.close_ledger(self.run_totals())
            except JournalError as error:
                self.ending.failed(error)
        if self.callback is not None:
            self.callback.end()
            await end_in_time([self.callback.task], "on_progress")
        if logger.isEnabledFor(logging.INFO):
            done = _in_short(self.books.ledger.counts)
            logger.info("an upload into group %d ended: %s", self.claim.group_id, done)

    def _close_accounts(self) -> None:
        """Enter what was read and has no fate yet; from here on nothing is entered any more."""
        if self.totals.ended is not None:
            return
        try:
            self.reader.give_up()
        except Exception as error:  # rows are foreign code, and are no rows then
            logger.warning("the last rows could not be read: %s", type(error).__name__)
        if self.flights:
            self._close_flights()
        self.totals.ended = self.totals.clock()
        settled, read = self.books.ledger.counts.settled, self.workers.batches.read
        assert settled == read, (settled, read)  # the law of accounts
        self.ending.close()
        self.books.close()
        self.claim.close()

    def _close_flights(self) -> None:
        """Enter what is in hand."""
        for flight in self.flights:
            if flight.stage is Stage.LANDED:
                self._close_landed(flight)
        for flight in self.flights:
            self.books.leave(flight, self.workers.abandon(flight))

    def _close_landed(self, flight: Flight) -> None:
        """Enter what a reply says that nobody has looked at yet, if that can be made out."""
        assert flight.reply is not None  # it has landed
        try:
            decision = self.workers.decide(flight, flight.reply)
        except Exception as error:  # whatever it is, the accounts are closed
            logger.warning("a reply could not be read: %s", type(error).__name__)
            return  # it is closed as one that left
        self.books.settle([flight], decision)

    # -- what others ask -------------------------------------------------------------------

    def progress(self) -> Progress:
        """How far it is."""
        counts, totals = self.books.ledger.counts, self.totals
        gate = self.workers.post.requests.pace.gate
        ended = totals.ended is not None
        return Progress(
            read=self.workers.batches.read,
            total=self.reader.total,
            created=counts.created,
            invalid=counts.invalid,
            failed=counts.failed,
            skipped=counts.skipped,
            in_flight=self.flights.phones,
            requests=totals.base.requests + totals.requests,
            retries=totals.base.retries + totals.retries,
            concurrency=self.workers.limit,
            throttled=totals.paused,
            elapsed=totals.elapsed,
            unknown=counts.unknown,
            paused=0.0 if ended else max(0.0, gate.opens - totals.now),
            paused_by=gate.reason,
            phase=self._phase(),
            would_be_sent=counts.would_be_sent,
            lookup=self.reconciler.lookup if self.reconciler else None,
        )

    def _phase(self) -> Phase:
        """What it does now."""
        if self.totals.ended is not None:
            return Phase.ENDED
        if self.baseline is not None and self.baseline.reading:
            return Phase.READING_GROUP
        return (self.reconciler.phase if self.reconciler else None) or Phase.UPLOADING

    def run_totals(self) -> Run:
        """The totals so far, with the course of the run."""
        return self.totals.run(self.books.ledger.counts, self.ending, self.books.timeline)

    def sums(self) -> Run:
        """The totals without the course."""
        return self.totals.run(self.books.ledger.counts, self.ending)


def _in_short(counts: Counts) -> str:
    told = f"{counts.created:,} created, {counts.invalid:,} invalid, {counts.failed:,} failed"
    if counts.would_be_sent:
        told += f", {counts.would_be_sent:,} would be sent"
    if skipped := counts.skipped - counts.would_be_sent:
        told += f", {skipped:,} skipped"
    return told
