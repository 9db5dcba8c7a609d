"""The shapes of the pictures in a report: numbers in, positions out. Pure."""

from __future__ import annotations

from math import ceil, log10
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.timeline import Slot
from asyncsdk.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncsdk.timeline import History

__all__ = ["WIDTH", "Bars", "Box", "Course", "course", "latencies", "shares"]

WIDTH = 1000
HEIGHT = 200
_COLUMNS = 120
_TICKS = 4
_FEW = 10
"""Below this, decimals say something."""


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


def shares(counts: Sequence[tuple[str, int]]) -> list[Box]:
    """One bar, cut into parts by these counts; a part that is there can be seen."""
    total = sum(count for _, count in counts)
    if not total:
        return []
    least = WIDTH / 250
    widths = {kind: max(least, WIDTH * count / total) for kind, count in counts if count}
    scale = WIDTH / sum(widths.values())
    boxes, x = [], 0.0
    for kind, count in counts:
        if count:
            title = f"{count:,} {kind.replace('-', ' ')} ({count / total:.1%})"
            boxes.append(Box(_r(x), 0, _r(widths[kind] * scale), HEIGHT, title, kind))
            x += widths[kind] * scale
    return boxes


def course(histories: Sequence[History]) -> Course | None:
    """The throughput over time, one upload after the other; None where nothing was noted."""
    slots = [(history.width, slot) for history in histories for slot in history.slots]
    seconds = sum(width for width, _ in slots)
    if not seconds:
        return None
    columns = _columns(slots)
    rates = [slot.settled / width for width, slot in columns]
    top = _above(max(rates))
    bars, pauses, retries = [], [], []
    at = 0.0
    for (width, slot), rate in zip(columns, rates, strict=True):
        x, wide = WIDTH * at / seconds, WIDTH * width / seconds
        height = HEIGHT * rate / top
        title = f"{_time(at)}: {rate:,.0f} phones a second"
        if rate:
            bars.append(Box(_r(x), _r(HEIGHT - height), _r(wide), _r(height), title))
        if slot.paused:
            title = f"{_time(at)}: paused for {slot.paused:.2g} s"
            part = min(1.0, slot.paused / width)
            pauses.append(Box(_r(x), 0, _r(max(1.0, wide * part)), HEIGHT, title))
        if slot.retries:
            title = f"{_time(at)}: {counted(slot.retries, 'request')} repeated"
            retries.append(Box(_r(x), 0, _r(wide), 8, title))
        at += width
    along = tuple(_time(seconds * tick / _TICKS) for tick in range(_TICKS + 1))
    return Course(Bars(tuple(bars), _steps(top), along), tuple(pauses), tuple(retries))


def latencies(histories: Sequence[History]) -> Bars | None:
    """How many requests took how long; None where there were none."""
    counts: dict[float, int] = {}
    for history in histories:
        for end, count in history.classes():
            counts[end] = counts.get(end, 0) + count
    if not counts:
        return None
    classes = sorted(counts.items())
    top = _above(max(counts.values()))
    wide = WIDTH / len(classes)
    boxes = [
        Box(
            *(_r(at * wide), _r(HEIGHT - HEIGHT * count / top)),
            *(_r(wide * 0.9), _r(HEIGHT * count / top)),
            f"up to {seconds(end)}: {counted(count, 'request')}",
        )
        for at, (end, count) in enumerate(classes)
    ]
    ends = [classes[round(tick * (len(classes) - 1) / _TICKS)][0] for tick in range(_TICKS + 1)]
    along = tuple(seconds(end) for end in (ends if len(classes) > _TICKS else ends[-1:]))
    return Bars(tuple(boxes), _steps(top), along)


def seconds(value: float) -> str:
    """`1.2 s`, or `120 ms` below a second."""
    if value >= 1:
        return f"{value:.1f} s" if value < _FEW else f"{value:,.0f} s"
    return f"{value * 1000:.1f} ms" if value * 1000 < _FEW else f"{value * 1000:.0f} ms"


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


def _steps(top: float) -> tuple[str, ...]:
    form = ",.3g" if top < _FEW else ",.0f"
    return tuple(format(top * tick / 2, form) for tick in (2, 1, 0))


def _time(value: float) -> str:
    if value < _FEW:
        return f"{value:.1f} s" if value else "0"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _r(value: float) -> float:
    return round(value, 2)
