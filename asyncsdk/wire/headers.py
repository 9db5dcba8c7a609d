"""Reply headers that carry more than text."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

__all__ = ["retry_after"]


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` asks for (RFC 9110 §10.2.3: a number of them, or a date).

    Args:
        value: The header as it came, or None.
        now: The time in unix seconds.

    Returns:
        None where the header is absent or makes no sense; never less than 0.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:12])
    try:
        date = parsedate_to_datetime(text)
        when = date if date.tzinfo else date.replace(tzinfo=UTC)
        return max(0.0, when.timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return None
