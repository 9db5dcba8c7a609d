"""The phones of a group: the batch operation, and the upload built on it."""

from __future__ import annotations

import inspect
import sys
from functools import cache, lru_cache, partial
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Unpack

from attrs import frozen

from asyncsdk.config import RetryPolicy, UploadOptions, UploadSettings
from asyncsdk.errors import ConfigurationError
from asyncsdk.http.exchange import PLAIN_JSON, Request
from asyncsdk.ledger.interface import DurableLedger, Resumed
from asyncsdk.ledger.memory import MemoryLedger
from asyncsdk.models import FIELDS, CreatedPhone
from asyncsdk.pace.retrying import Retrying
from asyncsdk.resources.base import Resource
from asyncsdk.upload.assembly import Order, assemble
from asyncsdk.upload.handle import Upload
from asyncsdk.upload.intake.check import Checker
from asyncsdk.upload.intake.columns import Columns
from asyncsdk.upload.intake.inbox import Inbox
from asyncsdk.upload.intake.normalize import normalizer
from asyncsdk.upload.intake.numbers import skipping_of
from asyncsdk.upload.intake.source import (
    RowSource,
    check_source,
    framed,
    options_noted,
)
from asyncsdk.upload.part import ALONE, Part
from asyncsdk.upload.recovery.baseline import Baseline
from asyncsdk.upload.recovery.claims import Claims
from asyncsdk.upload.sender import Sender
from asyncsdk.validators import whole_number
from asyncsdk.wire.batch import BatchResponse, decode_members, encode_members, member_of_created
from asyncsdk.wire.resources import decode_object, encode_object
from asyncsdk.wire.rows import decode_rows

if TYPE_CHECKING:
    from array import array
    from collections.abc import (
        AsyncGenerator,
        AsyncIterable,
        AsyncIterator,
        Awaitable,
        Callable,
        Iterable,
        Mapping,
        Sequence,
    )
    from os import PathLike

    from asyncsdk.config import (
        Adaptive,
        Duplicates,
        Existing,
        FailureLimit,
        Journal,
        Normalize,
        OnUnknown,
        Rate,
    )
    from asyncsdk.http.exchange import Attempt, Reply
    from asyncsdk.ledger.entry import Entry
    from asyncsdk.ledger.interface import Ledger
    from asyncsdk.likes import Frame, PhoneLike
    from asyncsdk.pace.requests import Requests
    from asyncsdk.progress import Progress
    from asyncsdk.resources.groups import GroupsResource
    from asyncsdk.upload.channel import Channel
    from asyncsdk.upload.intake.skipping import Skipping
    from asyncsdk.upload.run import UploadRun

__all__ = ["PhonesResource"]


DEFAULT_RETRY = RetryPolicy()


