"""Every fault: what the client sees of it, and what the commit log holds after it."""

from __future__ import annotations

import asyncio
import email.utils
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from asyncsdk.sandbox import FAULTS, Fault, Faults, Sandbox
from tests.leaping import run_leaping
from tests.rig import numbers, rows

from .rig import Answer, Caller, box, calling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

COUNT = 10
HIT = 3  # of ten rows, where a fault hits some

GONE = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)

EXCEPTIONS: dict[str, tuple[type[BaseException], ...]] = {
    "reset-head": GONE,
    "reset-before": GONE,
    "reset-after": GONE,
    "timeout-before": (TimeoutError,),
    "timeout-after": (TimeoutError,),
    "truncate": (aiohttp.ClientPayloadError,),
    "bad-gzip": (aiohttp.ClientPayloadError,),
    "garbage": (aiohttp.ClientResponseError, aiohttp.ServerDisconnectedError),
}

STATUSES = {name: int(name[:3]) for name in FAULTS if name[:3].isdigit()}


async def meet(fault: str, **options: Any) -> tuple[Sandbox, Answer | BaseException]:
    """One batch that meets the fault, and one after it that meets none."""
    faults = Faults.script([fault], seed=1, delay=20.0, retry_after=7.0)
    async with box(faults=faults, **options) as (sandbox, call, group_id):
        seen = await attempt(call, group_id)
        stored = len(sandbox.commits)
        await asyncio.sleep(0.01)  # a connection that was closed is seen to be
        assert (await call.batch(group_id, rows(1))).status == 201
        assert len(sandbox.commits) == stored + 1
        assert len(asyncio.all_tasks()) <= 3, "nobody waits for a client that has left"
        sandbox.commits.pop()
        return sandbox, seen


async def attempt(call: Caller, group_id: int) -> Answer | BaseException:
    try:
        return await call.batch(group_id, rows(COUNT), timeout=aiohttp.ClientTimeout(60))
    except (aiohttp.ClientError, TimeoutError) as error:
        return error


def members(seen: Answer | BaseException) -> list[dict[str, Any]]:
    assert isinstance(seen, Answer)
    assert seen.status == 201
    found: list[dict[str, Any]] = seen.json["hydra:member"]
    return found


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_commit_log_holds_what_the_fault_says(fault: Fault) -> None:
    sandbox, _ = run_leaping(meet(fault.name))
    expected = COUNT if fault.processed else 0
    if fault.name.startswith("item-") and not fault.processed:
        expected = COUNT - HIT
    assert len(sandbox.commits) == expected
    assert sandbox.requests[0].fault == fault.name
    assert sandbox.requests[0].phones == (None if fault.name == "reset-head" else COUNT)
    assert sandbox.requests[1].fault is None


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_faults_of_the_connection(name: str) -> None:
    sandbox, seen = run_leaping(meet(name))
    assert isinstance(seen, EXCEPTIONS[name])
    assert sandbox.requests[0].status == (201 if name == "bad-gzip" else None)


@pytest.mark.parametrize("name", STATUSES)
def test_statuses(name: str) -> None:
    sandbox, seen = run_leaping(meet(name))
    assert isinstance(seen, Answer)
    assert seen.status == sandbox.requests[0].status == STATUSES[name]
    wait = seen.headers.get("Retry-After")
    if name == "429-date":
        assert wait
        assert email.utils.format_datetime(email.utils.parsedate_to_datetime(wait), usegmt=True)
    else:
        assert wait == ("7" if name in {"429-after", "503-after"} else None)
    html = name.removesuffix("-after") in {"413", "502", "504"}
    assert seen.headers.get("Content-Type", "").startswith("text/html") == html
    assert (seen.headers.get("Location") == "https://elsewhere.invalid/groups") == (name == "301")


def test_an_http_date_counts_from_the_wall_clock() -> None:
    _, seen = run_leaping(meet("429-date", wall_clock=lambda: 1000.0))
    assert isinstance(seen, Answer)
    assert seen.headers["Retry-After"] == "Thu, 01 Jan 1970 00:16:47 GMT"


