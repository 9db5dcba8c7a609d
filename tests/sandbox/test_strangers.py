"""What pages of the web, and whoever else reaches its port, can do to a sandbox."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from asyncsdk.sandbox import Sandbox
from asyncsdk.sandbox.lockout import Lockout
from tests.sandbox.rig import calling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OWN = [
    "127.0.0.1:{port}",
    "127.0.0.1",
    "[::1]:{port}",
    "192.168.1.7",
    "localhost:{port}",
    "LOCALHOST",
    "localhost.",
    "a.localhost:{port}",
    "sandbox.test:{port}",
    "Sandbox.Test.",
]
ALIEN = [
    "evil.test:{port}",
    "evil.test",
    "127.0.0.1.evil.test",
    "localhost.evil.test:{port}",
    "sandbox.test.evil.test",
    "evillocalhost",
    "sandbox.test@evil.test",
    "a b",
    "",
    ":{port}",
    "evil.test:99999999",
]


@pytest.mark.parametrize("host", [*OWN, *ALIEN])
async def test_it_answers_under_its_own_names_alone(host: str) -> None:
    async with calling(Sandbox(hosts=["sandbox.test"])) as call:
        named = host.format(port=call.sandbox.port)
        answer = await call("GET", "/me", headers={"Host": named})
    assert answer.status == (200 if host in OWN else 421)


async def test_a_request_that_names_no_host_is_answered() -> None:
    async with Sandbox() as sandbox:
        reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
        writer.write(b"GET /me HTTP/1.0\r\nX-LOX24-AUTH-TOKEN: 1234567:sandbox-key\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"200"
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("headers", [{}, {"Host": "evil.test"}, {"Authorization": "Basic eDp5"}])
async def test_requests_without_a_key_lock_nobody_out(headers: dict[str, str]) -> None:
    async with calling(Sandbox()) as call:
        for _ in range(20):
            async with call.session.get(f"{call.sandbox.url}/me", headers=headers) as answer:
                assert answer.status in {401, 421}
        assert (await call("GET", "/me")).status == 200


async def test_a_name_of_others_cannot_guess_keys_either() -> None:
    async with calling(Sandbox()) as call:
        for _ in range(20):
            answer = await call("GET", "/me", key="guess", headers={"Host": "evil.test"})
            assert answer.status == 421
        assert (await call("GET", "/me")).status == 200


def test_guesses_from_very_many_addresses_are_forgotten() -> None:
    lockout = Lockout()
    for number in range(50_000):
        lockout.guessed(f"::{number:x}", number / 1000)
    assert len(lockout._guesses) <= 10_000
    for _ in range(4):
        lockout.guessed("::1", 60.0)
    assert lockout.locked("::1", 61.0)


async def test_its_log_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncsdk.sandbox.log._KEPT", 10)
    async with calling(Sandbox()) as call:
        for _ in range(95):
            await call("GET", "/me?" + "x" * 5_000)
        records = call.sandbox.requests
    assert 10 <= len(records) <= 20
    assert [record.no for record in records] == list(range(96 - len(records), 96))
    assert {record.status for record in records} == {200}
    assert all(len(record.path) <= 500 for record in records)


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b" " * (1 << 16)


async def test_a_body_has_a_bound() -> None:
    async with calling(Sandbox()) as call:
        group = call.sandbox.add_group("people")
        path = f"/groups/{group}/phones/batch"
        chunked = await call("POST", path, endless())
        whole = await call("POST", path, io.BytesIO(b" " * ((1 << 24) + 1)))
        usual = await call.batch(group, [{"phone": "+49160"}])
    assert (chunked.status, whole.status, usual.status) == (413, 413, 201)


CHILD = """
import asyncio, resource, zlib
import aiohttp
from asyncsdk.sandbox import Sandbox

async def main():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, -1))
    squeeze = zlib.compressobj(9, wbits=31)
    pieces = [squeeze.compress(b" " * (1 << 20)) for _ in range(256)]
    body = b"".join(pieces) + squeeze.flush()
    async with Sandbox() as sandbox, aiohttp.ClientSession() as session:
        url = f"{sandbox.url}/groups/{sandbox.add_group('people')}/phones/batch"
        for token in ("1234567:sandbox-key", "1234567:guess"):
            headers = {"X-LOX24-AUTH-TOKEN": token, "Content-Encoding": "gzip"}
            async with session.post(url, data=body, headers=headers) as answer:
                print(answer.status)

asyncio.run(main())
# Its own peak: what `getrusage` says begins with that of whoever started it.
print(int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024)
"""


async def test_a_packed_body_has_a_bound() -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, stdout=subprocess.PIPE
    )
    said, _ = await child.communicate()
    right, wrong, memory = map(int, said.split())
    assert (right, wrong) == (413, 401)
    assert memory < 300 << 20
