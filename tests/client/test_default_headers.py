"""Headers that a company's own proxy may want: on every request, and in no text."""

from __future__ import annotations

import pytest

from asyncsdk import Client, ConfigurationError
from asyncsdk.config import ClientConfig

from .provider import serving

SECRET = "s3cret-of-the-proxy"


async def test_every_request_has_them() -> None:
    async with (
        serving(body={"id": 7, "name": "x"}) as provider,
        provider.client(
            default_headers={"X-Proxy-Token": SECRET, "user-agent": "ours/1"}
        ) as client,
    ):
        await client.me()
        await client.groups.get(7)
        report = await client.phones.upload(7, ["+491601234567"])
    assert report.unknown_count == 1, "it answers nonsense"
    assert len(provider.asked) == 3
    for asked in provider.asked:
        assert asked.headers["X-Proxy-Token"] == SECRET
        agents = [value for name, value in asked.headers.items() if name.lower() == "user-agent"]
        assert agents == ["ours/1"], "the client's own gives way"
        assert asked.headers["X-LOX24-AUTH-TOKEN"]


def test_they_are_in_no_text() -> None:
    headers = {"X-Proxy-Token": SECRET}
    assert SECRET not in repr(Client(1, "key", default_headers=headers))
    assert SECRET not in repr(ClientConfig("1", "key", default_headers=headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "a"},
        {"x-lox24-auth-token": "1:2"},
        {"Content-Encoding": "gzip"},
        {"Transfer-Encoding": "chunked"},
        {"content-length": "5"},
        {"Expect": "100-continue"},
        {"X Y": "a"},
        {"": "a"},
        {"X": "a\r\nY: b"},
        {"X": "ä"},
        {"X": 5},
        [("X", "a")],
    ],
)
def test_what_cannot_be_one(headers: object) -> None:
    with pytest.raises(ConfigurationError, match="default_headers"):
        Client(1, "key", default_headers=headers)  # type: ignore[arg-type]
