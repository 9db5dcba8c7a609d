"""One list, what to do with it, and what to say of it."""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from attrs import frozen

from asyncsdk.cli.closing import print_check, print_rejected, print_totals
from asyncsdk.cli.live import view_for
from asyncsdk.cli.output import tell_requests
from asyncsdk.cli.rejected import UNREAD, Rejected, rejected_rows, write_rejects
from asyncsdk.cli.running import Ending, follow
from asyncsdk.cli.shown import Exit, fail, plain, stderr, stdout
from asyncsdk.client import Client
from asyncsdk.errors import (
    AccountInactiveError,
    AsyncSDKError,
    AuthenticationError,
    ConfigurationError,
    SourceError,
)
from asyncsdk.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.cli.destination import Destination
    from asyncsdk.cli.output import Output
    from asyncsdk.config import Rate
    from asyncsdk.sources import Source

__all__ = ["Job", "failed"]

_NOWHERE = "http://127.0.0.1:9"
"""A dry run sends nothing and needs no credentials; should it ever send, nobody is there."""
_PLACES = 1000
"""Rows whose place in their file the page tells."""


def failed(error: Exception) -> NoReturn:
    """Say what went wrong and end with the exit code that says so."""
    if isinstance(error, (AuthenticationError, AccountInactiveError)):
        fail(error, Exit.CREDENTIALS)
    usage = isinstance(error, (ConfigurationError, SourceError, ImportError))
    fail(error, Exit.USAGE if usage else Exit.STOPPED)


@frozen
class Job:
    """A source and where it goes; nowhere in a dry run."""

    source: Source
    name: str
    destination: Destination | None
    options: dict[str, Any]
    output: Output

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
        except (AsyncSDKError, OSError, ImportError) as error:
            failed(error)
        return self._code(ending)

    async def _follow(self, total: int) -> Ending:
        view = view_for(total, quiet=not self.output.live)
        if self.destination is None:
            async with Client("1", "dry-run", base_url=_NOWHERE) as client:
                return await follow(client.phones.upload(1, self.source, **self.options), view)
        async with Client.from_env() as client:
            group = await self.destination.id(client)
            return await follow(client.phones.upload(group, self.source, **self.options), view)

    def _announce(self, total: int) -> None:
        chosen = ", ".join(
            f"{field} from column {choice.column!r} ({choice.reason})"
            for field, choice in self.source.mapping.items()
        )
        self.output.say(f"{self.name}: {total:,} rows, {chosen}")

    def _close(self, ending: Ending, total: int) -> None:
        if ending.cause is not None:
            stderr().print(plain(f"Stopped: {ending.cause}", "bold red"), soft_wrap=True)
        if self.output.as_json:
            self._print_json(ending, total)
        elif not self.output.quiet:
            self._print(ending, total)
        if self.output.rejects is not None:
            count = write_rejects(self.output.rejects, self.source, self._rejected(ending))
            self.output.say(f"{count:,} rows written to {self.output.rejects}")
        places = {}
        if self.output.html is not None:
            first = islice(self._settled(ending), _PLACES)
            places = {row.index: row.place for row in first if row.line}
        self.output.write(ending.report, self.name, places)

    def _print(self, ending: Ending, total: int) -> None:
        report, console = ending.report, stdout()
        listed = report.submitted - report.created_count
        if self.dry:
            listed = report.invalid_count
            print_check(console, report, self._rate)
        else:
            print_totals(console, report)
        print_rejected(console, self._settled(ending), listed, self.output.show)
        if unread := total - report.submitted:
            console.print(f"{unread:,} rows were not read before the upload ended.")

    def _print_json(self, ending: Ending, total: int) -> None:
        """Line by line: a report may be long."""
        head = {
            "file": self.name,
            "group": self.destination.group_id if self.destination else None,
            "exit_code": int(self._code(ending)),
            "unread": total - ending.report.submitted,
            "batches": ending.report.batches,
            "bytes": ending.report.bytes,
        }
        text = json.dumps(head | ending.report.summary(), indent=1, ensure_ascii=False)
        write = sys.stdout.write
        write(text.removesuffix("\n}") + ',\n "rejected": [')
        for count, row in enumerate(self._settled(ending)):
            comma = "," if count else ""
            write(f"{comma}\n  {json.dumps(row.to_dict(), ensure_ascii=False)}")
        write("\n ]\n}\n")

    @property
    def _rate(self) -> Rate | None:
        rate: Rate | None = self.options.get("rate")
        return rate

    def _rejected(self, ending: Ending) -> Iterator[Rejected]:
        rows = rejected_rows(self.source, ending.report)
        if self.dry:  # what was not sent because nothing is sent is not rejected
            return (row for row in rows if row.outcome == Outcome.INVALID)
        return rows

    def _settled(self, ending: Ending) -> Iterator[Rejected]:
        return (row for row in self._rejected(ending) if row.outcome != UNREAD)

    def _code(self, ending: Ending) -> Exit:
        if self.dry and not ending.interrupted:
            invalid = ending.report.invalid_count
            return Exit.SOME_NOT_CREATED if invalid else Exit.ALL_CREATED
        return ending.code
