"""How figures are taken: each contender in a process of its own, in turns, the median told."""

from __future__ import annotations

import gc
import multiprocessing
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Self

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from multiprocessing.connection import Connection


def _obey(pipe: Connection) -> None:
    """Do what comes through the pipe until it closes."""
    while True:
        try:
            job, arguments = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((True, job(*arguments)))
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            pipe.send((False, f"{type(error).__name__}: {error}"))


class Worker:
    """A process that does one thing after the other; use it with `with`."""

    def __enter__(self) -> Self:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_obey, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join()

    def call(self, job: Callable[..., Any], *arguments: object) -> Any:
        """What the function gives when it is called in the process."""
        self.send(job, *arguments)
        return self.receive()

    def send(self, job: Callable[..., Any], *arguments: object) -> None:
        """Begin what `receive` will wait for."""
        self._pipe.send((job, arguments))

    def receive(self) -> Any:
        """What the function gave that was begun with `send`."""
        good, result = self._pipe.recv()
        if not good:
            raise RuntimeError(result)
        return result


def cpu_seconds(job: Callable[..., object], *arguments: object) -> float:
    """CPU time of one call, of all threads of this process."""
    gc.collect()
    began = time.process_time()
    job(*arguments)
    return time.process_time() - began


def in_turns(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each contender's figures; a disturbance of the machine meets all of them."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds):
        for name in list(contenders)[:: -1 if turn % 2 else 1]:
            figures[name].append(contenders[name]())
            say(f"  {name}: round {turn + 1} of {rounds}")
    return {name: median(found) for name, found in figures.items()}


def paired(figures: Iterable[tuple[float, float]]) -> float:
    """The median of the ratios of figures that were taken side by side."""
    return median(one / other for one, other in figures)


def say(text: str) -> None:
    """Show what is being done, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def resident() -> int:
    """Bytes of memory this process holds."""
    return _status("VmRSS")


def peak() -> int:
    """Bytes of memory this process held at most. Not `ru_maxrss`: that begins at the parent's."""
    return _status("VmHWM")


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) * 1024
    raise LookupError(key)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@frozen
class Verdict:
    """One figure that has a target."""

    what: str
    measured: float
    target: float
    unit: str = "x"
    at_least: bool = False
    """Whether more is better."""

    @property
    def met(self) -> bool:
        """Whether the target was reached."""
        if self.at_least:
            return self.measured >= self.target
        return self.measured <= self.target

    def row(self) -> tuple[str, str, str, str]:
        """The figure as a row of a table."""
        bound = "at least" if self.at_least else "at most"
        measured = (
            f"{self.measured:,.3g} {self.unit}"
            if abs(self.measured) < 1000
            else f"{self.measured:,.0f} {self.unit}"
        )
        return (
            self.what,
            measured,
            f"{bound} {self.target:g} {self.unit}",
            "yes" if self.met else "NO",
        )


@frozen
class Section:
    """What one benchmark found."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    verdicts: Sequence[Verdict] = field(factory=tuple)
    note: str = ""

    def __str__(self) -> str:
        parts = [f"## {self.title}", table(self.head, self.rows)]
        if self.note:
            parts.insert(1, self.note)
        return "\n\n".join(parts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table that is a table on a terminal too."""
    lines = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join([first, *others]) + " |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(lines[0]), "| " + " | ".join(rule) + " |", *map(line, lines[1:])])


def document(sections: Iterable[Section], *, quick: bool) -> str:
    """All that was found, as Markdown, what has a target first."""
    sections = list(sections)
    verdicts = [verdict.row() for section in sections for verdict in section.verdicts]
    began = datetime.now(UTC).strftime("%Y-%m-%d")
    about = (
        f"{'The short form of the' if quick else 'The'} benchmarks, {began}: "
        f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}. "
        "CPU time is that of the uploading process; contenders take turns within one run, and each "
        "figure is a median. Ratios carry over to other machines, microseconds do not."
    )
    parts = ["# Results", about]
    if verdicts:
        parts += ["## Targets", table(("figure", "measured", "target", "met"), verdicts)]
    return "\n\n".join([*parts, *map(str, sections)]) + "\n"
