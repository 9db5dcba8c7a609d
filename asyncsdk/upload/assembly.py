"""Puts the parts of a run together."""

from __future__ import annotations

import asyncio
from functools import partial
from random import SystemRandom
from typing import TYPE_CHECKING

from attrs import define

from asyncsdk.config import Adaptive
from asyncsdk.pace.knee import Knee
from asyncsdk.pace.lane import Lane
from asyncsdk.pace.retry import Budget
from asyncsdk.pace.retrying import Retrying
from asyncsdk.pace.slots import AdaptiveSlots, Slots
from asyncsdk.results import StoppedBy
from asyncsdk.upload.books import Books
from asyncsdk.upload.callback import ProgressCallback
from asyncsdk.upload.ending import Ending
from asyncsdk.upload.flights import Flights
from asyncsdk.upload.fuse import Fuse
from asyncsdk.upload.intake.batches import Batches
from asyncsdk.upload.intake.inbox import Inbox
from asyncsdk.upload.intake.skipping import Skipping
from asyncsdk.upload.intake.source import RowSource
from asyncsdk.upload.jobs import Jobs
from asyncsdk.upload.queue import Queue
from asyncsdk.upload.reader import Reader
from asyncsdk.upload.recovery.baseline import Baseline
from asyncsdk.upload.recovery.reconcile import Reconciler
from asyncsdk.upload.run import UploadRun
from asyncsdk.upload.sharing import LoopShare
from asyncsdk.upload.totals import Totals
from asyncsdk.upload.verdict.table import Table
from asyncsdk.upload.worker import Post, Workers
from asyncsdk.value import Value

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from asyncsdk.config import FailureLimit, UploadOptions
    from asyncsdk.http.exchange import Request
    from asyncsdk.ledger.entry import Entry
    from asyncsdk.ledger.interface import Ledger
    from asyncsdk.pace.requests import Requests
    from asyncsdk.telemetry.interface import Instrument
    from asyncsdk.upload.channel import Channel
    from asyncsdk.upload.intake.check import Checker
    from asyncsdk.upload.intake.source import Rows
    from asyncsdk.upload.part import Neighbours
    from asyncsdk.upload.recovery.baseline import GroupView
    from asyncsdk.upload.recovery.claims import Claim, Claims

__all__ = ["Order", "assemble"]

_ROUND = 1000
"""Rows drawn or read back between two polls of the event loop: three default batches take two or
three milliseconds."""
_RANDOM = SystemRandom()
"""It has no state that a fork would share."""


class Order(Value, frozen=True, eq=False):
    """What is to be uploaded, where to, and by which means."""

    group_id: int
    source: object
    """An iterable or async iterable of rows, or an `Inbox`; None where a journal has all."""
    options: UploadOptions
    request: Request
    """What is asked, without a body."""
    requests: Requests
    """The door that all requests of the client pass."""
    checker: Checker
    prepare: Callable[[], Awaitable[None]] | None
    """What is to be known before the first row is read, if anything is."""
    view: GroupView
    """The group, for a reconcile, and where phones that it holds are not sent."""
    claims: Claims
    """The uploads of the client."""
    entered: Callable[[Sequence[Entry]], None] | None = None
    """Called with the fates that were entered."""
    neighbours: Neighbours | None = None
    """The other parts, where it is one of a larger upload."""


@define(eq=False)
class _Listeners:
    """Whoever must hear of the fates that are entered."""

    claim: Claim
    limit: Callable[[], None] | None
    """Stops the upload if too much went wrong."""
    instrument: Instrument | None
    """None in a dry run, which decides nobody's fate."""
    sender: Callable[[Sequence[Entry]], None] | None
    callback: ProgressCallback | None = None

    def __call__(self, entries: Sequence[Entry]) -> None:
        """Fates were entered; none, where rows go out again."""
        self.claim.entered(entries)
        if self.limit is not None:
            self.limit()
        if entries and self.instrument is not None:
            self.instrument.phones(entries)
        if self.sender is not None:
            self.sender(entries)
        if self.callback is not None:
            self.callback.changed()


