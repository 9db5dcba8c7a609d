"""The exception tree: typed, picklable, with the provider's words and without secrets."""

from __future__ import annotations

import io
import pickle
from typing import Any

import pytest

import asyncsdk
from asyncsdk import (
    AccountInactiveError,
    ApiError,
    AsyncSDKError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    InsufficientFundsError,
    JournalError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    Problem,
    ProtocolError,
    RateLimitedError,
    ServerError,
    SourceError,
    TransportError,
    UnprocessableError,
    UploadFailed,
    UploadStopped,
    Violation,
)
from asyncsdk.errors import api_error
from asyncsdk.http.certainty import CertificateError, StaleConnectionError

from .samples import created_entry, invalid_entry, report_of

TOLD = Problem("An error occurred", "phone: Too long.", violations=(Violation("phone", "x"),))
REPORT = report_of(created_entry(range(50)), invalid_entry([50]), complete=False)

TYPES = {
    400: BadRequestError,
    401: AuthenticationError,
    402: InsufficientFundsError,
    403: AccountInactiveError,
    404: NotFoundError,
    409: ConflictError,
    413: PayloadTooLargeError,
    422: UnprocessableError,
    429: RateLimitedError,
    500: ServerError,
    502: ServerError,
    503: ServerError,
    504: ServerError,
    599: ServerError,
    418: ApiError,
}

ERRORS: list[AsyncSDKError] = [
    *(api_error(status, TOLD, "r" * 32, 7.0) for status in TYPES),
    AsyncSDKError("x"),
    ConfigurationError("x"),
    JournalError("x"),
    NotSentError("x"),
    StaleConnectionError("x"),
    CertificateError("x"),
    OutcomeUnknownError("x"),
    ProtocolError("x", 301),
    ProtocolError("x"),
    SourceError("x", path="a.csv", line=7),
    SourceError("x"),
    UploadFailed(REPORT),
    UploadStopped(REPORT, api_error(402, TOLD, "r" * 32)),
    UploadStopped(REPORT),
]


@pytest.mark.parametrize(("status", "kind"), TYPES.items())
def test_each_status_has_its_type(status: int, kind: type[ApiError]) -> None:
    error = api_error(status, TOLD, "r" * 32)
    assert type(error) is kind
    assert (error.status, error.problem, error.request_id) == (status, TOLD, "r" * 32)
    assert str(error).startswith(f"HTTP {status}: An error occurred: phone: Too long.")
    assert str(error).endswith(f"(request {'r' * 32})")


def pickled(error: Any, protocol: int = pickle.DEFAULT_PROTOCOL) -> Any:
    """It, there and back; others have registered ways of their own to pickle all errors."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, protocol)
    pickler.dispatch_table = {}
    pickler.dump(error)
    return pickle.loads(file.getvalue())  # noqa: S301 - our own


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_pickles_with_its_attributes(error: AsyncSDKError, protocol: int) -> None:
    again = pickled(error, protocol)
    assert type(again) is type(error)
    assert (str(again), repr(again)) == (str(error), repr(error))
    for name, value in vars(error).items():
        if name == "cause":
            assert repr(vars(again)[name]) == repr(value)
        else:
            assert getattr(again, name) == value
    assert repr(again.__cause__) == repr(error.__cause__)


def test_every_public_error_is_pickled_here() -> None:
    public = {
        kind
        for kind in vars(asyncsdk).values()
        if isinstance(kind, type) and issubclass(kind, AsyncSDKError)
    }
    assert public - {ApiError, TransportError} <= {type(error) for error in ERRORS}


def test_a_foreign_cause_survives_as_text() -> None:
    class LocalError(Exception):
        pass

    stopped = UploadStopped(REPORT, LocalError("disk full"))
    assert stopped.__cause__ is stopped.cause
    again = pickled(stopped)
    assert str(again.cause) == "LocalError: disk full"
    assert again.report == REPORT


def test_only_a_429_knows_when_to_come_again() -> None:
    error = api_error(429, TOLD, None, 7.0)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 7.0
    assert api_error(503, TOLD, None, 7.0).retry_after == 7.0


def test_a_place_in_a_file() -> None:
    assert str(SourceError("no name", path="a.csv", line=7)) == "a.csv, line 7: no name"
    wrong = SourceError("too long", path="a.xlsx", line=7, sheet="May")
    assert str(wrong) == "a.xlsx, sheet 'May', row 7: too long"
    assert str(SourceError("empty", path="a.csv")) == "a.csv: empty"
    assert str(SourceError("empty")) == "empty"


def test_an_upload_that_stopped_says_why_and_how_far_it_came() -> None:
    error = UploadStopped(REPORT, api_error(402, TOLD))
    assert str(error).startswith("upload stopped: HTTP 402: An error occurred")
    assert "51 phones: 50 created, 1 invalid, 0 failed" in str(error)
    assert error.report is REPORT


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_no_message_holds_a_phone_list(error: AsyncSDKError) -> None:
    for text in (str(error), repr(error)):
        assert len(text) < 1000
        assert "+49" not in text


def test_the_tree() -> None:
    for error in ERRORS:
        assert isinstance(error, AsyncSDKError)
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(NotSentError, TransportError)
    assert issubclass(OutcomeUnknownError, TransportError)
    assert not issubclass(ApiError, TransportError)
