"""The operations of the API, grouped by resource: what stands behind `client.phones`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from asyncsdk.config import Rate, RetryPolicy, UploadOptions
from asyncsdk.errors import ConfigurationError
from asyncsdk.models import Phone
from asyncsdk.upload.batches import check_source
from asyncsdk.upload.check import Checker
from asyncsdk.upload.handle import Upload
from asyncsdk.upload.normalize import normalizer
from asyncsdk.upload.pipeline import Pipeline
from asyncsdk.wire.batch import BatchResponse, decode_members, encode_rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable
    from os import PathLike

    from asyncsdk.config import Adaptive, Duplicates, FailureLimit, OnUnknown
    from asyncsdk.ledger.memory import MemoryLedger
    from asyncsdk.report import Progress
    from asyncsdk.transport import Transport
    from asyncsdk.upload.channel import Channel

__all__ = ["PhoneLike", "PhonesResource"]

PhoneLike = Phone | Mapping[str, str | None] | str
"""What stands for one phone: a `Phone`, a mapping with its field names, or the bare number."""

DEFAULT_RATE = Rate(10, per=1.0)
DEFAULT_RETRY = RetryPolicy()


class PhonesResource:
    """The phones of a group."""

    def __init__(self, transport: Transport, running: set[Upload]) -> None:
        self._transport = transport
        self._running = running

    async def create_batch(self, group_id: int, phones: Iterable[PhoneLike]) -> BatchResponse:
        """Create phones with exactly one `POST /groups/{id}/phones/batch`.

        No local rules, no retries: what the server says of each phone is in `members`.

        Args:
            group_id: The group.
            phones: Phones, mappings with their field names, or numbers.

        Returns:
            The members of the reply, in its order.

        Raises:
            ConfigurationError: An item is no phone, or the client cannot be used.
            ApiError: The server refused the request; see `asyncsdk.errors` for the types.
            NotSentError: The request certainly did not reach the server.
            OutcomeUnknownError: It left, and no whole reply came: the phones may be stored.
            ProtocolError: A redirect, or a reply without members: the phones may be stored.
        """
        path = batch_path(group_id)
        items = [phones] if isinstance(phones, str) else list(phones)
        checked = Checker(limits=False).check(0, items)
        for rejection in checked.rejected:
            msg = f"item {rejection.index} is no phone: {rejection.problem}"
            raise ConfigurationError(msg)
        reply = await self._transport.request("POST", path, body=encode_rows(checked.rows))
        if not reply.ok:
            raise reply.error()
        return BatchResponse(tuple(decode_members(reply.body)), reply.status, reply.request_id)

    def upload(
        self,
        group_id: int,
        phones: Iterable[PhoneLike] | AsyncIterable[PhoneLike],
        *,
        batch_size: int = 1000,
        max_batch_bytes: int = 1_000_000,
        concurrency: int | Adaptive = 8,
        rate: Rate | None = DEFAULT_RATE,
        retry: RetryPolicy = DEFAULT_RETRY,
        on_unknown: OnUnknown = "report",
        quiet_period: float = 30.0,
        duplicates: Duplicates = "send",
        validate: bool = True,
        normalize: str | None = None,
        stop_when: FailureLimit | None = None,
        deadline: float | None = None,
        keep_created: bool = True,
        journal: str | PathLike[str] | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        dry_run: bool = False,
    ) -> Upload:
        """Upload phones of any number, and account for every single one.

        Nothing is sent before the result is awaited, iterated or started.

        Args:
            group_id: The group to put the phones into.
            phones: Any iterable or async iterable of `Phone`, mappings with its field names, or
                numbers. It is read lazily, from the event loop's thread.
            batch_size: Phones per request at most.
            max_batch_bytes: Bytes per request body at most; one phone alone may be larger.
            concurrency: Requests under way at once, or `Adaptive(min, max)`.
            rate: Requests per window of time at most, or None for no limit.
            retry: How often and how patiently to resend what was certainly not processed.
            on_unknown: What to do with phones whose request left without an answer: `report` them
                as failed with delivery UNKNOWN; `reconcile` them with the group's export and
                resend what is missing; or `resend` them, where the provider refuses or merges
                duplicates.
            quiet_period: Seconds that the group must be quiet before a reconcile looks.
            duplicates: Whether to `send` a number that occurred before, or to `skip` it as invalid.
            validate: Whether to check the provider's limits before sending.
            normalize: A default region such as `"DE"`: numbers are sent in E.164 form, and what is
                no number is invalid (needs `asyncsdk[phone]`).
            stop_when: Stop after so many invalid and failed phones.
            deadline: Seconds after which the upload ends, whatever is under way.
            keep_created: Whether the report keeps the created phones, or only counts them.
            journal: A file that makes the upload survive a crash.
            on_progress: Called with a `Progress`, at most ten times a second.
            dry_run: Check everything, send nothing.

        Returns:
            The upload; see `Upload`. Awaiting it raises `UploadStopped` if it cannot go on.

        Raises:
            ConfigurationError: An option makes no sense.
        """
        path = batch_path(group_id)
        options = UploadOptions(
            batch_size=batch_size,
            max_batch_bytes=max_batch_bytes,
            concurrency=concurrency,
            rate=rate,
            retry=retry,
            on_unknown=on_unknown,
            quiet_period=quiet_period,
            duplicates=duplicates,
            validate=validate,
            normalize=normalize,
            stop_when=stop_when,
            deadline=deadline,
            keep_created=keep_created,
            journal=journal,
            on_progress=on_progress,
            dry_run=dry_run,
        )
        check_source(phones)
        normalizer(options.normalize)
        return Upload(
            partial(self._pipeline, path, phones, options),
            keep_created=keep_created,
            running=self._running,
        )

    def _pipeline(
        self,
        path: str,
        phones: object,
        options: UploadOptions,
        ledger: MemoryLedger,
        channel: Channel | None,
    ) -> Pipeline:
        self._transport.open()
        return Pipeline(
            phones,
            options,
            post=partial(self._transport.request, "POST", path),
            checker=Checker(
                limits=options.validate,
                normalize=normalizer(options.normalize),
                skip_duplicates=options.duplicates == "skip",
            ),
            ledger=ledger,
            channel=channel,
            pool_size=self._transport.pool_size,
        )


def batch_path(group_id: int) -> str:
    """The path of the batch operation of a group.

    Raises:
        ConfigurationError: The group id is none.
    """
    if type(group_id) is not int or group_id < 1:
        msg = f"group_id must be a whole number of at least 1, not {group_id!r}"
        raise ConfigurationError(msg)
    return f"/groups/{group_id}/phones/batch"
