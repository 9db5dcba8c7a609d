"""What a reply or a failure makes certain of a request. Pure.

The rule is certainty: what was certainly not processed may be sent again; what may have been
processed is never sent again silently (RFC 9110 §9.2.2: a POST is not idempotent).
"""

from __future__ import annotations

from enum import Enum, auto
from functools import lru_cache

from asyncsdk.errors import ApiError, NotSentError, OutcomeUnknownError, PaceError
from asyncsdk.status import is_server_error, is_success

__all__ = [
    "CertificateError",
    "ProxyRefusedError",
    "StaleConnectionError",
    "Verdict",
    "verdict_of_error",
    "verdict_of_status",
]


class CertificateError(NotSentError):
    """The server's TLS certificate is not to be trusted: trying again cannot help."""


class ProxyRefusedError(NotSentError):
    """A proxy refuses to connect, by 407 or 403: trying again cannot help."""


class StaleConnectionError(NotSentError):
    """A kept-alive connection was closed by the server before the request could be written."""


class Verdict(Enum):
    """What a failure, or the status of a reply, means for a request."""

    ANSWERED = auto()
    """2xx: the reply says what became of it."""
    AGAIN = auto()
    """It certainly was not processed: send it again."""
    OUTAGE = auto()
    """The server cannot be reached: everybody waits until a probe gets through."""
    PAUSE = auto()
    """The server refused it unprocessed for now: everybody pauses, then send it again."""
    HALVE = auto()
    """The request is too large: send it in halves."""
    BLAME = auto()
    """Something in it is at fault, and nothing of it was stored."""
    DOUBT = auto()
    """It may have been processed: `on_unknown` decides."""
    STOP = auto()
    """No such request can succeed."""


_BY_STATUS = {
    400: Verdict.BLAME,  # the provider uses 400 and 422 alike
    408: Verdict.PAUSE,  # the server did not get the whole request (RFC 9110 §15.5.9)
    409: Verdict.BLAME,
    413: Verdict.HALVE,
    421: Verdict.AGAIN,  # this connection leads to a server that is not the one (§15.5.20)
    422: Verdict.BLAME,
    425: Verdict.AGAIN,  # refused before processing, for it came early in TLS (RFC 8470 §5.2)
    429: Verdict.PAUSE,  # refused before processing (RFC 6585 §4)
    503: Verdict.PAUSE,  # refused before processing (RFC 9110 §15.6.4)
}


@lru_cache(1024)
def verdict_of_status(status: int) -> Verdict:
    """What the status of a whole reply means."""
    if is_success(status):
        return Verdict.ANSWERED
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    # A 5xx may come from a proxy whose server went on; any other 4xx will be said of every batch.
    return Verdict.DOUBT if is_server_error(status) else Verdict.STOP


def verdict_of_error(error: BaseException) -> Verdict:
    """What a failed exchange means."""
    if isinstance(error, ApiError):
        return verdict_of_status(error.status)
    if isinstance(error, (CertificateError, ProxyRefusedError, PaceError)):
        return Verdict.STOP  # the next attempt would meet the same
    if isinstance(error, StaleConnectionError):
        return Verdict.AGAIN
    if isinstance(error, NotSentError):
        return Verdict.OUTAGE
    if isinstance(error, OutcomeUnknownError):
        return Verdict.DOUBT
    return Verdict.STOP  # a redirect, a closed client
