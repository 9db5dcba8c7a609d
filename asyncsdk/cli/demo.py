"""`asyncsdk demo`: a sandbox, a long list with bad rows in it, and a server that stumbles."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import frozen

from asyncsdk.cli import parameters as given
from asyncsdk.cli.closing import print_rejected, print_totals
from asyncsdk.cli.live import view_for
from asyncsdk.cli.output import Output, tell_requests
from asyncsdk.cli.running import Ending, follow
from asyncsdk.cli.shown import Exit, plain, print_json, stdout
from asyncsdk.client import Client
from asyncsdk.export.html import About
from asyncsdk.models import Phone
from asyncsdk.rejects import Rejected
from asyncsdk.sandbox import Faults, SandboxThread
from asyncsdk.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from asyncsdk.report import UploadReport

__all__ = ["demo"]

_BATCH = 500
_LATENCY = 0.04
_SHOWN = 6
_BAD_NUMBERS = ("", "unknown", "+49 160 0000000 / +49 160 0000001")
_SPACING = 997
"""Every so many rows one is bad."""


def demo(
    phones: Annotated[int, typer.Option(min=1, metavar="N", help="How many to upload.")] = 100_000,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the list and of the faults.")] = 1,
    html: given.Html = None,
    lang: given.Lang = "en",
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    verbose: given.Verbose = False,
) -> None:
    """Watch an upload: a long list goes to a sandbox that now and then answers 503 and 429.

    Nothing leaves this machine. At the end the report is held against the sandbox's own log of what
    it stored; exit code 0 means that the two agree.
    """
    output = Output(_SHOWN, as_json, quiet, verbose, html=html, lang=lang)
    output.check([])
    tell_requests(verbose)
    faults = Faults({"503": 0.015, "429-after": 0.01}, seed=seed)
    with SandboxThread(faults=faults, latency=_LATENCY, seed=seed) as box:
        group = box.add_group("demo")
        output.say(f"{counted(phones, 'phone')} to a sandbox at {box.url} that answers 503 and 429")
        ending = asyncio.run(_upload(box, group, Numbers(phones, seed), live=output.live))
        audit = Audit.of(ending.report, box)
    if as_json:
        totals = {**ending.report.summary(), "stored": audit.stored, "accounts_match": audit.agrees}
        print_json(totals)
    elif not quiet:
        print_totals(stdout(), ending.report)
        _print_rejected(stdout(), ending.report)
        stdout().print(plain(str(audit), "bold green" if audit.agrees else "bold red"))
    about = About(title="Demo", when=datetime.now().astimezone())
    output.write(ending.report, lambda: about)
    if ending.interrupted:
        raise typer.Exit(Exit.INTERRUPTED)
    raise typer.Exit(Exit.ALL_CREATED if audit.agrees else Exit.SOME_NOT_CREATED)


@frozen
class Numbers:
    """A list that is made up while it is read: all different, now and then a bad one."""

    count: int
    seed: int

    def __iter__(self) -> Iterator[Phone]:
        chance = random.Random(self.seed)
        for index in range(self.count):
            if index % _SPACING == _SPACING - 1:
                yield Phone(chance.choice(_BAD_NUMBERS))
            else:
                yield Phone(f"+49160{index:08d}", a=f"Name {index}", callback_data=f"row-{index}")


@frozen
class Audit:
    """The report held against what the sandbox says it stored."""

    submitted: int
    settled: int
    reported: int
    stored: int
    differing: int
    """Phones that one of the two has more often than the other."""

    @classmethod
    def of(cls, report: UploadReport, box: SandboxThread) -> Audit:
        """Compare number by number."""
        reported = Counter(result.phone.phone for result in report.created)
        stored = Counter(commit.phone for commit in box.commits)
        return cls(
            submitted=report.submitted,
            settled=report.created_count
            + report.invalid_count
            + report.failed_count
            + report.skipped_count,
            reported=report.created_count,
            stored=stored.total(),
            differing=((reported - stored) + (stored - reported)).total(),
        )

    @property
    def agrees(self) -> bool:
        """Whether every phone has one fate, and none is created on one side only."""
        return self.submitted == self.settled and not self.differing

    def __str__(self) -> str:
        both = f"{self.reported:,} reported created, {self.stored:,} stored"
        if self.agrees:
            return f"The accounts match: {both}, none lost or twice."
        return (
            f"The accounts do NOT match: {both}, {self.differing:,} differ; "
            f"{self.settled:,} of {self.submitted:,} rows settled."
        )


async def _upload(box: SandboxThread, group: int, source: Numbers, *, live: bool) -> Ending:
    async with Client(box.client_id, box.api_key, base_url=box.url, rate=None) as client:
        upload = client.phones.upload(group, source, batch_size=_BATCH)
        return await follow(upload, view_for(source.count, quiet=not live))


def _print_rejected(console: Console, report: UploadReport) -> None:
    rows = map(Rejected.numbered, report.results(("invalid", "failed")))
    print_rejected(console, rows, _SHOWN, _SHOWN)
