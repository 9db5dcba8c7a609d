"""The live view of an upload: three lines on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from asyncsdk.cli.shown import stderr
from asyncsdk.cli.wording import activity
from asyncsdk.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["LiveView", "NoView", "View", "clock", "render", "view_for"]

_HOUR = 3600
_MINUTE = 60


class View(Protocol):
    """Shows how far an upload is."""

    live: bool
    """Whether it is worth while to update it often."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

    def show(self, progress: Progress) -> None:
        """Show this from now on."""

    def note(self, text: str) -> None:
        """Say something more, in a few words."""


class NoView:
    """Shows nothing."""

    live = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, progress: Progress) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


class LiveView:
    """A bar and the counts, drawn over and over.

    Args:
        console: The terminal.
        total: Rows of the source.
        quiet_period: Seconds that the group must stand still before phones are looked up in it.
    """

    live = True

    def __init__(self, console: Console, total: int, quiet_period: float) -> None:
        self._total = total
        self._quiet_period = quiet_period
        self._progress = Progress()
        self._note = ""
        self._live = Live(
            console=console, auto_refresh=False, get_renderable=self._view, redirect_stdout=False
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._note = ""
        self._live.refresh()
        self._live.stop()

    def show(self, progress: Progress) -> None:
        """Show this from now on."""
        self._progress = progress
        self._live.refresh()

    def note(self, text: str) -> None:
        """Put a line below."""
        self._note = text
        self._live.refresh()

    def _view(self) -> RenderableType:
        notes = (activity(self._progress, self._quiet_period), self._note)
        return render(self._progress, self._total, *notes)


def view_for(total: int, *, quiet: bool, quiet_period: float = 0.0) -> View:
    """The live view if standard error is a terminal, else one that shows nothing.

    Args:
        total: Rows of the source.
        quiet: Whether to show nothing anyway.
        quiet_period: Seconds that the group must stand still before phones are looked up in it.
    """
    if quiet or not sys.stderr.isatty():
        return NoView()
    return LiveView(stderr(), total, quiet_period)


def render(progress: Progress, total: int, *notes: str) -> RenderableType:
    """The view of one moment.

    Args:
        progress: The moment.
        total: Rows of the source.
        notes: Lines below; empty ones are left out.
    """
    settled = progress.settled
    share = settled / total if total else 1.0
    bar = Table.grid(padding=(0, 1), expand=True)
    bar.add_column(ratio=1)
    for _ in range(3):
        bar.add_column(justify="right", no_wrap=True)
    bar.add_row(
        ProgressBar(total=max(total, 1), completed=settled if total else 1),
        f"{int(share * 100):3d}%",
        f"{progress.rate:,.0f}/s",
        f"{_left(progress, total - settled)} left",
    )
    lines: list[RenderableType] = [bar, _counts(progress), _traffic(progress)]
    lines += [
        Text(note, style="yellow", no_wrap=True, overflow="ellipsis") for note in notes if note
    ]
    return Group(*lines)


def clock(seconds: float) -> str:
    """`1:02:03`, or `2:03` below an hour."""
    whole = int(seconds)
    minutes = f"{whole % _HOUR // _MINUTE:02d}:{whole % _MINUTE:02d}"
    return f"{whole // _HOUR}:{minutes}" if whole >= _HOUR else minutes.removeprefix("0")


def _left(progress: Progress, rows: int) -> str:
    if rows <= 0:
        return clock(0)
    return clock(rows / progress.rate) if progress.rate > 0 else "-:--"


def _counts(progress: Progress) -> Text:
    known = progress.failed - progress.unknown
    parts = [Text(f"{progress.created:,} created", "green")]
    if progress.would_be_sent:
        parts = [Text(f"{progress.would_be_sent:,} would be sent", "green")]
    parts += [
        Text(f"{progress.invalid:,} invalid", "yellow" if progress.invalid else ""),
        Text(f"{known:,} failed", "red" if known else ""),
        Text(f"{progress.unknown:,} unknown", "magenta" if progress.unknown else ""),
    ]
    if skipped := progress.skipped - progress.would_be_sent:
        parts.append(Text(f"{skipped:,} skipped", "cyan"))
    return _line(*parts)


def _traffic(progress: Progress) -> Text:
    parts = [Text(f"{progress.in_flight:,} in flight")]
    if progress.retries:
        parts.append(Text(f"{progress.retries:,} retries"))
    if progress.paused > 0:
        parts.append(Text(f"paused {progress.paused:.0f} s ({progress.paused_by})", "yellow"))
    elif progress.throttled:
        parts.append(Text(f"{progress.throttled:.1f} s paused ({progress.paused_by})"))
    return _line(*parts)


def _line(*parts: Text) -> Text:
    text = Text(" · ").join(parts)
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text