@pytest.mark.parametrize("name", ["429", "503"])
def test_a_401_by_fault_locks_nobody_out(name: str) -> None:
    async def scenario() -> list[int]:
        faults = Faults.script(["401"] * 5 + [name])
        async with box(faults=faults) as (_, call, group_id):
            return [(await call.batch(group_id, rows(1))).status for _ in range(7)]

    assert run_leaping(scenario()) == [401] * 5 + [int(name), 201]


def test_a_reply_cut_short_without_a_length_looks_whole() -> None:
    _, seen = run_leaping(meet("truncate-nolength"))
    assert isinstance(seen, Answer)
    assert seen.status == 201
    assert "Content-Length" not in seen.headers
    assert "X-LOX24-REQUEST-ID" in seen.headers
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        _ = seen.json


def test_replies_that_are_no_json() -> None:
    _, page = run_leaping(meet("not-json"))
    _, nothing = run_leaping(meet("empty"))
    assert isinstance(page, Answer)
    assert isinstance(nothing, Answer)
    assert (page.status, nothing.status) == (201, 201)
    assert page.body.startswith(b"<html>")
    assert nothing.body == b""


def test_members_missing() -> None:
    _, seen = run_leaping(meet("few"))
    told = [member["body"]["phone"] for member in members(seen)]
    assert len(told) == COUNT - HIT
    assert set(told) < set(numbers(COUNT))


def test_members_too_many() -> None:
    _, seen = run_leaping(meet("many"))
    told = [member["body"]["phone"] for member in members(seen)]
    assert told[:COUNT] == numbers(COUNT)
    assert len(set(told)) == COUNT + HIT


def test_members_of_aliens() -> None:
    sandbox, seen = run_leaping(meet("alien"))
    told = [member["body"]["phone"] for member in members(seen)]
    strangers = [number for number in told if number not in set(numbers(COUNT))]
    assert (len(told), len(strangers)) == (COUNT, HIT)
    assert not set(strangers) & {commit.phone for commit in sandbox.commits}


def test_members_in_another_order() -> None:
    _, seen = run_leaping(meet("reorder"))
    told = [member["body"]["phone"] for member in members(seen)]
    assert told != numbers(COUNT)
    assert sorted(told) == numbers(COUNT)


def test_members_without_bodies() -> None:
    _, seen = run_leaping(meet("no-echo"))
    assert members(seen) == [{"status": 201}] * COUNT


@pytest.mark.parametrize("name", ["item-429", "item-503", "item-500", "item-500-after"])
def test_members_that_failed(name: str) -> None:
    sandbox, seen = run_leaping(meet(name))
    statuses = [member["status"] for member in members(seen)]
    failed = [numbers(COUNT)[i] for i, status in enumerate(statuses) if status != 201]
    assert sorted(set(statuses)) == [201, int(name.split("-")[1])]
    assert len(failed) == HIT
    stored = {commit.phone for commit in sandbox.commits}
    assert stored == set(numbers(COUNT)) - (set() if name.endswith("after") else set(failed))


@pytest.mark.parametrize("name", ["slow", "late"])
@pytest.mark.parametrize("patience", [10, 60])
def test_a_late_answer(name: str, patience: int) -> None:
    """Both answer after twenty seconds; "slow" has stored at once, "late" stores only then."""

    async def scenario() -> None:
        faults = Faults.script([name], delay=20.0)
        async with box(faults=faults) as (sandbox, call, group_id):
            loop = asyncio.get_running_loop()
            begun = loop.time()
            timeout = aiohttp.ClientTimeout(patience)
            if patience < 20:
                with pytest.raises(TimeoutError):
                    await call.batch(group_id, rows(1), timeout=timeout)
                assert len(sandbox.commits) == (1 if name == "slow" else 0)
                await asyncio.sleep(11)
            else:
                assert (await call.batch(group_id, rows(1), timeout=timeout)).status == 201
                assert 20 <= loop.time() - begun < 21
            (commit,) = sandbox.commits
            assert (commit.at - begun >= 20) == (name == "late")

    run_leaping(scenario())