class PhonesResource(Resource):
    """The phones of a group.

    Every method raises `ApiError` (see `asyncsdk.errors` for its types) on a refusal and
    `TransportError` where no reply came.
    """

    def __init__(self, requests: Requests, groups: GroupsResource, running: set[Upload]) -> None:
        super().__init__(requests)
        self._groups = groups
        self._running = running
        self._claims = Claims()

    def list(self, group_id: int) -> AsyncIterator[CreatedPhone]:
        """All phones of a group, page after page where the server makes pages."""
        return self._list(_path(group_id), CreatedPhone)

    async def create(self, group_id: int, phone: PhoneLike) -> CreatedPhone:
        """Create one phone; for more than a few use `upload`.

        Raises:
            ConfigurationError: It breaks a local rule.
        """
        request = Request("POST", _path(group_id), encode_object(_fields(phone)))
        reply = await self._retrying.call(
            partial(self._create_once, group_id, request), idempotent=False
        )
        created = decode_object(reply.body, CreatedPhone)
        self._claims.created(group_id, encode_members([member_of_created(created)]))
        return created

    async def update(self, phone_id: int, phone: PhoneLike) -> CreatedPhone:
        """Put other data in the place of a phone's.

        Raises:
            ConfigurationError: It breaks a local rule.
        """
        path = f"/phones/{whole_number('phone_id', phone_id)}"
        return decode_object((await self._ask("PUT", path, _fields(phone))).body, CreatedPhone)

    async def delete(self, phone_id: int) -> None:
        """Delete a phone."""
        await self._delete(f"/phones/{whole_number('phone_id', phone_id)}")

    async def create_batch(
        self, group_id: int, phones: Iterable[PhoneLike] | AsyncIterable[PhoneLike] | Frame
    ) -> BatchResponse:
        """Create phones with exactly one `POST /groups/{id}/phones/batch`.

        No local rules, no retries: what the server says of each phone is in `members`.

        Args:
            group_id: The group.
            phones: As for `upload`.

        Returns:
            The members of the reply, in its order.

        Raises:
            ConfigurationError: An item is no phone, or the client cannot be used.
            ApiError: The server refused the request; see `asyncsdk.errors` for the types.
            NotSentError: The request certainly did not reach the server.
            OutcomeUnknownError: It left, and no whole reply came: the phones may be stored.
            ProtocolError: A redirect, or a reply without members: the phones may be stored.
        """
        path = f"{_path(group_id)}/batch"
        source = framed([phones] if isinstance(phones, str) else phones, None)
        check_source(source)
        items: list[object] = []
        await RowSource(source).draw(items, sys.maxsize)
        checked = Checker(limits=False).check(0, items)
        for rejection in checked.rejected:
            msg = f"item {rejection.index} is no phone: {rejection.problem}"
            raise ConfigurationError(msg)
        request = Request("POST", path, checked.body, rows=len(items))
        reply = await self._single.call(
            partial(self._create_once, group_id, request), idempotent=False
        )
        members = tuple(decode_members(reply.body))
        self._claims.created(group_id, reply.body)
        return BatchResponse(members, reply.status, reply.request_id)

    async def _create_once(self, group_id: int, request: Request, attempt: Attempt) -> Reply:
        """As `_once`; a reconcile waits for the reply: what that names is not its own."""
        with self._claims.asking(group_id, attempt):
            return await self._once(request, attempt)

    def upload(
        self,
        group_id: int,
        phones: Iterable[PhoneLike] | AsyncIterable[PhoneLike] | Frame | None,
        *,
        batch_size: int = 1000,
        max_batch_bytes: int = 1_000_000,
        concurrency: int | Adaptive = 8,
        rate: Rate | None = None,
        retry: RetryPolicy = DEFAULT_RETRY,
        on_unknown: OnUnknown = "report",
        quiet_period: float = 30.0,
        columns: Mapping[str, str] | None = None,
        duplicates: Duplicates = "send",
        existing: Existing = "send",
        linger: float | None = None,
        validate: bool = True,
        normalize: str | Normalize | None = None,
        stop_when: FailureLimit | None = None,
        deadline: float | None = None,
        keep_created: bool = True,
        journal: Journal | str | PathLike[str] | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        dry_run: bool = False,
    ) -> Upload:
        """Upload phones of any number, and account for every single one.

        Nothing is sent before the result is awaited, iterated or started.

        Args:
            group_id: The group to put the phones into.
            phones: Any iterable or async iterable of `Phone`, rows with its field names as keys
                (mappings, rows of databases), or numbers; whole numbers become texts, NaN becomes
                None. It is read lazily, from the event loop's thread. The lines of a file that is
                open as text are numbers. A data frame is read as `asyncsdk.sources.read` reads
                it. A rejects file that was read so brings the options that are noted in it:
                `normalize`, `duplicates` and `existing` hold again where they are left out here.
                None where a journal has all of them.
            batch_size: Phones per request at most.
            max_batch_bytes: Bytes per request body at most; one phone alone may be larger.
            concurrency: Requests under way at once, or `Adaptive(min, max)`.
            rate: Requests per window of time at most, for this upload alone; None for no limit but
                that of the client.
            retry: How often and how patiently to resend what was certainly not processed; by
                default a `RetryPolicy()`.
            on_unknown: What to do with phones whose request left without an answer: `report` them
                as failed with delivery UNKNOWN; `reconcile` them with the group's export and
                resend what is missing; or `resend` them, where the provider refuses or merges
                duplicates.
            quiet_period: Seconds that the group must be quiet before a reconcile looks.
            columns: Of rows that have keys, from which one each field is read, such as
                `{"phone": "Mobil", "a": "Anrede"}`; the group's own column names may stand for
                `a` to `e` (the group is then asked for them, before anything is sent). Other keys
                are left out, but for those that are fields.
            duplicates: Whether to `send` a number that came before in this list, or to `skip` it.
                Numbers are compared in their normal form: with `normalize` each has one, without
                it those that say their country, by `+` or `00`. What could be two numbers is not
                skipped.
            existing: Whether to `send` a number that the group holds already, or to `skip` it,
                compared likewise. The group's export is read once, before the first batch (with a
                journal once in its life; in a dry run, too); where that fails, nothing is sent.
            linger: Seconds that a batch which has begun waits for more rows of an async source
                before it leaves as it is; None: until it is full.
            validate: Whether to check the provider's limits before sending.
            normalize: A default region such as `"DE"`, or a `Normalize`: numbers are sent in E.164
                form, and what is no number is invalid, as is what could be two different ones
                (needs `asyncsdk[phone]`).
            stop_when: Stop after so many invalid and failed phones.
            deadline: Seconds after which the upload ends, whatever is under way.
            keep_created: Whether the report keeps the created phones, or only counts them.
            journal: A file that makes the upload survive the end of its process, or a `Journal`.
                The same call with the same file goes on where it stopped: nothing that was
                answered is sent again, and what was under way is treated by `on_unknown`. The
                finished file is the report (`UploadReport.open`). It holds the phones.
            on_progress: Called with a `Progress`, at most ten times a second.
            dry_run: Check everything, send nothing: what would be sent is skipped, and counted as
                `would_be_sent_count`. A journal is left alone.

        Returns:
            The upload; see `Upload`. Awaiting it raises `UploadStopped` if it cannot go on.

        Raises:
            ConfigurationError: An option makes no sense.
            ImportError: `normalize` is given and `asyncsdk[phone]` is not installed.
        """
        _path(group_id)
        noted = options_noted(
            phones, {"normalize": normalize, "duplicates": duplicates, "existing": existing}
        )
        options = _checked(
            batch_size=batch_size,
            max_batch_bytes=max_batch_bytes,
            concurrency=concurrency,
            rate=rate,
            retry=retry,
            on_unknown=on_unknown,
            quiet_period=quiet_period,
            duplicates=noted.get("duplicates", duplicates),
            existing=noted.get("existing", existing),
            linger=linger,
            validate=validate,
            normalize=noted.get("normalize", normalize),
            stop_when=stop_when,
            deadline=deadline,
            keep_created=keep_created,
            journal=journal,
            on_progress=on_progress,
            dry_run=dry_run,
        )
        chosen = None if columns is None else Columns.of(columns)
        country = None if options.normalize is None else options.normalize.country
        source = framed(phones, chosen, country)
        if phones is not None or options.journal is None:
            check_source(source)
        return self._prepared(group_id, source, options, chosen)

    def sender(
        self,
        group_id: int,
        *,
        linger: float = 0.05,
        max_pending: int = 10_000,
        **options: Unpack[UploadSettings],
    ) -> Sender:
        """Take phones one at a time, from many callers, and upload them together.

        A batch leaves when it is full, or when its first phone has waited `linger` seconds and the
        rate lets a request leave.

        Args:
            group_id: The group to put the phones into.
            linger: Seconds.
            max_pending: Phones that may be without a result at once; who adds another one waits.
            **options: As for `upload`. With a `journal` a result is on record before it is given;
                after a kill the same sender takes up what had none. Where a program runs for
                long, `keep_created=False` keeps the accounts small.

        Returns:
            The sender, to be opened with `async with`; see `Sender`.

        Raises:
            ConfigurationError: An option makes no sense.
            TypeError: There is no such option.
            ImportError: As for `upload`.
        """
        _path(group_id)
        whole_number("max_pending", max_pending)
        settings: dict[str, Any] = {**_defaults(), **options, "linger": linger}
        if unknown := settings.keys() - _defaults().keys():
            msg = f"a sender has no such option: {', '.join(sorted(unknown))}"
            raise TypeError(msg)
        columns = settings.pop("columns")
        chosen = None if columns is None else Columns.of(columns)
        checked = UploadOptions(**settings)
        normalizer(checked.normalize)

        def begin(inbox: Inbox, entered: Callable[[Sequence[Entry]], None]) -> Upload:
            return self._prepared(group_id, inbox, checked, chosen, entered)

        return Sender(begin, size=checked.batch_size, linger=linger, max_pending=max_pending)

    def upload_part(
        self, group_id: int, source: object, part: Part, options: Mapping[str, Any]
    ) -> Upload:
        """As `upload`, of what is a part of a larger upload; for `asyncsdk.fleet`.

        Args:
            group_id: The group to put the phones into.
            source: What `asyncsdk.sources.read` gives.
            part: How it knows of the others.
            options: Those of `upload`, but for `columns`.
        """
        every = {**_defaults(), **options}
        del every["columns"]
        return self._prepared(group_id, source, UploadOptions(**every), None, part=part)

    async def note_group(self, group_id: int, skipping: Skipping, retry: RetryPolicy) -> array[int]:
        """Let `skipping` know the numbers that a group holds; returns the ids, in order.

        Raises:
            AsyncSDKError: The group cannot be read.
        """
        gate = self._requests.pace.gate
        retrying = Retrying(retry, gate, SystemRandom(), patient=True)
        view = _GroupView(self._groups, group_id)
        return await Baseline(view, retrying, skipping).read(Resumed(), ids=True)

    def _prepared(
        self,
        group_id: int,
        source: object,
        options: UploadOptions,
        columns: Columns | None,
        entered: Callable[[Sequence[Entry]], None] | None = None,
        part: Part = ALONE,
    ) -> Upload:
        """An upload of which nothing is sent yet."""
        normalizer(options.normalize)
        ledger = _ledger(group_id, options)
        return Upload(
            partial(self._assemble, group_id, source, options, columns, ledger, entered, part),
            ledger,
            running=self._running,
            instrument=self._requests.transport.instrument,
            group_id=group_id,
        )

    def _assemble(
        self,
        group_id: int,
        phones: object,
        options: UploadOptions,
        columns: Columns | None,
        ledger: Ledger,
        entered: Callable[[Sequence[Entry]], None] | None,
        part: Part,
        channel: Channel | None,
    ) -> UploadRun:
        self._requests.transport.sessions.check()
        checker = Checker(
            limits=options.validate,
            normalize=normalizer(options.normalize),
            skipping=part.skips
            or skipping_of(phones, options.duplicates, options.existing, options.normalize),
            keep_source=isinstance(ledger, DurableLedger),
            columns=columns,
        )
        if isinstance(phones, Inbox):
            checker.undecided = 0  # each of its rows is a caller's own, and none speaks for others
        order = Order(
            group_id=group_id,
            source=phones,
            options=options,
            request=Request(
                "POST",
                self._requests.transport.url(f"{_path(group_id)}/batch"),
                accept=PLAIN_JSON,
            ),
            requests=self._requests if part.pace is None else self._requests.through(part.pace),
            checker=checker,
            prepare=part.begin or self._preparation(group_id, checker),
            view=_GroupView(self._groups, group_id),
            claims=self._claims,
            entered=entered,
            neighbours=part.neighbours,
        )
        return assemble(order, ledger, channel)

    def _preparation(self, group_id: int, checker: Checker) -> Callable[[], Awaitable[None]] | None:
        """Asks the group what it calls its columns; None where that need not be known."""
        columns = checker.columns
        if columns is None or not columns.unresolved:
            return None

        async def name_columns() -> None:
            columns.resolve((await self._groups.get(group_id)).columns)

        return name_columns


