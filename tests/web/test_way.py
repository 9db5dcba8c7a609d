"""The way of a job through the JSON interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.rig import numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.testing import SandboxThread
    from tests.web.serving import ServerHere


def list_of(count: int, *more: str) -> bytes:
    rows = [f"Name {at};{number}" for at, number in enumerate(numbers(count))]
    return "\n".join(["Name;Mobil", *rows, *more, ""]).encode()


async def test_the_whole_way(sandbox: SandboxThread, here: Callable[..., ServerHere]) -> None:
    group_id = sandbox.add_group("spring")
    async with here().visited() as ann:
        job = await ann.send(list_of(300, "Bad;nobody"), name="../../Liste Mai.csv")
        assert (job["name"], job["state"], job["owner"]) == ("Liste Mai.csv", "draft", "ann")
        at = f"/jobs/{job['id']}"
        seen = await ann.ask("GET", f"{at}/list")
        (only,) = seen["lists"]
        assert seen["ready"]
        assert [column["name"] for column in only["columns"]] == ["Name", "Mobil"]
        assert only["chosen"] == [{"field": "phone", "column": "Mobil", "reason": "by its name"}]
        choices = {"columns": {"phone": "Mobil", "a": "Name"}, "normalize": "DE"}
        await ann.ask("PATCH", at, json={"choices": choices, "group_id": group_id})
        job = await ann.checked(job["id"])
        assert job["state"] == "checked", job["reason"]
        check = job["check"]
        assert (check["rows"], check["would_be_sent"], check["invalid"]) == (301, 300, 1)
        assert check["countries"] == {"DE": 300}
        assert not sandbox.commits
        for _ in range(2):  # who clicks twice sends once
            await ann.ask("POST", f"{at}/start")
        done = await ann.until(job["id"])
        assert done["state"] == "done"
        assert done["group_name"] == "spring"
        progress = done["progress"]
        assert (progress["created"], progress["invalid"], progress["total"]) == (300, 1, 301)
        assert [commit.phone for commit in sandbox.commits] == numbers(300)
        page = await ann.ask("GET", f"{at}/results/invalid")
        assert [(row["index"], row["phone"]) for row in page["rows"]] == [(300, "nobody")]
        for kind in ("invalid", "created"):
            located = await ann.ask("GET", f"{at}/results/{kind}", params={"located": "true"})
            assert [row["line"] - 2 for row in located["rows"]] == [
                row["index"] for row in located["rows"]
            ]
        for kind in ("report.csv", "report.xlsx", "report.html", "rejects.csv", "rejects.xlsx"):
            async with ann.session.get(f"/uploads/api{at}/files/{kind}") as reply:
                assert reply.status == 200, await reply.text()
                assert (
                    f"filename*=utf-8''Liste%20Mai-{kind}" in reply.headers["Content-Disposition"]
                )
                assert await reply.read()
        await _undone(ann, at, sandbox, group_id)
        await ann.ask("DELETE", at)
        assert await ann.ask("GET", "/jobs") == []


async def _undone(ann: Any, at: str, sandbox: SandboxThread, group_id: int) -> None:
    preview = await ann.ask("GET", f"{at}/undo")
    assert preview["total"] == 300
    job = await ann.ask("POST", f"{at}/undo")
    job = await ann.until(job["id"])
    assert job["state"] == "undone"
    assert (job["undo"]["deleted"], job["undo"]["failed"]) == (300, 0)
    assert sandbox.phones(group_id) == []


async def test_the_interface_is_documented(here: Callable[..., ServerHere]) -> None:
    async with here().visited() as ann, ann.session.get("/openapi.json") as reply:
        described = await reply.json()
    paths = described["paths"]
    assert len([path for path in paths if path.startswith("/uploads/api/")]) >= 13
    create = paths["/uploads/api/jobs"]["post"]
    assert "application/octet-stream" in create["requestBody"]["content"]
    assert {"201", "413", "422", "403"} <= set(create["responses"])
    for path, verbs in paths.items():
        for verb, what in verbs.items():
            assert what["summary"], (path, verb)
            assert what.get("description") or not path.startswith("/uploads"), (path, verb)
    shown = described["components"]["schemas"]["JobShape"]["properties"]
    assert {"state", "progress", "check", "undo", "version"} <= set(shown)


async def test_a_template_can_be_sent_as_it_is(
    sandbox: SandboxThread, here: Callable[..., ServerHere]
) -> None:
    async with here().visited() as ann:
        for kind in ("csv", "xlsx"):
            async with ann.session.get(f"/uploads/api/template.{kind}") as reply:
                assert reply.headers["Content-Disposition"].endswith(f'"template.{kind}"')
                content = await reply.read()
            job = await ann.checked((await ann.send(content, name=f"template.{kind}"))["id"])
            assert job["check"]["would_be_sent"] == 2
    assert not sandbox.commits


async def test_history_page_by_page(here: Callable[..., ServerHere]) -> None:
    async with here().visited() as ann:
        sent = [await ann.send(list_of(1)) for _ in range(5)]
        shown: list[str] = []
        before: dict[str, str] = {}
        while page := await ann.ask("GET", "/jobs", params={"limit": "2", **before}):
            shown += [job["id"] for job in page]
            before = {"before": page[-1]["created"]}
        assert shown == [job["id"] for job in reversed(sent)]
