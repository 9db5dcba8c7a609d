from __future__ import annotations

import asyncio
import csv
import io
import ssl

import aiohttp
import pytest
import trustme

from asyncsdk.sandbox import Faults, RequestLimit, Sandbox
from tests.leaping import run_leaping
from tests.rig import numbers, rows

from .rig import box, calling


async def test_every_reply_carries_a_request_id() -> None:
    async with box() as (_, call, group_id):
        replies = [
            await call("GET", "/me"),
            await call("GET", "/nowhere"),
            await call("GET", f"/groups/{group_id}/file/csv"),
            await call("GET", "/me", key="wrong"),
        ]
    ids = {reply.headers["X-LOX24-REQUEST-ID"] for reply in replies}
    assert len(ids) == 4
    assert all(len(one) == 32 and one.isalnum() for one in ids)


async def test_me() -> None:
    async with box() as (sandbox, call, _):
        account = (await call("GET", "/me")).json
    assert account["id"] == int(sandbox.client_id)
    assert {"currency", "balance_amount", "balance_changed_at", "is_text_deleted"} <= set(account)


async def test_groups_are_created_read_updated_and_deleted() -> None:
    async with box() as (sandbox, call, _):
        created = await call("POST", "/groups", {"name": "new", "name_a": "Anrede"})
        path = f"/groups/{created.json['id']}"
        await call("POST", f"{path}/phones/batch", rows(3))
        updated = await call("PUT", path, {"description": "d"})
        read = await call("GET", path)
        deleted = await call("DELETE", path)
        gone = [await call(method, path) for method in ("GET", "PUT", "DELETE")]
        listed = (await call("GET", "/groups")).json["hydra:member"]
    assert (created.status, updated.status, read.status, deleted.status) == (201, 200, 200, 204)
    assert created.json["count_items"] == 0
    assert read.json == updated.json
    assert read.json["name"] == "new"
    assert read.json["description"] == "d"
    assert read.json["name_a"] == "Anrede"
    assert read.json["count_items"] == 3
    assert [reply.status for reply in gone] == [404, 404, 404]
    assert [group["name"] for group in listed] == ["people"]
    assert sandbox.groups[1].deleted_at
    assert sandbox.phones(sandbox.groups[1].id) == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "n" * 51}, "name"),
        ({"name": "n", "description": "d" * 256}, "description"),
        ({"name": "n", "name_c": "d" * 51}, "name_c"),
        ({"name": 5}, "name"),
    ],
)
async def test_a_bad_group_is_refused(fields: dict[str, object], path: str) -> None:
    async with box() as (_, call, _group_id):
        reply = await call("POST", "/groups", fields)
    assert reply.status == 422
    assert [violation["propertyPath"] for violation in reply.json["violations"]] == [path]


async def test_groups_come_in_pages_of_thirty() -> None:
    sandbox = Sandbox()
    ids = [sandbox.add_group(f"group {i}") for i in range(70)]
    async with calling(sandbox) as call:
        path, seen, pages = "/groups", [], 0
        while path:
            page = (await call("GET", path)).json
            seen += [group["id"] for group in page["hydra:member"]]
            path = page["hydra:view"].get("hydra:next")
            pages += 1
        middle = (await call("GET", "/groups?page=2")).json["hydra:view"]
        beyond = (await call("GET", "/groups?page=9")).json["hydra:member"]
    assert (seen, pages, beyond) == (ids, 3, [])
    assert middle["hydra:previous"] == "/groups?page=1"
    assert middle["hydra:last"] == "/groups?page=3"


async def test_phones_are_created_listed_updated_and_deleted() -> None:
    async with box() as (sandbox, call, group_id):
        path = f"/groups/{group_id}/phones"
        created = await call("POST", path, {"phone": "+491601", "a": "Frau"})
        assert isinstance(created.json["id"], str)
        one = f"/phones/{created.json['id']}"
        updated = await call("PUT", one, {"b": "Ilse"})
        listed = (await call("GET", path)).json["hydra:member"]
        bad = await call("PUT", one, {"a": "x" * 1531})
        deleted = await call("DELETE", one)
        gone = [await call("PUT", one, {}), await call("DELETE", one)]
    assert (created.status, updated.status, bad.status, deleted.status) == (201, 200, 422, 204)
    assert listed == [updated.json]
    assert (updated.json["phone"], updated.json["a"], updated.json["b"]) == (
        "+491601",
        "Frau",
        "Ilse",
    )
    assert [reply.status for reply in gone] == [404, 404]
    assert [commit.phone for commit in sandbox.commits] == ["+491601"]
    assert sandbox.phones(group_id) == []


