"""What a shared pace writes down and shows, and what it refuses at once."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pexpect
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from asyncsdk import AuthenticationError, Client, Rate
from asyncsdk.errors import ConfigurationError, FencedError, PaceError
from asyncsdk.http.certainty import Verdict, verdict_of_error
from asyncsdk.http.exchange import Attempt
from asyncsdk.integrations.redis import Guard, PaceState, SharedPace
from asyncsdk.sandbox import Sandbox
from asyncsdk.sandbox.thread import SandboxThread
from asyncsdk.web import UploadJobs
from tests.cli.kit import COMMAND, PLAIN, run
from tests.effort import effort
from tests.integrations.redis_server import PASSWORD, RedisServer
from tests.integrations.rig import fleet, shared
from tests.integrations.test_shared_pace import RATE
from tests.leaping import run_leaping
from tests.rig import client_at, client_of, numbers
from tests.upload.test_rate import busiest
from tests.web.inside import sent

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.pace.pace import Pace

KEY = "a-key-that-nobody-may-see"


async def test_nothing_secret_is_in_redis_and_all_of_it_expires(redis: RedisServer) -> None:
    async with fleet(redis, 2, api_key=KEY, pace={"rate": RATE}) as rig:
        await rig.clients[0].phones.upload(rig.group, numbers(5), batch_size=1)
        async with client_of(rig.sandbox, api_key=f"{KEY}-2", pace=shared(redis)) as wrong:
            with pytest.raises(AuthenticationError):
                await wrong.me()
        await rig.paces[0].claim("part-1")
        rig.paces[0].gate.close(50.0, asyncio.get_running_loop().time(), "HTTP 503")
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(rig.clients[1].me())
        await asyncio.sleep(0.1)
        keys = redis.keys()
        lives = {key: int(redis.ask(f"TTL {key}")[1:]) for key in keys}
        waiting.cancel()
    assert len(keys) >= 6
    assert all(key.startswith("asyncsdk:pace:{lox24}:") for key in keys)
    assert min(lives.values()) > 0, lives
    written = redis.saved()
    assert b"part-1" in written  # it is all there
    for secret in (KEY, numbers(1)[0], rig.sandbox.client_id):
        assert secret.encode() not in written


def test_its_repr_and_its_pickle_show_no_password(redis: RedisServer) -> None:
    pace = SharedPace(redis.url)
    assert PASSWORD not in repr(pace)
    assert PASSWORD not in repr(vars(pace))
    for each in (pace, pace.fenced("p", 1)):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(each)
    used: list[Pace] = [pace, pace.fenced("p", 1)]  # mypy sees that both are one
    assert len(used) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://localhost"},
        {"url": f"redis://:{PASSWORD}@host:port"},
        {"url": ""},
        {"name": "a{b}"},
        {"name": ""},
        {"rate": None},
        {"rate": 10},
        {"margin": 0},
        {"patience": -1},
        {"workers": 0},
        {"timeout": 0},
    ],
)
def test_what_cannot_work_is_refused_where_it_is_given(options: dict[str, Any]) -> None:
    url = options.pop("url", "redis://localhost")
    with pytest.raises(ConfigurationError) as refused:
        SharedPace(url, **options)
    assert PASSWORD not in str(refused.value)


def test_without_the_extra_it_says_what_to_install() -> None:
    code = """
import sys
sys.modules["redis"] = None
from asyncsdk.integrations.redis import SharedPace
try:
    SharedPace("redis://localhost")
except ImportError as error:
    assert "asyncsdk[redis]" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("error", [PaceError("away"), FencedError("gone")])
def test_its_errors_pickle_and_stop_an_upload(error: PaceError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again)) == (type(error), str(error))
    assert verdict_of_error(error) is Verdict.STOP


async def test_a_closed_pace_may_be_used_again(redis: RedisServer) -> None:
    async with fleet(redis, 1) as rig:
        pace = shared(redis)
        for _ in range(2):
            async with client_of(rig.sandbox, pace=pace) as client:
                await client.me()