def assemble(order: Order, ledger: Ledger, channel: Channel | None) -> UploadRun:
    """The run of an upload, for the event loop that this is called in."""
    options, requests = order.options, order.requests
    clock = asyncio.get_running_loop().time
    queue = Queue(endless=isinstance(order.source, Inbox))
    flights, ending, share = Flights(), Ending(), LoopShare(_ROUND)
    claim = order.claims.open(order.group_id, flights)
    totals = Totals(clock, requests.pace.gate.throttled, order.group_id, options.dry_run)
    table = Table(options.retry, options.on_unknown, _RANDOM)
    batches = Batches(order.checker, options.batch_size, options.max_batch_bytes)

    stop = options.stop_when
    limit = None if stop is None else partial(_check_limit, stop, ledger, totals, ending)
    instrument = None if options.dry_run else requests.transport.instrument
    listeners = _Listeners(claim, limit, instrument, order.entered)
    books = Books(ledger, flights, channel, clock, listeners)
    concurrency = min(options.workers, requests.connections)
    post, source = _post(order), _rows(order)
    reconciler = _reconciler(order, ledger, claim, table)
    single = isinstance(source, Inbox) and not options.dry_run
    run = UploadRun(
        options,
        order.prepare,
        flights,
        queue,
        books,
        totals,
        ending,
        Reader(
            source,
            batches,
            books=books,
            queue=queue,
            totals=totals,
            ending=ending,
            share=share,
            linger=options.linger,
            post=post if single else None,
        ),
        Workers(
            post,
            concurrency,
            _slots(options, concurrency),
            queue,
            batches,
            flights,
            books,
            table,
            Budget(interval=options.retry.base * 2),
            totals,
            ending,
            share,
            Slots(concurrency),
            Fuse(armed=not isinstance(order.source, Inbox)),
        ),
        claim,
        _baseline(order, reconciler),
        reconciler,
        Jobs(ending, foreign=_foreign(order)),
    )
    if options.on_progress is not None:
        run.callback = listeners.callback = ProgressCallback(options.on_progress)
    if channel is not None:
        ending.on_begin(channel.lift_limit)
    ending.on_begin(run.reader.stop)
    ending.on_begin(run.stop_waiting)
    return run


def _rows(order: Order) -> Rows | None:
    """What the rows are drawn from."""
    if order.source is None or isinstance(order.source, Inbox):
        return order.source
    return RowSource(order.source)  # type: ignore[arg-type]


def _foreign(order: Order) -> bool:
    """Whether its requests pass what is not ours: somebody's pace, or session."""
    requests = order.requests
    return requests.transport.sessions.borrowed or not requests.local


def _slots(options: UploadOptions, concurrency: int) -> AdaptiveSlots | None:
    if not isinstance(options.concurrency, Adaptive):
        return None
    return AdaptiveSlots(Knee(Adaptive(min(options.concurrency.min, concurrency), concurrency)))


def _post(order: Order) -> Post:
    lane = Lane(order.options.rate)
    return Post(order.requests, order.request, lane, order.options.dry_run)


def _baseline(order: Order, reconciler: Reconciler | None) -> Baseline | None:
    skips = order.checker.skipping if order.options.existing == "skip" else None
    skipping = skips if isinstance(skips, Skipping) else None
    if skipping is None and reconciler is None:
        return None
    return Baseline(order.view, _patient(order), skipping, order.neighbours)


def _patient(order: Order) -> Retrying:
    """How the group is read: for as long as an outage may last."""
    return Retrying(order.options.retry, order.requests.pace.gate, _RANDOM, patient=True)


def _reconciler(order: Order, ledger: Ledger, claim: Claim, table: Table) -> Reconciler | None:
    options = order.options
    if options.on_unknown != "reconcile" or options.dry_run:
        return None
    retrying = _patient(order)
    return Reconciler(
        order.view, retrying, options.quiet_period, ledger, claim, table, order.neighbours
    )


def _check_limit(limit: FailureLimit, ledger: Ledger, totals: Totals, ending: Ending) -> None:
    """Stop if too much of what this run settled was not created."""
    counts, then = ledger.counts, totals.base.counts
    if limit.reached(counts.bad - then.bad, counts.settled - then.settled):
        ending.begin(StoppedBy.STOP_WHEN)