async def test_a_list_of_phones_can_have_pages() -> None:
    async with box(phones_page_size=2) as (_, call, group_id):
        await call.batch(group_id, rows(5))
        page = (await call("GET", f"/groups/{group_id}/phones?page=2")).json
    assert [phone["phone"] for phone in page["hydra:member"]] == numbers(5)[2:4]
    assert page["hydra:totalItems"] == 5
    assert page["hydra:view"]["hydra:next"] == f"/groups/{group_id}/phones?page=3"


async def test_a_batch_is_stored_row_by_row() -> None:
    sent = [{"phone": "+491601", "a": "A", "callback_data": "x"}, {"phone": ""}, {"phone": "2"}]
    async with box() as (sandbox, call, group_id):
        reply = await call.batch(group_id, sent)
    members = reply.json["hydra:member"]
    assert reply.status == 201
    assert [member["status"] for member in members] == [201, 422, 201]
    assert members[0]["body"]["phone"] == "+491601"
    assert members[0]["body"]["c"] is None
    assert members[1]["body"]["violations"][0]["propertyPath"] == "phone"
    first, second = sandbox.commits
    assert (first.phone, first.a, first.callback_data, first.group_id) == (
        "+491601",
        "A",
        "x",
        group_id,
    )
    assert (second.phone, second.request_no) == ("2", 1)
    assert str(second.phone_id) == members[2]["body"]["id"]
    assert [phone.id for phone in sandbox.phones(group_id)] == [first.phone_id, second.phone_id]
    assert sandbox.requests[0].phones == 3


@pytest.mark.parametrize(
    ("row", "paths"),
    [
        ({}, ["phone"]),
        ({"phone": None}, ["phone"]),
        ({"phone": "1" * 31}, ["phone"]),
        ({"phone": "nobody"}, ["phone"]),
        ({"phone": 491601}, ["phone"]),
        ({"phone": "1", "a": "x" * 1531, "e": 7}, ["a", "e"]),
        ({"phone": "1", "callback_data": "x" * 37}, ["callback_data"]),
        ("+491601", [""]),
        (None, [""]),
        ({"phone": "1" * 30, "a": "ü" * 1530, "b": None, "callback_data": "€" * 36}, []),
        ({"phone": "1", "alien": True}, []),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
async def test_the_rules_of_a_phone(row: object, paths: list[str], status: int) -> None:
    async with box(invalid_status=status) as (sandbox, call, group_id):
        reply = await call.batch(group_id, [row])
    (member,) = reply.json["hydra:member"]
    assert member["status"] == (status if paths else 201)
    assert [v["propertyPath"] for v in member["body"].get("violations", [])] == paths
    assert len(sandbox.commits) == (0 if paths else 1)


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'"text"', b"[1", b'["\xff"]'])
async def test_a_batch_that_is_no_array_is_refused(body: bytes) -> None:
    async with box() as (_, call, group_id):
        reply = await call("POST", f"/groups/{group_id}/phones/batch", body)
    assert reply.status == 400
    assert reply.json["hydra:description"]


async def test_what_is_not_there_is_404() -> None:
    async with box() as (sandbox, call, _):
        replies = [
            await call("POST", "/groups/1/phones/batch", rows(1)),
            await call("GET", "/groups/1/phones"),
            await call("GET", "/groups/1/file/csv"),
            await call("GET", "/nowhere"),
            await call("PATCH", "/me"),
        ]
    assert [reply.status for reply in replies] == [404, 404, 404, 404, 405]
    assert all("hydra:description" in reply.json for reply in replies)
    assert [record.status for record in sandbox.requests] == [404, 404, 404, 404, 405]


async def test_the_export_is_a_csv_with_the_groups_own_names() -> None:
    sandbox = Sandbox()
    group_id = sandbox.add_group("people", name_a="Anrede", name_b='Vor"name,')
    sent = [{"phone": "1", "a": 'x,"y"\nz', "callback_data": "c"}, *rows(2500)]
    async with calling(sandbox) as call:
        await call.batch(group_id, sent)
        reply = await call("GET", f"/groups/{group_id}/file/csv")
    lines = list(csv.reader(io.StringIO(reply.body.decode(), newline="")))
    assert reply.headers["Content-Type"].startswith("text/csv")
    assert lines[0] == ["id", "phone", "Anrede", 'Vor"name,', "c", "d", "e", "callback_data"]
    assert lines[1][1:] == ["1", 'x,"y"\nz', "", "", "", "", "c"]
    assert [line[1] for line in lines[2:]] == numbers(2500)


