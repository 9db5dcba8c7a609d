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
from tests.hostile.child import bounded
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


KEYLESS: list[dict[str, str]] = [
    {},
    {"Host": "evil.test"},
    {"Authorization": "Basic eDp5"},
    {"X-LOX24-AUTH-TOKEN": ""},
    {"X-LOX24-AUTH-TOKEN": "  "},
    {"Origin": "https://evil.test", "Access-Control-Request-Headers": "x-lox24-auth-token"},
]


@pytest.mark.parametrize("headers", KEYLESS, ids=str)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
async def test_requests_without_a_key_lock_nobody_out(method: str, headers: dict[str, str]) -> None:
    async with calling(Sandbox()) as call:
        for _ in range(20):
            url = f"{call.sandbox.url}/me"
            async with call.session.request(method, url, headers=headers) as answer:
                assert answer.status in {401, 421}
        assert (await call("GET", "/me")).status == 200


@pytest.mark.parametrize("token", ["x", ":", "1234567:", ":sandbox-key", "1234567:sandbox-key2"])
async def test_whatever_else_is_given_for_a_key_is_a_guess(token: str) -> None:
    async with calling(Sandbox()) as call:
        headers = {"X-LOX24-AUTH-TOKEN": token}
        for _ in range(4):
            async with call.session.get(f"{call.sandbox.url}/me", headers=headers) as answer:
                assert answer.status == 401
        assert (await call("GET", "/me")).status == 429


async def test_a_name_of_others_cannot_guess_keys_either() -> None:
    async with calling(Sandbox()) as call:
        for _ in range(20):
            answer = await call("GET", "/me", key="guess", headers={"Host": "evil.test"})
            assert answer.status == 421
        assert (await call("GET", "/me")).status == 200


def guesses(lockout: Lockout, *times: float, ip: str = "::1") -> None:
    for time in times:
        lockout.guessed(ip, time)


def test_a_window_of_guesses_is_a_minute_and_no_moment_longer() -> None:
    late, just = Lockout(), Lockout()
    guesses(late, 0.0, 1.0, 2.0, 60.0)
    guesses(just, 0.0, 1.0, 2.0, 59.999)
    assert not late.locked("::1", 60.0)
    assert just.locked("::1", 59.999)
    guesses(late, 60.999)  # within a minute of those at 1, 2 and 60
    assert late.locked("::1", 60.999)


def test_who_was_locked_out_begins_anew() -> None:
    lockout = Lockout()
    guesses(lockout, 0.0, 0.0, 0.0, 0.0)
    assert lockout.locked("::1", 599.999)
    assert not lockout.locked("::1", 600.0)
    guesses(lockout, 600.0, 600.0, 600.0)
    assert not lockout.locked("::1", 600.0)


def test_an_address_answers_for_itself_alone() -> None:
    lockout = Lockout()
    guesses(lockout, 0.0, 0.0, 0.0, 0.0, ip="10.0.0.1")
    guesses(lockout, 0.0, 0.0, 0.0, ip="10.0.0.2")
    assert lockout.locked("10.0.0.1", 1.0)
    assert not lockout.locked("10.0.0.2", 1.0)


def test_addresses_that_are_locked_out_are_not_remembered_without_end() -> None:
    lockout = Lockout()
    for number in range(40_000):
        guesses(lockout, *[number / 1000] * 4, ip=f"::{number:x}")
    assert len(lockout._until) <= 20_000
    assert lockout.locked("::9c3f", 40.0)


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


MANY = """
from asyncsdk.sandbox.log import RequestLog

log = RequestLog()
for number in range(120_000):
    path = f"/{number}".ljust(8000, "x")
    no = log.open(at=0.0, method="GET", path=path, authorized=False, client_id=path)
    log.close(no, status=401, phones=None, fault=None)
print(len(log.records), log.records[-1].no)
"""


def test_so_many_requests_take_so_much_memory() -> None:
    kept, last = map(int, bounded(MANY, memory=150 << 20).split())
    assert 50_000 <= kept <= 100_000
    assert last == 120_000


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
