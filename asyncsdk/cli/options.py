"""What is typed on the command line, as the values that the package takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer

from asyncsdk.config import Adaptive, Normalize, Rate
from asyncsdk.errors import ConfigurationError
from asyncsdk.sources.apart.book import ALL
from asyncsdk.sources.noted import NORMALIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "parse_concurrency",
    "parse_map",
    "parse_normalize",
    "parse_quotechar",
    "parse_rate",
    "parse_sheets",
]

_RATE = re.compile(r"(\d{1,9})(?:/(\d{1,9}(?:\.\d{1,9})?)?(ms|s|m|min|h)?)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DIGITS = 9
"""Of a number that makes any sense."""
_SHOWN = 40
"""Characters of what was typed that are repeated."""
_RANGE = re.compile(r"(\d{1,9})-(\d{1,9})")


def parse_map(pairs: Iterable[str]) -> dict[str, str]:
    """`phone=Mobil`, `a=Anrede` as fields and their columns."""
    columns: dict[str, str] = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or not field.strip() or not column:
            msg = f"{pair!r} should be FIELD=COLUMN, such as phone=Mobil"
            raise typer.BadParameter(msg, param_hint="'--map'")
        if field.strip() in columns:
            msg = f"{field.strip()!r} is mapped twice"
            raise typer.BadParameter(msg, param_hint="'--map'")
        columns[field.strip()] = column
    return columns


def parse_normalize(options: Mapping[str, Any]) -> Normalize | None:
    """How numbers are read, as several options say it; None where they are sent as they are.

    Raises:
        ConfigurationError: They cannot work.
    """
    region, bare, mobile_only = (options.get(name, no) for name, no in NORMALIZE.items())
    if region is not None:
        return Normalize(region, bare=bare, mobile_only=mobile_only)
    for option, given in (("mobile_only", mobile_only), ("bare", bare)):
        if given:
            how = f"add --normalize DE, or whichever region the list is of, to --{option}"
            msg = f"{option} needs normalize: {how.replace('_', '-')}"
            raise ConfigurationError(msg)
    return None


def parse_quotechar(text: str) -> str | None:
    """The character around cells; `none` as none."""
    return None if text.lower() == "none" else text


def parse_sheets(names: list[str], *, all_sheets: bool) -> list[str] | None:
    """The sheets that are named, or all; None where neither is said."""
    if all_sheets and names:
        msg = "is all there is: leave --sheet out"
        raise typer.BadParameter(msg, param_hint="'--all-sheets'")
    return [ALL] if all_sheets else names or None


def parse_rate(text: str) -> Rate | None:
    """`10/1s`, `600/min`, `20` (a second) as a rate; `none` as no limit."""
    if text.lower() == "none":
        return None
    match = _RATE.fullmatch(text.strip())
    if match is None:
        msg = f"{_short(text)} should be REQUESTS/TIME, such as 10/1s or 600/min"
        raise typer.BadParameter(msg, param_hint="'--rate'")
    requests, amount, unit = match.groups()
    try:
        return Rate(int(requests), float(amount or 1) * _UNITS[unit or "s"])
    except ConfigurationError as error:
        raise typer.BadParameter(str(error), param_hint="'--rate'") from None


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\N{HORIZONTAL ELLIPSIS}")


def parse_concurrency(text: str) -> int | Adaptive:
    """`8` as that many, `1-64` as bounds to adapt within, `adaptive` as the default bounds."""
    if text.lower() == "adaptive":
        return Adaptive()
    try:
        if match := _RANGE.fullmatch(text):
            return Adaptive(int(match[1]), int(match[2]))
        return int(text if len(text) <= _DIGITS else "")
    except ValueError as error:
        known = isinstance(error, ConfigurationError)
        reason = error if known else f"{_short(text)} is none of these"
        msg = f"{reason}: a number, bounds such as 1-64, or adaptive"
        raise typer.BadParameter(msg, param_hint="'--concurrency'") from None
