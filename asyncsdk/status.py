"""The classes of HTTP status codes (RFC 9110 §15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["is_client_error", "is_redirect", "is_server_error", "is_success"]

_REDIRECT, _CLIENT_ERROR, _SERVER_ERROR = 3, 4, 5

is_success: Callable[[int | None], bool] = range(200, 300).__contains__
"""Whether a status is 2xx."""


def is_redirect(status: int) -> bool:
    """Whether a status is 3xx."""
    return status // 100 == _REDIRECT


def is_client_error(status: int) -> bool:
    """Whether a status is 4xx."""
    return status // 100 == _CLIENT_ERROR


def is_server_error(status: int) -> bool:
    """Whether a status is 5xx, or beyond all classes."""
    return status // 100 >= _SERVER_ERROR
