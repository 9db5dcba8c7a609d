"""The API key and whole phone lists are in no log, repr, message, traceback or pickle."""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import AsyncSDKError, Client, RetryPolicy, UploadStopped
from asyncsdk.config import ClientConfig
from asyncsdk.pace.credentials import Credentials
from asyncsdk.sandbox import FAULTS, Faults
from tests.rig import connected, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "s3cr3t-0f-th3-4cc0unt"
MANY = 20
"""So many numbers of a list in one text are a whole list."""


def texts_of(error: BaseException) -> Iterator[str]:
    """Everything that somebody may print or store of an error, and of those behind it."""
    yield from (str(error), repr(error), "".join(traceback.format_exception(error)))
    if isinstance(error, AsyncSDKError):
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        assert type(copy) is type(error)
        assert str(copy) == str(error)
        yield pickle.dumps(error).decode("latin-1") if not isinstance(error, UploadStopped) else ""
    if error.__cause__ is not None:
        yield from texts_of(error.__cause__)


def is_clean(text: str, listed: list[str]) -> bool:
    return KEY not in text and sum(number in text for number in listed) < MANY


@pytest.mark.parametrize("name", FAULTS)
async def test_no_secret_gets_out(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    listed = numbers(100)
    faults = Faults({name: 1.0}, delay=3.0)
    texts: list[str] = []
    box: dict[str, Any] = {"faults": faults, "api_key": KEY, "client": {"timeout": 1.0}}
    async with connected(**box) as rig:
        requests = rig.client._requests
        upload = rig.upload(listed, batch_size=50, retry=RetryPolicy(attempts=2, base=0.1))
        for job in (upload, rig.client.phones.create_batch(rig.group_id, listed)):
            try:
                texts.append(repr(await job))
            except AsyncSDKError as error:
                texts += texts_of(error)
        report = upload.report
        texts += [repr(upload), repr(report), str(report), repr(report.failed), repr(rig.client)]
        texts += [
            repr(requests),
            repr(requests.transport),
            repr(requests.credentials),
            str(report.summary()),
        ]
        texts += [str(result.error) for result in report.failed]
    logged = [record.getMessage() + str(record.exc_text) for record in caplog.records]
    for text in [*logged, *(text for text in texts if not text.startswith("BatchResponse"))]:
        assert is_clean(text, listed), text[:500]
    assert logged


@pytest.mark.parametrize("key", ["two words", "tab\tkey", "line\nkey", "käse", ""])
def test_a_bad_key_is_not_repeated(key: str) -> None:
    with pytest.raises(AsyncSDKError) as caught:
        Client("1234567", key)
    assert not key or all(key not in text for text in texts_of(caught.value))


def test_settings_hide_the_key() -> None:
    config = ClientConfig("1234567", KEY)
    for value in (config, Credentials("1234567", KEY), Client("1234567", KEY)):
        assert KEY not in repr(value)
        assert KEY not in str(value)
