"""The shapes of the pictures in a report: numbers in, positions out. Pure."""

from __future__ import annotations

from math import ceil, log10
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.timeline import Slot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncsdk.export.languages import Language
    from asyncsdk.timeline import History

__all__ = ["LEAST_REQUESTS", "WIDTH", "Bars", "Box", "Course", "course", "latencies", "shares"]

WIDTH = 1000
HEIGHT = 200
_COLUMNS = 120
_TICKS = 4
_FEW = 10
"""Below this, decimals say something."""
_SHORTEST = 1.0
"""Seconds from which on a run has a course."""
_LEAST_BARS = 2
"""Bars of a picture at least: one alone is compared with nothing."""
LEAST_REQUESTS = 10
"""Requests from which on it says something how long they took."""


@frozen
class Box:
    """A rectangle in a picture of `WIDTH` by `HEIGHT`."""

    x: float
    y: float
    width: float
    height: float
    title: str = ""
    """What it says when pointed at."""
    kind: str = ""


@frozen
class Bars:
    """A picture of bars, with what stands beside its axes."""

    boxes: tuple[Box, ...]
    up: tuple[str, ...]
    """Labels of the upright axis, from the top."""
    along: tuple[str, ...]
    """Labels of the other axis, evenly spread."""


@frozen
class Course:
    """The throughput over time."""

    bars: Bars
    pauses: tuple[Box, ...]
    retries: tuple[Box, ...]


def shares(counts: Sequence[tuple[str, str, int]], language: Language) -> list[Box]:
    """One bar, cut into parts by these counts; none where it would have a single part.

    Args:
        counts: Name, kind and number of each part; one that is there can be seen.
        language: Of what they say when pointed at.
    """
    there = [part for part in counts if part[2]]
    if len(there) < _LEAST_BARS:
        return []
    total = sum(count for _, _, count in there)
    least = WIDTH / 250
    widths = [max(least, WIDTH * count / total) for _, _, count in there]
    scale = WIDTH / sum(widths)
    boxes, x = [], 0.0
    for (name, kind, count), width in zip(there, widths, strict=True):
        title = f"{language.number(count)} {name} ({language.share(count, total)})"
        boxes.append(Box(_r(x), 0, _r(width * scale), HEIGHT, title, kind))
        x += width * scale
    return boxes


def course(histories: Sequence[History], language: Language) -> Course | None:
    """The throughput over time, one upload after the other; None where there is nothing to see."""
    slots = [(history.width, slot) for history in histories for slot in history.slots]
    seconds = sum(width for width, _ in slots)
    columns = _columns(slots) if seconds >= _SHORTEST else []
    if sum(slot.settled > 0 for _, slot in columns) < _LEAST_BARS:
        return None
    top = _above(max(slot.settled / width for width, slot in columns))
    bars, pauses, retries = [], [], []
    at = 0.0
    for width, slot in columns:
        x, wide = WIDTH * at / seconds, WIDTH * width / seconds
        rate = slot.settled / width
        height = HEIGHT * rate / top
        moment = _time(at, language)
        if rate:
            speed = language.gettext("{rate} phones a second", rate=language.number(rate))
            title = f"{moment}: {speed}"
            bars.append(Box(_r(x), _r(HEIGHT - height), _r(wide), _r(height), title))
        if slot.paused:
            paused = language.number(slot.paused, 1)
            said = language.gettext("paused for {seconds} s", seconds=paused)
            title = f"{moment}: {said}"
            part = min(1.0, slot.paused / width)
            pauses.append(Box(_r(x), 0, _r(max(1.0, wide * part)), HEIGHT, title))
        if slot.retries:
            said = language.ngettext(
                "{count} request repeated", "{count} requests repeated", slot.retries
            )
            title = f"{moment}: {said}"
            retries.append(Box(_r(x), 0, _r(wide), 8, title))
        at += width
    along = tuple(_time(seconds * tick / _TICKS, language) for tick in range(_TICKS + 1))
    return Course(Bars(tuple(bars), _steps(top, language), along), tuple(pauses), tuple(retries))


def latencies(histories: Sequence[History], language: Language) -> Bars | None:
    """How many requests took how long; None where there is nothing to see."""
    counts: dict[float, int] = {}
    for history in histories:
        for end, count in history.classes():
            counts[end] = counts.get(end, 0) + count
    bars = sum(count > 0 for count in counts.values())
    if bars < _LEAST_BARS or sum(counts.values()) < LEAST_REQUESTS:
        return None
    classes = sorted(counts.items())
    top = _above(max(counts.values()))
    wide = WIDTH / len(classes)
    boxes = [
        Box(
            *(_r(at * wide), _r(HEIGHT - HEIGHT * count / top)),
            *(_r(wide * 0.9), _r(HEIGHT * count / top)),
            _within(end, count, language),
        )
        for at, (end, count) in enumerate(classes)
    ]
    ends = [classes[round(tick * (len(classes) - 1) / _TICKS)][0] for tick in range(_TICKS + 1)]
    along = tuple(map(language.seconds, ends if len(classes) > _TICKS else ends[-1:]))
    return Bars(tuple(boxes), _steps(top, language), along)


def _within(end: float, count: int, language: Language) -> str:
    return language.ngettext(
        "up to {time}: {count} request",
        "up to {time}: {count} requests",
        count,
        time=language.seconds(end),
    )


def _columns(slots: Sequence[tuple[float, Slot]]) -> list[tuple[float, Slot]]:
    """No more of them than can be seen."""
    size = ceil(len(slots) / _COLUMNS)
    merged = []
    for at in range(0, len(slots), size):
        part = slots[at : at + size]
        merged.append(
            (
                sum(width for width, _ in part),
                Slot(
                    sum(slot.settled for _, slot in part),
                    sum(slot.requests for _, slot in part),
                    sum(slot.retries for _, slot in part),
                    sum(slot.paused for _, slot in part),
                ),
            )
        )
    return merged


def _above(value: float) -> float:
    """The next round number."""
    if value <= 0:
        return 1.0
    power = 10.0 ** ceil(log10(value) - 1)
    return next(step * power for step in (1, 2, 4, 5, 8, 10) if step * power >= value)


def _steps(top: float, language: Language) -> tuple[str, ...]:
    return tuple(language.number(value, _decimals(value)) for value in (top, top / 2, 0))


def _decimals(value: float) -> int:
    """How many say something: of 2.5 one, of 0.05 two."""
    if value >= _FEW:
        return 0
    return next((count for count in range(3) if round(value, count) == round(value, 3)), 2)


def _time(value: float, language: Language) -> str:
    if value < _FEW:
        return f"{language.number(value, 1)} s" if value else "0"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _r(value: float) -> float:
    return round(value, 2)
