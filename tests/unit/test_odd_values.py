"""Whatever is given for an option, it works or there is one error of ours that names it."""

from __future__ import annotations

import io
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asyncsdk import (
    Adaptive,
    AsyncSDKError,
    Client,
    ConfigurationError,
    FailureLimit,
    Normalize,
    Rate,
    RetryPolicy,
)
from asyncsdk.config import Journal, UploadSettings
from asyncsdk.sources import read
from asyncsdk.words import brief

if TYPE_CHECKING:
    from collections.abc import Callable

HUGE = 10**5000
ODD = st.one_of(
    st.sampled_from([HUGE, -HUGE, 10**400, 1 << 63, 1 << 64, math.nan, math.inf, -math.inf]),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.lists(st.just("+491711234567"), max_size=3),
    st.dictionaries(st.text(max_size=3), st.just(HUGE), max_size=2),
    st.builds(object),
)


def on(call: Callable[..., object], **given: Any) -> Callable[[str, Any], object]:
    """Call it with one of its arguments in another's place."""
    return lambda name, value: call(**(given | {name: value}))


def uploading(name: str, value: Any) -> None:
    client = Client(1, "key")
    settings = {"group_id": 1, "phones": [], name: value}
    client.phones.upload(**settings).cancel()


def reading(name: str, value: Any) -> None:
    options = {"format": "csv"} if name == "skip_lines" else {}
    list(read(io.BytesIO(b"Mobil;x\n0160111111;a\n"), **(options | {name: value})))


MAKERS: dict[str, tuple[Callable[[str, Any], object], list[str]]] = {
    "Rate": (on(Rate, requests=1), ["requests", "per"]),
    "RetryPolicy": (on(RetryPolicy), ["attempts", "base", "cap", "max_wait"]),
    "Adaptive": (on(Adaptive), ["min", "max"]),
    "FailureLimit": (on(FailureLimit), ["count", "ratio"]),
    "Normalize": (on(Normalize, region="DE"), ["region", "bare", "country", "mobile_only"]),
    "Journal": (on(Journal, path="x.journal"), ["path", "durable", "notes", "mode"]),
    "Client": (
        on(Client, client_id=1, api_key="key"),
        [
            *("client_id", "api_key", "base_url", "rate", "connections", "pace", "session"),
            *("timeout", "connect_timeout", "default_headers", "ssl", "trust_env"),
        ],
    ),
    "upload": (uploading, ["group_id", "linger", *UploadSettings.__annotations__]),
    "read": (
        reading,
        [
            *("format", "columns", "names", "country", "delimiter", "encoding", "header"),
            *("skip_lines", "quotechar", "sheet", "hidden", "send_unknown", "max_bytes"),
        ],
    ),
}
EACH = [(maker, name) for maker, (_, names) in MAKERS.items() for name in names]


@pytest.mark.filterwarnings("ignore:.*is not encrypted")
@pytest.mark.parametrize(("maker", "name"), EACH)
@given(value=ODD)
@example(value=HUGE)
@example(value=-HUGE)
@example(value=math.nan)
@example(value=10**400)
def test_it_works_or_says_why_not(maker: str, name: str, value: Any) -> None:
    with suppress(AsyncSDKError):
        MAKERS[maker][0](name, value)


@pytest.mark.parametrize("digits", [5000, 400, 20])
@pytest.mark.parametrize(
    "name", ["batch_size", "max_batch_bytes", "concurrency", "group_id", "linger", "deadline"]
)
def test_numbers_beyond_all_bounds(name: str, digits: int) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be a .*number.* at most"):
        uploading(name, 10**digits)


async def test_ids_beyond_all_bounds() -> None:
    async with Client(1, "key") as client:
        phones, groups = client.phones, client.groups
        calls: list[Callable[[], Any]] = [
            lambda: phones.update(HUGE, "+491601"),
            lambda: phones.delete(HUGE),
            lambda: phones.create(HUGE, "+491601"),
            lambda: phones.create_batch(HUGE, []),
            lambda: groups.get(HUGE),
            lambda: groups.update(HUGE, name="x"),
            lambda: groups.delete(HUGE),
            lambda: anext(groups.export(HUGE)),
            lambda: anext(phones.list(HUGE)),
        ]
        for call in calls:
            with pytest.raises(ConfigurationError, match=r"_id must be a whole number.*19 digits"):
                await call()
        with pytest.raises(ConfigurationError, match="max_pending"):
            phones.sender(1, max_pending=HUGE)


def test_a_rate_that_is_none() -> None:
    for requests, per in ((1, 5e-324), (1 << 62, 1.0)):
        with pytest.raises(ConfigurationError, match="for no limit give None"):
            Rate(requests, per=per)


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError


def test_nothing_is_shown_whole() -> None:
    """Neither a list that stands in the place of an option."""
    phones = [f"+49171{at:07}" for at in range(1000)]
    with pytest.raises(ConfigurationError, match="rate must be a Rate") as caught:
        uploading("rate", phones)
    assert str(caught.value).count("+49171") == 3
    assert brief(HUGE) == "a number of about 5,001 digits"
    assert brief(Broken()).startswith("<Broken")
    assert brief([[HUGE]]) == "[[a number of about 5,001 digits]]"
