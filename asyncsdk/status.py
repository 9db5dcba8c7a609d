"""The classes of HTTP status codes (RFC 9110 §15)."""

from __future__ import annotations

__all__ = ["is_client_error", "is_redirect", "is_server_error", "is_success"]

_SUCCESS, _REDIRECT, _CLIENT_ERROR, _SERVER_ERROR = 2, 3, 4, 5


def is_success(status: int | None) -> bool:
    """Whether a status is 2xx."""
    return status is not None and status // 100 == _SUCCESS


def is_redirect(status: int) -> bool:
    """Whether a status is 3xx."""
    return status // 100 == _REDIRECT


def is_client_error(status: int) -> bool:
    """Whether a status is 4xx."""
    return status // 100 == _CLIENT_ERROR


def is_server_error(status: int) -> bool:
    """Whether a status is 5xx, or beyond all classes."""
    return status // 100 >= _SERVER_ERROR
