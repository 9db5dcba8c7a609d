"""Validators of settings: what cannot work is refused where it is given, in words that help.

Whatever is given, the error is one of ours: numbers of thousands of digits, what compares with
nothing, what has no text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncsdk.errors import ConfigurationError
from asyncsdk.words import brief

if TYPE_CHECKING:
    from collections.abc import Callable

    from attrs import Attribute

    Validator = Callable[[object, Attribute[Any], object], None]

__all__ = ["MOST", "count", "flag", "instance", "number", "one_of", "whole_number"]

MOST = (1 << 63) - 1
"""The largest whole number: ids and counts are kept in 64 bits, by databases, too."""
LONGEST = 1e9
"""Seconds, or whatever else is measured: 30 years. With more, clocks lose count."""


def whole_number(name: str, value: object, low: int = 1) -> int:
    """A number of things, or an id.

    Raises:
        ConfigurationError: It is none, or out of bounds.
    """
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= MOST:
        return int(value)
    most = " and at most 19 digits" if isinstance(value, int) and value > MOST else ""
    msg = f"{name} must be a whole number of at least {low}{most}, not {brief(value)}"
    raise ConfigurationError(msg)


def count(low: int, *, optional: bool = False) -> Validator:
    """A whole number of at least `low`, or None where `optional`."""

    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if value is not None or not optional:
            whole_number(_name(instance, attribute), value, low)

    return check


def number(low: float, *, above: bool = False, optional: bool = False) -> Validator:
    """A finite number of at least (or above) `low`, or None where `optional`."""
    bound = f"above {low:g}" if above else f"at least {low:g}"

    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if value is None and optional:
            return
        ok = isinstance(value, (int, float)) and not isinstance(value, bool)
        if ok and low <= value <= LONGEST and not (above and value == low):  # type: ignore[operator]
            return
        most = f" and at most {LONGEST:,.0f}" if ok and value > LONGEST else ""  # type: ignore[operator]
        msg = f"{_name(instance, attribute)} must be a number {bound}{most}, not {brief(value)}"
        raise ConfigurationError(msg)

    return check


def one_of(*choices: str | None) -> Validator:
    """One of these words."""

    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if not (value is None or isinstance(value, str)) or value not in choices:
            listed = ", ".join(map(repr, choices))
            msg = f"{_name(instance, attribute)} must be one of {listed}, not {brief(value)}"
            raise ConfigurationError(msg)

    return check


def flag(instance: object, attribute: Attribute[Any], value: object) -> None:
    """True or False: words such as `"no"` are true for Python."""
    if not isinstance(value, bool):
        msg = f"{_name(instance, attribute)} must be True or False, not {brief(value)}"
        raise ConfigurationError(msg)


def instance(*kinds: type) -> Validator:
    """An instance of one of these types, or None."""

    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if value is not None and not isinstance(value, kinds):
            listed = " or ".join(kind.__name__ for kind in kinds)
            name = _name(instance, attribute)
            msg = f"{name} must be a {listed} or None, not {brief(value)}"
            raise ConfigurationError(msg)

    return check


def _name(instance: object, attribute: Attribute[Any]) -> str:
    """What the caller calls it: options of a call have no value that they belong to."""
    kind = type(instance).__name__
    owner = "" if kind in {"UploadOptions", "ClientConfig"} else f"{kind} "
    return f"{owner}{attribute.name}"
