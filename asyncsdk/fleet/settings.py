"""The options of an upload as a manifest has them, and as `client.phones.upload` takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import asdict, has

from asyncsdk.config import Adaptive, Normalize, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["as_options", "as_written"]

_VALUES: dict[str, type] = {"normalize": Normalize, "retry": RetryPolicy, "concurrency": Adaptive}
"""Options that are values of classes of their own, which a manifest has as objects."""


def as_written(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as plain values, fit for JSON."""
    return {name: asdict(value) if has(type(value)) else value for name, value in options.items()}


def as_options(written: Mapping[str, Any]) -> dict[str, Any]:
    """The same as they are given.

    Raises:
        ConfigurationError: One of them makes no sense.
        TypeError: Likewise.
    """
    return {
        name: _VALUES[name](**value) if isinstance(value, dict) else value
        for name, value in written.items()
    }