async def test_who_asks_fast_is_given_some_at_once_and_each_still_keeps_to_all_that_holds(
    redis: RedisServer,
) -> None:
    rate = Rate(2_000, per=1.0)
    async with fleet(redis, 2, pace={"rate": rate}) as rig:
        first, other = rig.clients
        await first.me()
        await asyncio.sleep(3)  # after a start slots are spaced out
        asked = _calls(redis)
        report = await first.phones.upload(rig.group, numbers(300), batch_size=1)
        assert report.ok
        assert _calls(redis) - asked < 150
        assert busiest(sorted(rig.arrivals), rate.per) <= rate.requests
        upload = first.phones.upload(rig.group, numbers(3_000), batch_size=1).start()
        await asyncio.sleep(0.3)
        other._requests.pace.gate.close(5.0, asyncio.get_running_loop().time(), "HTTP 429")
        closed = asyncio.get_running_loop().time()
        await asyncio.sleep(4)
        assert [at for at in rig.arrivals if at > closed + rig.paces[0].margin] == []
        second = await rig.paces[0].claim("p")
        async with client_of(rig.sandbox, pace=rig.paces[0].fenced("p", second - 1)) as zombie:
            with pytest.raises(FencedError):
                await zombie.me()
        await upload.stop()


def _calls(redis: RedisServer) -> int:
    found = next(
        line for line in redis.ask_all("INFO commandstats").splitlines() if "evalsha" in line
    )
    return int(found.partition("calls=")[2].partition(",")[0])


async def test_a_client_of_redis_is_borrowed(redis: RedisServer) -> None:
    async with Redis.from_url(redis.url) as own, Client(1, "k", pace=SharedPace(own)) as client:
        pace = client._requests.pace
        assert isinstance(pace, SharedPace)
        assert isinstance(await pace.state(), PaceState)
        await client.aclose()
        assert await own.ping()


async def test_jobs_of_a_web_application_share_it(redis: RedisServer, tmp_path: Path) -> None:
    sandbox = Sandbox()
    group = sandbox.add_group("people")
    paces: list[SharedPace] = []

    def client() -> Client:
        paces.append(shared(redis, rate=RATE))
        return client_of(sandbox, pace=paces[-1])

    lists = "\n".join(["phone", *numbers(30)]).encode()
    jobs = UploadJobs(tmp_path / "uploads", client=client)
    async with sandbox, jobs.lifespan():
        done = await sent(jobs, lists, group)
        assert (await paces[0].state()).guard is Guard.PROVEN
        assert jobs.client.rate == RATE
        assert done.state == "done", done
    assert len(sandbox.commits) == 30
    assert len(paces) == 1


# -- the law -------------------------------------------------------------------------------

Step = st.tuples(
    st.integers(0, 3),  # which client
    st.floats(0, 0.4),  # seconds until it asks
    st.floats(0, 0.04),  # seconds after which it leaves, once it may
    st.sampled_from(["leave", "leave", "leave", "tell", "not", "lose"]),
)


# Of a fast rate, clients that ask fast are given some permits at once.
Rates = st.builds(Rate, st.integers(1, 6), st.sampled_from([0.5, 1.0])) | st.builds(
    Rate, st.integers(20, 40), st.just(0.1)
)


@settings(max_examples=effort(12, 60))
@given(steps=st.lists(Step, min_size=10, max_size=60), rate=Rates)
def test_no_window_holds_too_many_however_late_they_leave(
    steps: list[tuple[int, float, float, str]], rate: Rate
) -> None:
    redis = _lasting()
    redis.ask("FLUSHALL")
    left = run_leaping(_departures(redis, steps, rate))
    assert busiest(sorted(left), rate.per) <= rate.requests


async def _departures(
    redis: RedisServer, steps: list[tuple[int, float, float, str]], rate: Rate
) -> list[float]:
    """When requests left, each as late as it was told to."""
    paces = [shared(redis, rate=rate, name="law") for _ in range(4)]
    loop = asyncio.get_running_loop()
    left: list[float] = []

    async def one(number: int, begins: float, late: float, then: str) -> None:
        await asyncio.sleep(begins)
        attempt, pace = Attempt(), paces[number]
        await pace.acquire(attempt)
        if then == "lose":  # of all that was known
            redis.ask("FLUSHALL")
        await asyncio.sleep(late * 3)
        await pace.renew(attempt, wait=True)
        await asyncio.sleep(late)
        if then != "not":
            attempt.left, attempt.left_at = True, loop.time()
            left.append(loop.time())
        attempt.renew = None if then == "tell" else pace.aclose
        pace.release(attempt)

    for pace in paces:  # each knows it from before
        first = Attempt()
        await pace.acquire(first)
        await pace.renew(first, wait=True)
        pace.release(first)
    moment, running = 0.0, []
    for number, wait, late, then in steps:
        moment += wait * rate.per / rate.requests
        running.append(one(number, moment, late, then))
    await asyncio.gather(*running)
    await asyncio.gather(*(pace.aclose() for pace in paces))
    return left