@pytest.mark.parametrize(
    ("policy", "statuses", "stored"),
    [
        ("store", [201, 201], ["x", "y"]),
        ("merge", [201, 200], ["y"]),
        ("refuse", [201, 409], ["x"]),
    ],
)
async def test_duplicates(policy: str, statuses: list[int], stored: list[str]) -> None:
    """The same number in another spelling, in another request, and in another group."""
    async with box(duplicates=policy) as (sandbox, call, group_id):
        first = await call.batch(group_id, [{"phone": "+49160 1", "a": "x"}])
        again = await call.batch(group_id, [{"phone": "0049-1601", "a": "y"}])
        other = await call.batch(sandbox.add_group("other"), [{"phone": "+491601"}])
        seen = [reply.json["hydra:member"][0]["status"] for reply in (first, again, other)]
    assert seen == [*statuses, 201]
    assert [phone.a for phone in sandbox.phones(group_id)] == stored
    assert len(sandbox.commits) == (3 if policy == "store" else 2)


async def test_a_refused_duplicate_can_be_422_and_a_single_one_is_refused_whole() -> None:
    async with box(duplicates="refuse", refused_status=422) as (_, call, group_id):
        path = f"/groups/{group_id}/phones"
        first = await call("POST", path, {"phone": "1"})
        again = await call("POST", path, {"phone": "1"})
        await call("DELETE", f"/phones/{first.json['id']}")
        after = await call("POST", path, {"phone": "1"})
    assert (first.status, again.status, after.status) == (201, 422, 201)


@pytest.mark.parametrize(
    ("template", "path"),
    [("[{i}].{field}", "[1].phone"), ("data[{i}].{field}", "data[1].phone"), (None, "")],
)
async def test_one_bad_row_can_sink_its_batch(template: str | None, path: str) -> None:
    async with box(whole_batch_errors=True, row_paths=template) as (sandbox, call, group_id):
        bad = await call.batch(group_id, [{"phone": "1"}, {"phone": ""}])
        good = await call.batch(group_id, [{"phone": "1"}])
    assert (bad.status, good.status) == (422, 201)
    assert [violation["propertyPath"] for violation in bad.json["violations"]] == [path]
    assert len(sandbox.commits) == 1


async def test_the_largest_batch() -> None:
    async with box(max_batch=2) as (sandbox, call, group_id):
        statuses = [(await call.batch(group_id, rows(n))).status for n in (2, 3)]
    assert statuses == [201, 413]
    assert len(sandbox.commits) == 2


@pytest.mark.parametrize("chunked", [False, True])
async def test_the_largest_body(chunked: bool) -> None:  # noqa: FBT001 - pytest hands it over
    async with box(max_bytes=100) as (sandbox, call, group_id):
        statuses = [
            (await call.batch(group_id, rows(n), chunked=chunked or None)).status for n in (2, 20)
        ]
    assert statuses == [201, 413]
    assert len(sandbox.commits) == 2


async def test_order_of_members() -> None:
    async def order(kind: str) -> list[str]:
        async with box(order=kind) as (_, call, group_id):
            members = (await call.batch(group_id, rows(20))).json["hydra:member"]
            return [member["body"]["phone"] for member in members]

    assert await order("kept") == numbers(20)
    assert await order("reversed") == numbers(20)[::-1]
    shuffled = await order("shuffled")
    assert shuffled != numbers(20)
    assert sorted(shuffled) == numbers(20)
    assert shuffled == await order("shuffled")


@pytest.mark.parametrize(
    ("echo", "told", "stored"),
    [("as sent", "0049 160-1", "0049 160-1"), ("normalized", "+491601", "+491601")],
)
async def test_echo(echo: str, told: str, stored: str) -> None:
    async with box(echo=echo) as (sandbox, call, group_id):
        reply = await call.batch(group_id, [{"phone": "0049 160-1"}])
    assert reply.json["hydra:member"][0]["body"]["phone"] == told
    assert sandbox.phones(group_id)[0].phone == stored
    assert sandbox.commits[0].phone == "0049 160-1"


async def test_no_echo() -> None:
    async with box(echo="none") as (_, call, group_id):
        reply = await call.batch(group_id, [{"phone": "1", "a": "x"}])
    body = reply.json["hydra:member"][0]["body"]
    assert "id" in body
    assert not {"phone", "a", "callback_data"} & set(body)


async def test_more_than_three_bad_keys_a_minute_lock_the_address_out_for_ten() -> None:
    now = 0.0
    async with box(clock=lambda: now) as (_, call, _group_id):
        three = [(await call("GET", "/me", key="bad")).status for _ in range(3)]
        now = 60.0  # they are forgotten
        four = [(await call("GET", "/me", key="bad")).status for _ in range(4)]
        locked = [(await call("GET", "/me")).status, (await call("GET", "/me", key="b")).status]
        now = 659.9
        still = (await call("GET", "/me")).status
        now = 660.0
        free = (await call("GET", "/me")).status
    assert three + four == [401] * 7
    assert locked == [429, 429]
    assert (still, free) == (429, 200)