@cache
def _defaults() -> Mapping[str, Any]:
    """The options of an upload with their defaults, which stand in its signature."""
    parameters = inspect.signature(PhonesResource.upload).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def _checked(**given: Any) -> UploadOptions:
    """The options of an upload; a program that makes many gives the same ones all the time.

    Raises:
        ConfigurationError: One makes no sense.
    """
    if given["journal"] is None and given["on_progress"] is None:
        try:
            return _checked_once(**given)
        except TypeError:  # what cannot be compared makes no sense
            pass
    return UploadOptions(**given)


@lru_cache(maxsize=32, typed=True)
def _checked_once(**given: Any) -> UploadOptions:
    return UploadOptions(**given)


def _ledger(group_id: int, options: UploadOptions) -> Ledger:
    """Where the accounts of an upload are kept; a dry run has nothing to survive."""
    keep_ids = options.on_unknown == "reconcile"
    if options.journal is None or options.dry_run:
        return MemoryLedger(options.keep_created, keep_ids=keep_ids)
    from asyncsdk.ledger.journal.ledger import JournalLedger

    return JournalLedger(options.journal, group_id, options.keep_created, keep_ids=keep_ids)


@frozen
class _GroupView:
    """What a reconcile asks of the group."""

    groups: GroupsResource
    group_id: int

    async def count(self, attempt: Attempt) -> int | None:
        return (await self.groups.get_once(self.group_id, attempt)).count_items

    def phones(self, attempt: Attempt) -> AsyncGenerator[CreatedPhone, None]:
        return self.groups.export_once(self.group_id, attempt)


def _path(group_id: int) -> str:
    return f"/groups/{whole_number('group_id', group_id)}/phones"


def _fields(phone: PhoneLike) -> dict[str, str | None]:
    """All the fields of a phone as they are written, nulls included.

    Raises:
        ConfigurationError: It breaks a local rule.
    """
    checked = Checker().check(0, [phone])
    if checked.rejected:
        msg = f"the phone cannot be written: {checked.rejected[0].problem}"
        raise ConfigurationError(msg)
    row = decode_rows(checked.body)[0]
    return {name: getattr(row, name) for name in FIELDS}
