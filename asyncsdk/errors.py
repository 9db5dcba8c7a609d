"""The exception tree: one root, plain-data attributes, every error picklable.

No message or repr holds the API key or a whole phone list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncsdk.places import LINE, list_name, place_of
from asyncsdk.status import is_server_error
from asyncsdk.words import visible

if TYPE_CHECKING:
    from asyncsdk.models import Problem

__all__ = [
    "AccountInactiveError",
    "ApiError",
    "AsyncSDKError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "FencedError",
    "InsufficientFundsError",
    "JournalError",
    "JournalInUseError",
    "NotFoundError",
    "NotSentError",
    "OutcomeUnknownError",
    "PaceError",
    "PayloadTooLargeError",
    "ProtocolError",
    "RateLimitedError",
    "ServerError",
    "SourceError",
    "TransportError",
    "UnprocessableError",
    "api_error",
    "described",
    "reason_of",
]


class AsyncSDKError(Exception):
    """Root of every error this package raises.

    Its text is one line that steers no terminal, whatever a server or a file put into it.
    """

    def __str__(self) -> str:
        return visible(super().__str__())


class ConfigurationError(AsyncSDKError, ValueError):
    """A setting or argument cannot work, or a client was used where it cannot be used.

    The message says what to change.
    """


class JournalError(ConfigurationError):
    """A journal cannot be used, or no longer: the message says why and what to do.

    It is in use, of another upload, damaged, or cannot be written. What it holds stays as it is.
    """


class JournalInUseError(JournalError):
    """Another upload writes to the journal at this moment: wait for its end."""


class SourceError(AsyncSDKError, ValueError):
    """A phone list could not be read; nothing of the unreadable part was sent.

    Attributes:
        path: The file, if it was one.
        line: 1-based line in that file, if known; the row, where it has no lines.
        sheet: The sheet of a workbook.
        unit: What `line` counts: `line` or `row`.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        line: int | None = None,
        sheet: str | None = None,
        unit: str = LINE,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.sheet = sheet
        self.unit = unit

    def __str__(self) -> str:
        if self.line is None:
            place = list_name(self.path, self.sheet)
        else:
            place = place_of(self.line, path=self.path, sheet=self.sheet, unit=self.unit)
        return visible(f"{place}: {self.message}" if place else self.message)

    def __reduce__(self) -> tuple[object, ...]:
        place = {name: getattr(self, name) for name in ("path", "line", "sheet", "unit")}
        return _rebuild, (type(self), (self.message,), place)


class ApiError(AsyncSDKError):
    """The server answered, and the answer was a refusal.

    Attributes:
        status: HTTP status of the reply.
        problem: The provider's own words, as far as the reply had any.
        request_id: `X-LOX24-REQUEST-ID` of the reply, for the provider's support, or None.
        retry_after: Seconds the server asked to wait, or None where it did not say.
    """

    advice = ""
    """What helps, as the end of its text says it."""

    def __init__(
        self,
        status: int,
        problem: Problem,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(status, problem, request_id, retry_after)
        self.status = status
        self.problem = problem
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        reason = str(self.problem).rstrip(".!")
        parts = [f"HTTP {self.status}: {reason}."]
        if self.advice:
            parts.append(self.advice)
        if self.request_id:
            parts.append(f"(request {self.request_id})")
        return visible(" ".join(parts))


class BadRequestError(ApiError):
    """400: the provider calls the input invalid."""


class AuthenticationError(ApiError):
    """401: the client id or the API key is not active or not valid.

    The client that saw it sends nothing more until `Client.set_credentials` is called: more than
    three such requests in a minute lock the whole IP address out for ten minutes.
    """

    advice = "Check the client id and the API key; this client sends nothing more with them."


class InsufficientFundsError(ApiError):
    """402: the account's balance does not cover the request."""

    advice = "Top up the account, then upload what was not created."


class AccountInactiveError(ApiError):
    """403: the account is not activated."""

    advice = "The provider's support can activate the account."


class NotFoundError(ApiError):
    """404: no such resource, usually a group id of another account."""

    advice = "Check the id, and that it belongs to this account."


class ConflictError(ApiError):
    """409: the entity exists already."""


class PayloadTooLargeError(ApiError):
    """413: the server, or a proxy before it, takes no request of this size."""

    advice = "Use a smaller batch_size or max_batch_bytes."


class UnprocessableError(ApiError):
    """422: well-formed, but semantically wrong."""


class RateLimitedError(ApiError):
    """429: too many requests, or this IP address is locked out after wrong credentials."""

    advice = "Wait before the next request, or lower the rate."


class ServerError(ApiError):
    """5xx: the server failed; a POST may have been processed all the same (but not on 503)."""


class TransportError(AsyncSDKError):
    """No whole reply came back."""


class NotSentError(TransportError):
    """The request certainly did not reach the server: sending it again is safe."""


class PaceError(NotSentError):
    """The pace that is shared with other processes lets nothing leave, and will not soon.

    What keeps it cannot be reached, and nobody leaves without its permit.
    """


class FencedError(PaceError):
    """The partition of this upload is another's by now: a later run has taken it over.

    Nothing more is to be sent here, nor by a retry.
    """


class OutcomeUnknownError(TransportError):
    """The request left, but no whole reply came: the server may have processed it."""


class ProtocolError(AsyncSDKError):
    """The reply makes no sense for this request: a redirect, a wrong content, a proxy's page.

    Attributes:
        status: HTTP status of the reply, or None where it was not the status that is wrong.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), (str(self), self.status), {})


def reason_of(error: BaseException) -> str:
    """What an error says; of a foreign one also what it is: the text alone may be a bare key."""
    return str(error) if isinstance(error, AsyncSDKError) else described(error)


def described(error: BaseException) -> str:
    """What an error is, and what it says."""
    try:
        return visible(f"{type(error).__name__}: {error}")
    except Exception:  # it may be anybody's, and fail even at that
        return type(error).__name__


def _rebuild(
    cls: type[AsyncSDKError], args: tuple[object, ...], kwargs: dict[str, object]
) -> object:
    return cls(*args, **kwargs)


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: InsufficientFundsError,
    403: AccountInactiveError,
    404: NotFoundError,
    409: ConflictError,
    413: PayloadTooLargeError,
    422: UnprocessableError,
    429: RateLimitedError,
}


def api_error(
    status: int,
    problem: Problem,
    request_id: str | None = None,
    retry_after: float | None = None,
) -> ApiError:
    """The typed error of a refusal with this status (400 or above); arguments as for `ApiError`."""
    kind = ServerError if is_server_error(status) else _BY_STATUS.get(status, ApiError)
    return kind(status, problem, request_id, retry_after)
