"""cattrs: the one converter between models and plain data, lenient where the provider is loose."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from asyncsdk.models import UnsubscribeReason

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["moment", "structure", "unstructure"]

T = TypeVar("T")


def moment(value: object) -> datetime | None:
    """A point in time from unix seconds or ISO 8601; UTC where no zone is named."""
    try:
        if isinstance(value, str) and not value.lstrip("-").isdecimal():
            parsed = datetime.fromisoformat(value)
            return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _integer(value: object) -> int | None:
    try:
        return None if value is None or isinstance(value, bool) else int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _reason(value: object) -> UnsubscribeReason | None:
    number = _integer(value)
    return None if number is None else UnsubscribeReason(number)


@cache
def _converter() -> Converter:
    """Made on first use: most uploads never need it."""
    from cattrs import Converter

    converter = Converter()
    lenient = {
        str | None: _text,
        int | None: _integer,
        datetime | None: moment,
        UnsubscribeReason | None: _reason,
    }
    for kind, hook in lenient.items():
        converter.register_structure_hook(kind, lambda value, _, hook=hook: hook(value))
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_unstructure_hook(Enum, lambda member: member.value)
    return converter


def structure(value: object, kind: type[T]) -> T:
    """A model from plain data; keys it does not know are ignored.

    Raises:
        ValueError: It lacks what every such model has.
    """
    from cattrs import BaseValidationError

    try:
        return _converter().structure(value, kind)
    except BaseValidationError as error:
        msg = f"is no {kind.__name__}"
        raise ValueError(msg) from error


def unstructure(value: object) -> dict[str, object]:
    """Plain data from a model, fit for JSON."""
    plain: dict[str, object] = _converter().unstructure(value)
    return plain