async def test_no_key_at_all_is_401() -> None:
    async with (
        Sandbox() as sandbox,
        aiohttp.ClientSession() as session,
        session.get(f"{sandbox.url}/me") as reply,
    ):
        assert reply.status == 401
        assert sandbox.requests[0].client_id is None
        assert not sandbox.requests[0].authorized


async def test_the_log_never_holds_the_key() -> None:
    async with box(api_key="s3cret-good") as (sandbox, call, _):
        await call("GET", "/me?x=1")
        await call("GET", "/me", key="s3cret-bad")
    good, bad = sandbox.requests
    assert (good.no, good.method, good.path, good.status) == (1, "GET", "/me?x=1", 200)
    assert (good.authorized, bad.authorized, bad.status) == (True, False, 401)
    assert good.client_id == bad.client_id == sandbox.client_id
    assert "s3cret" not in repr(sandbox.requests) + repr(sandbox)


@pytest.mark.parametrize(
    ("retry_after", "header"),
    [(None, None), (2, "2"), (1.5, "2"), ("date", "Thu, 01 Jan 1970 00:16:50 GMT")],
)
async def test_request_limit(retry_after: object, header: str | None) -> None:
    now = 0.0
    limit = RequestLimit(2, per=10.0, status=503, retry_after=retry_after)  # type: ignore[arg-type]
    async with box(clock=lambda: now, wall_clock=lambda: 1000 + now, request_limit=limit) as (
        _,
        call,
        _group_id,
    ):
        replies = []
        for now in (0.0, 1.0, 2.0, 9.9, 10.0, 10.9, 11.0):  # noqa: B007 - the clock reads it
            replies.append(await call("GET", "/me"))  # noqa: PERF401 - one after the other
    statuses, refusal = [reply.status for reply in replies], replies[2]
    assert statuses == [200, 200, 503, 503, 200, 503, 200]
    # the date: at 1002 s of 1970, 8 s before the first of the window is ten seconds old
    assert refusal.headers.get("Retry-After") == header


def test_latency_comes_before_the_processing_and_outlasts_the_client() -> None:
    async def scenario() -> None:
        async with box(latency=lambda no: 10.0 * no) as (sandbox, call, group_id):
            loop = asyncio.get_running_loop()
            begun = loop.time()
            await call.batch(group_id, rows(1))
            assert 10 <= loop.time() - begun < 11
            with pytest.raises(TimeoutError):
                await call.batch(group_id, rows(1), timeout=aiohttp.ClientTimeout(5))
            assert len(sandbox.commits) == 1
            await asyncio.sleep(16)
            assert len(sandbox.commits) == 2
            assert sandbox.requests[1].status is None

    run_leaping(scenario())


async def test_dropped_connections() -> None:
    async with box() as (sandbox, call, _):
        await call("GET", "/me")
        await sandbox.drop_connections()
        assert (await call("GET", "/me")).status == 200


def test_stopping_ends_what_hangs() -> None:
    async def scenario() -> None:
        async with box(faults=Faults({"timeout-before": 1.0})) as (sandbox, call, group_id):
            hung = asyncio.create_task(call.batch(group_id, rows(1)))
            await asyncio.sleep(1)
            await sandbox.stop()
            with pytest.raises(aiohttp.ClientError):
                await hung
        assert len(asyncio.all_tasks()) == 1

    run_leaping(scenario())


async def test_a_restart_keeps_port_and_store() -> None:
    async with box() as (sandbox, call, group_id):
        await call.batch(group_id, rows(1))
        before = sandbox.url
        await sandbox.stop()
        with pytest.raises(aiohttp.ClientConnectorError):
            await call("GET", "/me")
        await sandbox.start()
        await call.batch(group_id, rows(1))
        assert sandbox.url == before
        assert len(sandbox.commits) == 2


async def test_it_speaks_tls() -> None:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with box(ssl=server) as (sandbox, call, _):
        assert sandbox.url.startswith("https://")
        assert (await call("GET", "/me", ssl=trusting)).status == 200


@pytest.mark.parametrize(
    "options", [{"style": "baroque"}, {"duplicates": "hide"}, {"order": "random"}]
)
def test_options_that_make_no_sense(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(options.values()))):
        Sandbox(**options)  # type: ignore[arg-type]


def test_a_group_that_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="no field color"):
        Sandbox().add_group("x", color="red")
    with pytest.raises(ValueError, match="name: "):
        Sandbox().add_group("")


async def test_two_hundred_thousand_phones_and_a_large_batch() -> None:
    """Speed is for the benchmarks; here nothing breaks, and nothing warns of large bodies."""
    async with box() as (sandbox, call, group_id):
        for _ in range(10):
            reply = await call.batch(group_id, rows(20_000))
            assert reply.status == 201
    assert len(sandbox.commits) == len(sandbox.phones(group_id)) == 200_000
