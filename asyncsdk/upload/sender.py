"""Single phones of many callers, on their way together."""

from __future__ import annotations

import asyncio
import logging
import warnings
from typing import TYPE_CHECKING, Self

from asyncsdk.completion import ended
from asyncsdk.condition import Condition
from asyncsdk.errors import ConfigurationError
from asyncsdk.report import UploadReport, UploadStopped
from asyncsdk.upload.intake.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.likes import PhoneLike
    from asyncsdk.progress import Progress
    from asyncsdk.results import PhoneResult
    from asyncsdk.upload.handle import Upload

__all__ = ["Sender"]

logger: logging.Logger = logging.getLogger("asyncsdk")


class Sender:
    """Takes phones one at a time, from any number of tasks, and sends them in batches.

    It is open within its block, and one for a whole program is enough:

        async with client.phones.sender(7116) as sender:
            result = await sender.add("+4915112345678")

    Its accounts are those of an upload whose rows are the phones in the order of their adding.
    Leaving the block sends what waits.
    """

    def __init__(
        self,
        begin: Callable[[Inbox, Callable[[Sequence[Entry]], None]], Upload],
        *,
        size: int,
        linger: float,
        max_pending: int,
    ) -> None:
        self._begin = begin
        self._size = size
        self._linger = linger
        self._places = asyncio.Semaphore(max_pending)
        self._pending = 0
        self._inbox: Inbox | None = None
        self._upload: Upload | None = None
        self._serving: asyncio.Task[None] | None = None
        self._entries: list[Entry] = []
        """Fates of which the callers have not heard."""
        self._changed = Condition()
        self._closed = False

    def __repr__(self) -> str:
        state = "new" if self._upload is None else "closed" if self._closed else "open"
        return f"<Sender {state}: {self._pending:,} phones pending>"

    def __del__(self, _warn: Callable[..., None] = warnings.warn) -> None:
        if getattr(self, "_upload", None) is not None and not self._closed:
            _warn(
                f"{self!r} was not closed: use 'async with', or await its aclose()",
                ResourceWarning,
                source=self,
            )

    # -- sending ---------------------------------------------------------------------------

    async def add(self, phone: PhoneLike) -> PhoneResult:
        """What became of a phone, once that is known; with a journal, once it is on record.

        Where too many phones are pending it waits for its place first. A cancellation while it
        waits for its place means that the phone is not sent; afterwards it withdraws nothing.

        Args:
            phone: As a row of an upload: a `Phone`, anything with its field names as keys, or the
                number.

        Returns:
            Its result, whatever the outcome. `index` counts the phones of this sender.

        Raises:
            UploadStopped: The sender cannot go on, and this phone is not in its account.
            ConfigurationError: The sender is not open, or belongs to another event loop.
        """
        inbox = self._open_inbox()
        if self._places.locked():
            await self._places.acquire()
            try:
                self._check()  # it may have ended meanwhile: whoever comes next hears of it, too
            except BaseException:
                self._places.release()
                raise
        else:
            await self._places.acquire()  # at once
        self._pending += 1
        return await inbox.put(phone)

    @property
    def pending(self) -> int:
        """Phones that were taken and have no result yet."""
        return self._pending

    @property
    def progress(self) -> Progress:
        """How far it is; see `Upload.progress`.

        Raises:
            ConfigurationError: It was never open.
        """
        return self._known().progress

    @property
    def report(self) -> UploadReport:
        """The account so far; the whole one after the block.

        Raises:
            ConfigurationError: It was never open.
        """
        return self._known().report

    # -- opening and closing ---------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Open it.

        Raises:
            ConfigurationError: It was open before, or the client cannot be used.
            JournalError: Its journal is in use or in doubt.
            UploadStopped: It cannot begin: the group cannot be read.
        """
        if self._upload is not None:
            msg = "this sender was opened before; make another one"
            raise ConfigurationError(msg)
        self._inbox = Inbox(self._size, self._linger)
        self._upload = self._begin(self._inbox, self._hear).start()
        self._serving = asyncio.create_task(self._serve(self._upload, self._inbox))
        try:
            await self._upload.wait_ready()
        except BaseException:
            await self.aclose()
            raise
        if self._upload.done:
            await self.aclose()
        return self

    async def aclose(self) -> None:
        """Send what waits, and end; a second call does nothing.

        Raises:
            UploadStopped: It could not go on. Whoever waited for a phone has heard its result.
        """
        if self._upload is None or self._inbox is None or self._serving is None or self._closed:
            return
        self._closed = True
        self._inbox.end()
        try:
            await self._upload
        finally:
            await ended(self._serving)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.aclose()
        except UploadStopped as stopped:
            if error is None:
                raise
            logger.warning("a sender was stopped: %s", stopped)

    # -- inside ----------------------------------------------------------------------------

    def _known(self) -> Upload:
        if self._upload is None:
            msg = "this sender is not open: use it with 'async with'"
            raise ConfigurationError(msg)
        return self._upload

    def _open_inbox(self) -> Inbox:
        """Where phones are put.

        Raises:
            UploadStopped: The sender could not go on.
            ConfigurationError: It is not open, or belongs to another event loop.
        """
        self._known()
        inbox = self._inbox
        assert inbox is not None  # as there is an upload
        if inbox.loop is not asyncio.get_running_loop():
            msg = "this sender belongs to another event loop: make one in each"
            raise ConfigurationError(msg)
        self._check()
        return inbox

    def _check(self) -> None:
        if self._closed or self._known().done:
            raise self._over()

    def _over(self) -> Exception:
        """Why it takes no more phones."""
        upload = self._known()
        if upload.error is not None:
            stopped = UploadStopped(upload.report, upload.error)
            stopped.__cause__ = upload.error
            return stopped
        reason = upload.report.stopped_by
        msg = "the sender is closed: it takes no more phones" + (f" ({reason})" if reason else "")
        return ConfigurationError(msg)

    def _hear(self, entries: Sequence[Entry]) -> None:
        """Fates were entered."""
        self._entries.extend(entries)
        self._changed.notify_all()

    async def _serve(self, upload: Upload, inbox: Inbox) -> None:
        """Tell each caller what became of its phone, until the upload has ended."""
        over = asyncio.create_task(upload.wait_closed())
        over.add_done_callback(lambda _: self._changed.notify_all())
        try:
            while True:
                while not self._entries and not over.done():
                    await self._changed.wait()
                if not self._entries:
                    break
                entries, self._entries = self._entries, []
                await upload.on_record()
                for entry in entries:
                    self._free(inbox.answer(entry.results()))
        finally:
            self._free(inbox.fail(self._over))
            self._places.release()  # one finds that it is over, and gives it on to the next

    def _free(self, places: int) -> None:
        self._pending -= places
        for _ in range(places):
            self._places.release()
