"""Whatever happens to what watches, nothing happens to what is watched."""

from __future__ import annotations

import logging
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["harmless"]

logger: logging.Logger = logging.getLogger("asyncsdk")

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D")

_told: set[str] = set()
"""The kinds of errors that the log has: it would have one for each request."""


def harmless(otherwise: D) -> Callable[[Callable[P, T]], Callable[P, T | D]]:
    """Have a function give this where it fails: samplers, processors and exporters are foreign."""

    def guarding(function: Callable[P, T]) -> Callable[P, T | D]:
        @wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T | D:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                _tell(type(error).__name__)
                return otherwise

        return guarded

    return guarding


def _tell(kind: str) -> None:
    if kind not in _told:
        _told.add(kind)
        logger.warning("telemetry failed, and nothing else did: %s (said once)", kind)
