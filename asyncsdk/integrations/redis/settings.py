"""How a client takes part in a shared pace: a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from asyncsdk import validators
from asyncsdk.config import Rate
from asyncsdk.errors import ConfigurationError
from asyncsdk.words import brief

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = ["MICRO", "Settings"]

MICRO = 1_000_000
"""The script counts in microseconds."""


@frozen
class Settings:
    """The arguments of `SharedPace`, checked."""

    rate: Rate = field()
    margin: float = field(default=0.05, validator=validators.number(0.001))
    patience: float = field(default=30.0, validator=validators.number(0))
    workers: int | None = field(default=None, validator=validators.count(1, optional=True))
    timeout: float = field(default=2.0, validator=validators.number(0, above=True))

    @rate.validator
    def _check_rate(self, _: Attribute[Rate], value: object) -> None:
        if not isinstance(value, Rate):
            msg = f"the rate of a shared pace must be a Rate(...), not {brief(value)}"
            raise ConfigurationError(msg)
