"""Settings that cannot work are refused when they are made, and the message says what to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncsdk import Adaptive, Client, ConfigurationError, FailureLimit, Rate, RetryPolicy
from asyncsdk.config import ClientConfig

NUMBERS = [-1, -0.5, float("nan"), float("inf"), "5", None, True, []]
COUNTS = [0, -1, 1.5, "5", None, True]


@pytest.mark.parametrize("value", COUNTS)
def test_counts(value: Any) -> None:
    for make in (
        lambda: Rate(value),
        lambda: RetryPolicy(attempts=value),
        lambda: Adaptive(min=value),
        lambda: Adaptive(max=value),
    ):
        with pytest.raises(ConfigurationError, match=r"must be a whole number of at least 1"):
            make()


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize("name", ["base", "cap", "max_wait"])
def test_seconds_of_a_retry_policy(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"RetryPolicy {name} must be a number"):
        RetryPolicy(**{name: value})


@pytest.mark.parametrize("value", [*NUMBERS, 0])
def test_seconds_above_nothing(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="Rate per"):
        Rate(1, per=value)
    with pytest.raises(ConfigurationError, match="timeout"):
        Client(1, "key", timeout=value)
    with pytest.raises(ConfigurationError, match="connect_timeout"):
        Client(1, "key", connect_timeout=value)


def test_bounds_in_the_wrong_order() -> None:
    with pytest.raises(ConfigurationError, match="must not be below min"):
        Adaptive(min=5, max=4)
    assert Adaptive(min=5, max=5).max == 5


def test_a_limit_of_nothing() -> None:
    with pytest.raises(ConfigurationError, match="a count, a ratio, or both"):
        FailureLimit()
    for wrong in ({"count": 0}, {"ratio": 0}, {"ratio": "x"}):
        with pytest.raises(ConfigurationError):
            FailureLimit(**wrong)


@pytest.mark.parametrize("client_id", ["", " ", "abc", "12a", None, -5, 1.5, b"1", "1:2", "\u0663"])
def test_client_ids(client_id: Any) -> None:
    with pytest.raises(ConfigurationError, match="client_id must be the account's number"):
        Client(client_id, "key")


@pytest.mark.parametrize(
    "key", ["", "  ", "a b", "a\nb", "schl\u00fcssel", "a\x00b", None, 5, b"k"]
)
def test_api_keys(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="api_key must be") as caught:
        Client(1, key)
    assert not key or str(key).strip() == "" or str(key) not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.lox24.eu",
        "ftp://x",
        "https://",
        "/x",
        5,
        None,
        "http://[",
        "http://xn--/",
        "https://h:99999",
    ],
)
def test_base_urls(url: Any) -> None:
    with pytest.raises(ConfigurationError, match="base_url must be an absolute http"):
        Client(1, "key", base_url=url)


@pytest.mark.parametrize("url", ["https://u:p@h", "https://u@h", "https://h/?a=1", "https://h#x"])
def test_base_urls_with_too_much(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no user, password, query or fragment") as caught:
        Client(1, "key", base_url=url)
    assert ":p@" not in str(caught.value)


def test_what_surrounds_a_setting_is_stripped() -> None:
    config = ClientConfig(" 1234567\n", " key ", " https://h/api/ ")
    assert config.client_id == "1234567"
    assert config.api_key == "key"
    assert str(config.base_url) == "https://h/api/"
    assert ClientConfig(7, "key").client_id == "7"


OPTIONS: list[tuple[str, list[Any]]] = [
    ("batch_size", COUNTS),
    ("max_batch_bytes", COUNTS),
    ("concurrency", [*COUNTS, "8"]),
    ("rate", [10, "10", 0]),
    ("retry", [None, 5, "x"]),
    ("on_unknown", ["ask", None, 5]),
    ("quiet_period", NUMBERS),
    ("duplicates", ["drop", None, True]),
    ("normalize", [5, "XX", "de", True]),
    ("stop_when", [5, 0.5, "x"]),
    ("deadline", [0, -1, "5", float("nan"), True]),
    ("journal", [5, "", b"x"]),
    ("on_progress", [5, "print"]),
]


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in OPTIONS for v in values])
def test_upload_options(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Client(1, "key").phones.upload(1, [], **{name: value})


@pytest.mark.parametrize(
    "options",
    [
        {"concurrency": Adaptive(), "rate": None, "deadline": 5, "normalize": "DE"},
        {"stop_when": FailureLimit(ratio=0.5), "retry": RetryPolicy(attempts=1)},
        {"on_progress": print, "rate": Rate(5, per=0.1), "quiet_period": 0},
    ],
)
def test_upload_options_that_work(options: dict[str, Any]) -> None:
    Client(1, "key").phones.upload(1, [], **options).cancel()


@pytest.mark.parametrize("group_id", [0, -1, "7", None, 1.5, True, "7/../8"])
def test_group_ids(group_id: Any) -> None:
    with pytest.raises(ConfigurationError, match="group_id must be a whole number"):
        Client(1, "key").phones.upload(group_id, [])


@pytest.mark.parametrize("source", ["+491", b"x", {"phone": "1"}, None, 5, Path("x.csv")])
def test_sources(source: Any) -> None:
    with pytest.raises(ConfigurationError, match="phones must be an iterable"):
        Client(1, "key").phones.upload(1, source)


def test_every_configuration_error_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="client_id"):
        Client("", "key")


def test_no_repr_holds_the_key() -> None:
    config = ClientConfig("1", "s3cret-key")
    client = Client("1", "s3cret-key")
    shown = [repr(config), str(config), repr(client), repr(client._requests.credentials)]
    upload = client.phones.upload(1, [])
    upload.cancel()
    shown += [repr(client._requests), repr(client.phones), repr(upload)]
    assert not [text for text in shown if "s3cret" in text]