def test_a_connection_closed_after_a_good_reply() -> None:
    """The reply promises to keep the connection, and it is dead all the same."""

    async def scenario() -> None:
        async with box(faults=Faults({"close": 1.0})) as (sandbox, call, group_id):
            for _ in range(20):
                reply = await call.batch(group_id, rows(1))
                assert reply.status == 201
                assert reply.headers.get("Connection") != "close"
                await asyncio.sleep(0.01)  # the end of the connection is seen
                pool = call.session.connector._conns.values()  # type: ignore[union-attr]
                assert [kept.is_connected() for slot in pool for kept, *_ in slot] == [False]
            assert len(sandbox.commits) == 20

    run_leaping(scenario())


def test_the_body_is_not_read_when_the_head_alone_counts() -> None:
    async def scenario() -> None:
        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0)

        async with box(faults=Faults.script(["reset-head"])) as (_, call, group_id):
            with pytest.raises(GONE):
                await call("POST", f"/groups/{group_id}/phones/batch", endless())

    run_leaping(scenario())


def test_a_seed_is_a_schedule() -> None:
    shares = {"503": 0.2, "reset-after": 0.1}
    one, same, other = (Faults(shares, seed=seed) for seed in (7, 7, 8))
    drawn = [[faults.next() for _ in range(1000)] for faults in (one, same, other)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert 150 < drawn[0].count("503") < 250
    assert 60 < drawn[0].count("reset-after") < 140
    assert one.injected == 1000 - drawn[0].count(None)


def test_faults_pass_after_the_limit() -> None:
    faults = Faults({"500": 1.0}, limit=2)
    assert [faults.next() for _ in range(4)] == ["500", "500", None, None]


def test_a_script_is_followed_and_then_over() -> None:
    faults = Faults.script(["ok", "503", "ok", "413"])
    assert [faults.next() for _ in range(6)] == [None, "503", None, "413", None, None]


def test_parse() -> None:
    faults = Faults.parse(" reset-after:0.05, 503:0.1 ", seed=7, limit=3)
    assert faults.shares == {"reset-after": 0.05, "503": 0.1}
    assert faults.limit == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gremlins:0.1", "gremlins"),
        ("503", "write name:share"),
        ("503:often", "write name:share"),
        ("503:1.5", "from 0 to 1"),
        ("503:nan", "from 0 to 1"),
        ("503:0.6,500:0.6", "at most 1"),
    ],
)
def test_what_does_not_parse(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Faults.parse(text)


def test_a_script_of_unknown_faults() -> None:
    with pytest.raises(ValueError, match="gremlins"):
        Faults.script(["gremlins"])


async def test_faults_meet_the_batch_alone_unless_told_otherwise() -> None:
    async with box(faults=Faults({"503": 1.0})) as (sandbox, call, group_id):
        assert (await call("GET", "/me")).status == 200
        assert (await call("POST", f"/groups/{group_id}/phones", {"phone": "1"})).status == 201
        assert (await call.batch(group_id, rows(1))).status == 503
    assert [record.fault for record in sandbox.requests] == [None, None, "503"]


@pytest.mark.parametrize("name", sorted(set(FAULTS) - {"slow", "late"}))
def test_faults_meet_the_export_too(name: str) -> None:
    async def scenario() -> None:
        sandbox = Sandbox(faults=Faults.script(["ok", name], routes="all"))
        group_id = sandbox.add_group("people")
        async with calling(sandbox) as call:
            await call.batch(group_id, rows(COUNT))
            path = f"/groups/{group_id}/file/csv"
            try:
                reply = await call("GET", path, timeout=aiohttp.ClientTimeout(60))
            except (aiohttp.ClientError, TimeoutError):
                assert name in EXCEPTIONS
            else:
                assert reply.status == STATUSES.get(name, 200)
            assert (await call("GET", path)).body.count(b"\n") == COUNT + 1

    run_leaping(scenario())
