"""One list, what to do with it, and what to say of it."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

from attrs import frozen

from asyncsdk.cli.announcing import announced
from asyncsdk.cli.closing import (
    print_check,
    print_doubts,
    print_groups,
    print_reasons,
    print_rejected,
    print_survey,
    print_totals,
)
from asyncsdk.cli.connecting import client_from_env
from asyncsdk.cli.destination import in_context
from asyncsdk.cli.live import view_for
from asyncsdk.cli.output import tell_requests
from asyncsdk.cli.running import Ending, follow
from asyncsdk.cli.shown import Exit, as_json, fail, plain, stderr, stdout
from asyncsdk.errors import (
    AccountInactiveError,
    AsyncSDKError,
    AuthenticationError,
    ConfigurationError,
    SourceError,
)
from asyncsdk.export.html import About
from asyncsdk.export.reasons import has_twin, skipped_in
from asyncsdk.export.sheet import FullWorkbookError
from asyncsdk.models import Withheld
from asyncsdk.rejects import (
    UNREAD,
    Rejected,
    about_list,
    rejected_rows,
    skipped_rows,
)
from asyncsdk.rejects_file import write_rejects
from asyncsdk.sources.noted import NORMALIZE
from asyncsdk.sources.rejects import is_rejects
from asyncsdk.words import counted
from asyncsdk.workflow.doubts import doubts
from asyncsdk.workflow.dryrun import least_seconds, nobody
from asyncsdk.workflow.listing import write_listing
from asyncsdk.workflow.numbers import parse_normalize
from asyncsdk.workflow.repeated import repeated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asyncsdk.cli.begun import Begun
    from asyncsdk.cli.destination import Destination
    from asyncsdk.cli.output import Output
    from asyncsdk.config import Rate
    from asyncsdk.report import UploadReport
    from asyncsdk.sources import Source

__all__ = ["Job", "failed"]


def failed(error: Exception, destination: Destination | None = None) -> NoReturn:
    """Say what went wrong and end with the exit code that says so."""
    message = in_context(error, destination)
    if isinstance(error, OSError) and error.filename and error.strerror:
        message = f"{error.filename}: {error.strerror}"
    if isinstance(error, (AuthenticationError, AccountInactiveError)):
        fail(message, Exit.CREDENTIALS)
    usage = isinstance(error, (ConfigurationError, SourceError, ImportError))
    fail(message, Exit.USAGE if usage else Exit.STOPPED)


@frozen
class Job:
    """A source and where it goes; nowhere in a dry run."""

    source: Source
    name: str
    destination: Destination | None
    options: dict[str, Any]
    output: Output
    begun: Begun | None = None
    """What the journal holds already."""

    @property
    def dry(self) -> bool:
        """Whether nothing is sent."""
        return self.destination is None

    def run(self) -> Exit:
        """Do it; returns the exit code."""
        tell_requests(self.output.verbose)
        try:
            total = self.source.count()  # a broken file is found before anything is sent
            self._announce(total)
            ending = asyncio.run(self._follow(total))
            self._close(ending, total)
        except KeyboardInterrupt:
            fail("interrupted", Exit.INTERRUPTED)
        except BrokenPipeError:  # nobody reads on; the command line ends quietly
            raise
        except (AsyncSDKError, OSError, ImportError) as error:
            failed(error, self.destination)
        return ending.code

    async def _follow(self, total: int) -> Ending:
        quiet_period = self.options.get("quiet_period", 0.0)
        view = view_for(total, quiet=not self.output.live, quiet_period=quiet_period)
        others = {name: v for name, v in self.options.items() if name not in {"rate", *NORMALIZE}}
        options = others | {"normalize": parse_normalize(self.options)}
        if self.destination is None:
            async with nobody() as client:
                return await follow(client.phones.upload(1, self.source, **options), view)
        async with client_from_env(rate=self._rate) as client:
            group = await self.destination.id(client)
            ending = await follow(client.phones.upload(group, self.source, **options), view)
            if self.output.html is not None and ending.cause is None and not ending.interrupted:
                await self.destination.learn(client)
            return ending

    def _announce(self, total: int) -> None:
        for line in announced(self.source, self.name, total, self.options):
            self.output.say(line)
        for message in _held_back(self.source):
            self.output.say(message)
        if self.begun is not None and not self.begun.complete:
            self.output.say(f"goes on with {self.output.journal}")

    def _close(self, ending: Ending, total: int) -> None:
        if ending.interrupted:
            stderr().print(plain("Interrupted.", "bold red"))
        if ending.cause is not None:
            reason = in_context(ending.cause, self.destination)
            stderr().print(plain(f"Stopped: {reason}", "bold red"), soft_wrap=True)
        elif self._finished_before(ending.report):
            self.output.say(f"{self.output.journal} is already finished: nothing was sent")
        if ending.lookup:
            self.output.say(ending.lookup)
        try:  # first of all: whoever reads what is printed may be gone
            self._write(ending)
        finally:
            if self.output.as_json:
                self._print_json(ending, total)
            elif not self.output.quiet:
                self._print(ending, total)
        if self._goes_on(ending.report):
            self.output.say(f"{self.output.going_on}.")

    def _write(self, ending: Ending) -> None:
        report = ending.report
        unfinished = self._goes_on(report)  # then nobody is to upload what it will send
        if self.output.rejects is not None and not unfinished:
            self._write_rejects(ending, self.output.rejects)
        if self.output.report is not None and self.output.listing:
            region = self.options.get("normalize")
            count = write_listing(self.output.report, self.source, report, region)
            self.output.say(f"{counted(count, 'row')} written to {self.output.report}")
        self.output.write(report, lambda: self._about(report, unfinished=unfinished))

    def _write_rejects(self, ending: Ending, path: Path) -> None:
        """Write the rows to mend; as CSV, if a workbook cannot hold them: they are sent once."""
        rows = self._rejected(ending, self._skipped(ending.report))
        try:
            count = write_rejects(path, self.source, rows, self.options)
        except FullWorkbookError as error:
            self.output.say(f"{path} is not written: {error}")
            self._write_rejects(ending, path.with_name(f"{path.name}.csv"))
            return
        self.output.say(f"{counted(count, 'row')} written to {path}")

    def _about(self, report: UploadReport, *, unfinished: bool) -> About:
        """What a page says besides its report."""
        output = self.output
        about = About(
            group=self.destination.title if self.destination else "",
            when=datetime.now().astimezone(),
            rejects="" if unfinished else str(output.rejects or ""),
            report=str(output.report or ""),
            journal=str(output.journal or ""),
            unfinished=unfinished,
            known=True,
        )
        return about_list(about, self.source, report)

    def _finished_before(self, report: UploadReport) -> bool:
        """Whether the journal had come to its end, so that nothing was left to do."""
        return (
            self.begun is not None
            and self.begun.complete
            and self.begun.requests == report.requests
        )

    def _goes_on(self, report: UploadReport) -> bool:
        """Whether the rest is for the journal to send."""
        return self.output.journal is not None and not report.complete

    def _print(self, ending: Ending, total: int) -> None:
        report, console = ending.report, stdout()
        if self.dry:
            print_check(console, report, self._rate)
            if self.options.get("normalize") is None:
                print_doubts(console, doubts(self.source))
            else:
                print_survey(console, report.survey())
        else:
            print_totals(console, report, going_on=self._goes_on(report))
            more = report.invalid_count > self.output.show  # than are listed with their reasons
            print_reasons(console, chain(report.invalid if more else (), skipped_in(report)))
        alike = {} if self.dry else print_groups(console, report)
        rejected = (row for row in self._settled(ending) if row.kind not in alike)
        rows = chain(rejected, skipped_rows(self.source, report, has_twin))
        listed = report.invalid_count + report.failed_count - sum(alike.values())
        twins = sum(map(has_twin, skipped_in(report)))
        going_on = self._goes_on(report)
        elsewhere = self.output.elsewhere(unfinished=going_on, skipped=twins > 0)
        print_rejected(console, rows, listed + twins, self.output.show, elsewhere)
        if unread := total - report.submitted:
            message = f"not read before the upload ended: {counted(unread, 'row')} of the list"
            there = "" if going_on else f" ({self.output.elsewhere()})"
            console.print(plain(f"{message}{there}"), soft_wrap=True)

    def _print_json(self, ending: Ending, total: int) -> None:
        """Line by line: a report may be long."""
        head = {
            "file": self.name,
            "group": self.destination.group_id if self.destination else None,
            "journal": self.output.journal and str(self.output.journal),
            "exit_code": int(ending.code),
            "unread": total - ending.report.submitted,
            "batches": ending.report.batches,
            "bytes": ending.report.bytes,
            "seconds_at_least": least_seconds(ending.report.batches, self._rate),
            "survey": self._survey(ending.report),
            "lists": [_told(part) for part in self.source.parts],
        }
        text = as_json(head | ending.report.summary(), 1)
        write = sys.stdout.write
        write(text.removesuffix("\n}") + ',\n "rejected": [')
        for count, row in enumerate(self._settled(ending)):
            comma = "," if count else ""
            write(f"{comma}\n  {as_json(row.to_dict())}")
        write('\n ],\n "skipped": [')
        for count, row in enumerate(skipped_rows(self.source, ending.report)):
            comma = "," if count else ""
            write(f"{comma}\n  {as_json(row.to_dict())}")
        write("\n ]\n}\n")

    def _survey(self, report: UploadReport) -> dict[str, object] | None:
        """What the numbers are, for machines; of a dry run, and of numbers in normal form."""
        normal = self.dry and self.options.get("normalize") is not None
        return report.survey().to_dict() if normal else None

    @property
    def _rate(self) -> Rate | None:
        rate: Rate | None = self.options.get("rate")
        return rate

    def _rejected(
        self, ending: Ending, skipped: dict[int, int] | None = None
    ) -> Iterator[Rejected]:
        rows = rejected_rows(self.source, ending.report, skipped)
        if self.dry:  # nobody was to send what was not looked at
            return (row for row in rows if row.outcome != UNREAD)
        return rows

    def _settled(self, ending: Ending) -> Iterator[Rejected]:
        return (row for row in self._rejected(ending) if row.outcome != UNREAD)

    def _skipped(self, report: UploadReport) -> dict[int, int]:
        """Rows with the numbers of others that are invalid, or that the upload did not come to."""
        return repeated(self.source, report, self.options)


def _told(part: Source) -> dict[str, object]:
    """How a list was read, for machines."""
    columns = {field: choice.column for field, choice in part.mapping.items()}
    sheet = {"sheet": part.sheet} if part.sheet else {}
    return {"file": part.path, **sheet, "columns": columns, "notes": list(part.notes)}


def _held_back(source: Source) -> Iterator[str]:
    """What is said of the rows of a rejects file that must not be sent as they are."""
    if not is_rejects(source.columns):
        return
    held = [phone for phone in source if isinstance(phone, Withheld)]
    if skipped := sum(phone.duplicate for phone in held):
        yield f"{counted(skipped, 'duplicate')} left out: the numbers are those of other rows"
    if doubtful := sum(phone.doubtful for phone in held):
        yield (
            f"{counted(doubtful, 'row')} left out: they may be in the group (delivery unknown); "
            "--send-unknown sends them"
        )