_servers: list[RedisServer] = []


def _lasting() -> RedisServer:
    """A server for all the examples."""
    if not _servers:
        _servers.append(RedisServer())
        _servers[0].start()
    return _servers[0]


@pytest.fixture(autouse=True, scope="module")
def ended() -> Any:
    """End it in the end."""
    yield
    for server in _servers:
        server.__exit__(None, None, None)
    _servers.clear()


# -- the command line ----------------------------------------------------------------------


def test_the_command_line_shows_the_state(redis: RedisServer) -> None:
    assert "not known before" in run("pace", redis.url).stdout
    with SandboxThread() as sandbox:
        asyncio.run(_ask(sandbox, redis))
    shown = run("pace", redis.url)
    assert shown.exit_code == 0
    for text in (" of 20 requests in the last 1 s", "the key is good", "1 seen in the last"):
        assert text in shown.stdout
    told = json.loads(run("pace", redis.url, "--json").stdout)
    assert told["rate"] == {"requests": 20, "per": 1.0}
    assert (told["guard"], told["clients"]) == ("proven", 1)
    assert "not known before" in run("pace", redis.url, "--name", "other").stdout


def test_the_command_line_changes_the_rate_and_opens_the_guard(redis: RedisServer) -> None:
    with SandboxThread() as sandbox:
        with pytest.raises(AuthenticationError):
            asyncio.run(_ask(sandbox, redis, api_key="no"))
        assert "shut" in run("pace", redis.url).stdout
        opened = run("pace", redis.url, "--open", "--rate", "5/2s")
        assert "1 key may be tried again" in opened.stderr
        assert "nothing is known of the key" in opened.stdout
        asyncio.run(_ask(sandbox, redis))
        assert "of 5 requests in the last 2 s" in run("pace", redis.url).stdout


def test_on_a_terminal_it_goes_on_until_ctrl_c(redis: RedisServer) -> None:
    environment = dict(os.environ) | PLAIN | {"TERM": "xterm", "ASYNCSDK_REDIS_URL": redis.url}
    shown = pexpect.spawn(
        COMMAND[0], [*COMMAND[1:], "pace"], env=environment, encoding="utf-8", timeout=60
    )
    shown.expect("0 seen in the last minute")
    with SandboxThread() as sandbox:
        asyncio.run(_ask(sandbox, redis))
        shown.expect("1 seen in the last minute")
    shown.sendintr()
    shown.expect(pexpect.EOF)
    assert PASSWORD not in str(shown.before)
    shown.close()
    assert shown.exitstatus == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["unix:///nowhere.sock"], "does not answer"),
        (["http://host"], "URL of Redis"),
        (["redis://host", "--rate", "none"], "--rate"),
    ],
)
def test_the_command_line_says_what_is_wrong(words: list[str], said: str) -> None:
    done = run("pace", *words)
    assert done.exit_code not in {0, 1}
    assert said in done.stderr


async def _ask(sandbox: SandboxThread, redis: RedisServer, **credentials: str) -> None:
    pace = SharedPace(redis.url, rate=RATE)
    account = {"client_id": sandbox.client_id, "api_key": sandbox.api_key, **credentials}
    async with client_at(sandbox.url, **account, pace=pace) as client:
        await client.me()


async def test_many_requests_at_once_are_no_more_connections_than_redis_is_asked_by(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "asyncsdk")
    async with fleet(redis, 1, pace={"rate": Rate(1000, per=1.0)}) as rig:
        (client,) = rig.clients
        await client.me()
        await asyncio.gather(*(client.me() for _ in range(400)))
        told = redis.ask_all("INFO clients")
        assert len(rig.sandbox.requests) == 401
    found = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
    assert int(found["connected_clients"]) < 40
    assert not caplog.records


def test_a_pace_is_used_by_one_event_loop_after_another(redis: RedisServer) -> None:
    pace = SharedPace(redis.url, rate=Rate(1000, per=1.0))

    async def many() -> int:
        async with Sandbox() as sandbox, client_of(sandbox, pace=pace) as client:
            await client.me()
            await asyncio.gather(*(client.me() for _ in range(100)))
            return len(sandbox.requests)

    assert [asyncio.run(many()) for _ in range(2)] == [101, 101]
