"""The names that users may import. One that goes is a breaking change."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from importlib.metadata import version

import pytest

import asyncsdk
from asyncsdk import Client, Upload

NAMES = """
    Account AccountInactiveError Adaptive ApiError AsyncSDKError AuthenticationError
    BadRequestError BatchMember BatchResponse Client ConfigurationError ConflictError CreatedPhone
    Delivery FailureLimit Group InsufficientFundsError Journal JournalError Normalize NotFoundError
    NotSentError Outcome OutcomeUnknownError PayloadTooLargeError Phone PhoneResult Problem
    Progress ProtocolError Rate
    RateLimitedError RetryPolicy Sender ServerError SourceError TransportError UnprocessableError
    StoppedBy UnsubscribeReason Upload UploadFailed UploadReport UploadStopped
    UploadSummary Violation __version__
"""


def test_the_public_names() -> None:
    assert set(asyncsdk.__all__) == set(NAMES.split())
    assert sorted(asyncsdk.__all__) == asyncsdk.__all__
    for name in asyncsdk.__all__:
        assert getattr(asyncsdk, name) is not None


def test_the_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+([a-z]+\d+)?", asyncsdk.__version__)
    assert version("asyncsdk") == asyncsdk.__version__


def test_the_options_of_an_upload() -> None:
    """Names and defaults are the contract."""
    options = {
        name: parameter.default
        for name, parameter in inspect.signature(Client(1, "k").phones.upload).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    assert options == {
        "batch_size": 1000,
        "max_batch_bytes": 1_000_000,
        "concurrency": 8,
        "rate": None,
        "retry": asyncsdk.RetryPolicy(attempts=5, base=0.5, cap=30.0, max_wait=900.0),
        "on_unknown": "report",
        "quiet_period": 30.0,
        "columns": None,
        "duplicates": "send",
        "existing": "send",
        "linger": None,
        "validate": True,
        "normalize": None,
        "stop_when": None,
        "deadline": None,
        "keep_created": True,
        "journal": None,
        "on_progress": None,
        "dry_run": False,
    }


def test_the_options_of_a_client() -> None:
    parameters = inspect.signature(Client).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    assert defaults["base_url"] == "https://api.lox24.eu"
    assert (defaults["timeout"], defaults["connect_timeout"]) == (60.0, 10.0)
    positional = [n for n, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == ["client_id", "api_key"]


def test_what_an_upload_offers() -> None:
    offered = {name for name in vars(Upload) if not name.startswith("_")}
    assert {"start", "stop", "progress", "report"} <= offered
    assert {"__await__", "__aiter__"} <= set(vars(Upload))


MODULES = [name for _, name, _ in pkgutil.walk_packages(asyncsdk.__path__, "asyncsdk.")]


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_a_docstring_and_exists(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    for exported in getattr(module, "__all__", ()):
        assert hasattr(module, exported), exported
