"""Where the result of a command goes, and how much of it is said."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from attrs import frozen
from rich.logging import RichHandler

from asyncsdk.cli.shown import fail, plain, stderr
from asyncsdk.errors import ConfigurationError
from asyncsdk.export.html import check_language, write_html
from asyncsdk.export.sheet import is_workbook, workbooks
from asyncsdk.files import check_writable
from asyncsdk.words import counted, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from asyncsdk.export.html import About
    from asyncsdk.report import UploadReport

__all__ = ["Output", "check_place", "tell_requests"]

_LISTINGS = (".csv", ".xlsx")
_REPORTS = {".jsonl": "to_jsonl", ".csv": "to_csv", ".parquet": "to_parquet"}


@frozen
class Output:
    """What to print, and what to write."""

    show: int = 20
    """Rejected rows to list."""
    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    rejects: Path | None = None
    report: Path | None = None
    html: Path | None = None
    journal: Path | None = None
    lang: str = "en"
    """The language of the page."""
    listing: bool = False
    """Whether the report is of a check: it lists the rows in their order."""

    @property
    def going_on(self) -> str:
        """How an upload with a journal goes on."""
        return f"'asyncsdk resume {self.journal}' goes on"

    def elsewhere(self, *, unfinished: bool = False, skipped: bool = False) -> str:
        """Where the rows are that are not listed; an unfinished journal leaves no rejects file.

        Args:
            unfinished: Whether there is one.
            skipped: Whether some were skipped: a rejects file has none of those.
        """
        them = "them, without the skipped" if skipped else "them all"
        if self.rejects is not None and not unfinished:
            return f"{self.rejects} has {them}"
        if self.journal is not None:
            return f"'asyncsdk report {self.journal}' tells and exports them"
        return f"--rejects FILE writes {them}"

    @property
    def live(self) -> bool:
        """Whether there may be a live view."""
        return not self.quiet and not self.verbose

    def check(self, inputs: Iterable[str], **others: Path | None) -> None:
        """Find out before the upload, not after it, that something has nowhere to go.

        Args:
            inputs: Files that are not to be overwritten.
            others: Other files that are written, by their options.
        """
        beside = ("", "-wal", "-shm")  # of a journal
        named = (f"{path}{end}" for path in inputs for end in beside)
        files = [path for path in named if os.path.exists(path)]  # "-" is none
        if self.journal is not None and self.journal.exists():
            if any(self.journal.samefile(file) for file in files):
                fail(f"--journal {self.journal} is the list itself: give it another name")
            files.append(os.fspath(self.journal))
        own = {"--rejects": self.rejects, "--report": self.report, "--html": self.html}
        wanted = {option: path for option, path in (own | others).items() if path is not None}
        _check_apart({"--journal": self.journal} | wanted)
        for option, path in wanted.items():
            if path.exists() and any(path.samefile(file) for file in files):
                journal = self.journal is not None and path.samefile(self.journal)
                whose = "the journal" if journal else "the list itself"
                fail(f"{option} {path} would overwrite {whose}: give it another name")
            check_place(path, option)
        kinds = _LISTINGS if self.listing else tuple(_REPORTS)
        if self.report is not None and self.report.suffix.lower() not in kinds:
            fail(f"--report {self.report} must end in {', '.join(kinds)}")
        if any(file is not None and is_workbook(file) for file in (self.rejects, self.report)):
            _check(workbooks)
        if self.html is not None:
            _check(check_language, self.lang)

    def write(self, report: UploadReport, about: Callable[[], About]) -> None:
        """Write the report and the page, where they were asked for.

        Args:
            report: What they tell.
            about: Gives what the page says besides.
        """
        if self.report is not None and not self.listing:
            count = getattr(report, _REPORTS[self.report.suffix.lower()])(self.report)
            self.say(f"{counted(count, 'result')} written to {self.report}")
        if self.html is not None:
            write_html(self.html, report, about(), lang=self.lang)
            self.say(f"report written to {self.html}")

    def say(self, text: str) -> None:
        """Something about what was done."""
        if not self.quiet:
            stderr().print(plain(text), soft_wrap=True)


def _check_apart(wanted: Mapping[str, Path | None]) -> None:
    """End the command if two of its files would be one: the last to be written would remain."""
    found: dict[str, str] = {}
    for option, path in wanted.items():
        if path is None or (path.exists() and not path.is_file()):  # /dev/null takes all of them
            continue
        before = found.setdefault(os.path.realpath(path), option)
        if before != option:
            fail(f"{before} and {option} are both {path}: give one of them another name")


def check_place(path: Path, option: str = "") -> None:
    """End the command if a file cannot be written, and say why."""
    try:
        check_writable(path)
    except OSError as error:
        fail(f"{f'{option} {path}'.strip()} cannot be written: {error.strerror or error}")


def _check(needed: Callable[..., object], *values: object) -> None:
    """End the command if something is not there that it needs."""
    try:
        needed(*values)
    except (ConfigurationError, ImportError) as error:
        fail(error)


class _OneLine(logging.Formatter):
    """Messages that steer no terminal: paths and ids in them are a server's."""

    def format(self, record: logging.LogRecord) -> str:
        lines = [record.getMessage()]
        if record.exc_info:
            lines += self.formatException(record.exc_info).splitlines()
        return "\n".join(map(visible, lines))


def tell_requests(wanted: bool, name: str = "asyncsdk") -> None:
    """Say each request on standard error; the package logs them without the key.

    Args:
        wanted: Whether to.
        name: Whose: the client's or the sandbox's.
    """
    if wanted:
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        handler = RichHandler(console=stderr(), show_path=False, markup=False)
        handler.setFormatter(_OneLine())
        logger.handlers = [handler]
        logger.propagate = False
