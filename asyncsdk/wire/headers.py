"""Reply headers that carry more than text."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

__all__ = ["moment_of", "retry_after"]

_SECONDS = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
"""RFC 9110 has whole seconds; some servers and proxies send fractions of them."""
_LONGEST = 1e12
"""Seconds: a larger number means no more."""


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` asks for (RFC 9110 §10.2.3: a number of them, or a date).

    Args:
        value: The header as it came, or None.
        now: The time in unix seconds by the clock of whoever wrote it: the reply's own `Date`.

    Returns:
        None where the header is absent or makes no sense; never less than 0.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), _LONGEST)
    when = moment_of(text)
    return None if when is None else max(0.0, when - now)


def moment_of(value: str | None) -> float | None:
    """The unix seconds of an HTTP date; None where it is absent or makes no sense."""
    if value is None:
        return None
    try:
        date = parsedate_to_datetime(value.strip())
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
