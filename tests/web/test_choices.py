"""What there is to choose in a list, and what becomes of the choice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.effort import effort
from tests.rig import numbers
from tests.web.inside import pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.testing import SandboxThread
    from tests.web.serving import ServerHere

LISTS = [
    path
    for path in sorted((Path(__file__).parents[1] / "lists").iterdir())
    if path.is_file() and path.suffix != ".py"
]
EVERY = effort(8, 1)
"""Of how many lists one is looked at."""


def chosen(choices: dict[str, Any], question: dict[str, Any]) -> dict[str, Any]:
    """The choices with the first answer to a question."""
    answer = question["options"][0]["answer"]
    if question["about"] == "sheet":
        return choices | {"sheet": [answer]}
    if question["about"] == "country":
        return choices | {"country": answer}
    return choices | {"columns": {**choices.get("columns", {}), "phone": answer}}


async def test_each_list_is_looked_at_and_asked_about_until_it_can_be_checked(
    here: Callable[..., ServerHere],
) -> None:
    """Those that the command line is tested with: questions are answered, errors are in words."""
    async with here().visited() as ann:
        for path in LISTS[::EVERY]:
            job = await ann.send(path.read_bytes(), name=path.name)
            at, choices = f"/jobs/{job['id']}", {"normalize": "DE"}
            await ann.ask("PATCH", at, json={"choices": choices})
            while (seen := await ann.ask("GET", f"{at}/list"))["questions"]:
                assert not seen["ready"]
                assert await ann.ask("GET", f"{at}/list") == seen
                refused = await ann.checked(job["id"])
                assert refused["state"] == "draft"
                assert "choose" in refused["reason"]
                choices = chosen(choices, seen["questions"][0])
                await ann.ask("PATCH", at, json={"choices": choices})
            assert "/uploads/" not in seen["problem"]  # where it is on the server
            job = await ann.checked(job["id"])
            assert (job["state"] == "checked") == seen["ready"], (path.name, job["reason"])
            if seen["ready"]:
                (first, *_) = seen["lists"]
                assert first["name"]
                assert {"phone"} <= {one["field"] for one in first["chosen"]}
                total = sum(job["check"][kind] for kind in ("would_be_sent", "invalid", "skipped"))
                assert total + job["check"]["doubtful"] == job["check"]["rows"]
                assert job["check"]["rows"] > 0
            else:
                assert seen["problem"]
                assert path.name in job["reason"]


async def test_a_mended_rejects_file_goes_on_with_what_its_list_was_sent_with(
    sandbox: SandboxThread, here: Callable[..., ServerHere]
) -> None:
    group_id = sandbox.add_group()
    body = b"Name;Mobil;Nr\nAnn;0151 12345678;1\nBea;0151-12;2\nCem;0151 12345678;3\n"
    choices = {"columns": {"phone": "Mobil"}, "normalize": "DE", "duplicates": "skip"}
    async with here().visited() as ann:
        first = await ann.until((await ann.started(body, group_id, **choices))["id"])
        assert first["progress"]["skipped"] == 1
        async with ann.session.get(f"/uploads/api/jobs/{first['id']}/files/rejects.csv") as reply:
            rejects = await reply.text()
        assert len(rejects.splitlines()) == 2
        mended = await ann.send(rejects.replace("0151-12", "0151 1234567").encode())
        seen = await ann.ask("GET", f"/jobs/{mended['id']}/list")
        assert seen["noted"] == {"normalize": "DE", "duplicates": "skip"}
        await ann.ask("PATCH", f"/jobs/{mended['id']}", json={"group_id": group_id})
        assert (await ann.checked(mended["id"]))["check"]["countries"] == {"DE": 1}
        await ann.ask("POST", f"/jobs/{mended['id']}/start")
        assert (await ann.until(mended["id"]))["state"] == "done"
    assert [commit.phone for commit in sandbox.commits] == ["+4915112345678", "+491511234567"]


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"normalize": "Germany"}, "normalize needs a region"),
        ({"bare": "national"}, "choose the country"),
        ({"columns": {"phone": "Fax"}}, "Fax"),
        ({"columns": {"mobile": "Mobil"}}, "mobile"),
        ({"columns": {"phone": "Mobil"}, "encoding": "no-such"}, "no-such"),
        ({"sheet": ["May"], "format": "nothing"}, "format must be one of"),
    ],
)
async def test_a_choice_that_cannot_work_says_so(
    here: Callable[..., ServerHere], choices: dict[str, Any], words: str
) -> None:
    async with here().visited() as ann:
        job = await ann.send(b"Mobil\n+4915112345678\n")
        await ann.ask("PATCH", f"/jobs/{job['id']}", json={"choices": choices})
        assert words in (await ann.ask("GET", f"/jobs/{job['id']}/list"))["problem"]
        job = await ann.checked(job["id"])
        assert job["state"] == "draft"
        assert words in job["reason"]


async def test_other_choices_forget_what_was_checked(
    sandbox: SandboxThread, here: Callable[..., ServerHere]
) -> None:
    async with here().visited() as ann:
        job = await ann.send(b"Mobil;Tel\n+4915112345678;\n")
        at = f"/jobs/{job['id']}"
        await ann.ask("POST", f"{at}/start", status=409)  # not checked
        await ann.checked(job["id"])
        await ann.ask("PATCH", at, json={"group_id": sandbox.add_group()})
        assert (await ann.ask("GET", at))["state"] == "checked"
        other = await ann.ask("PATCH", at, json={"choices": {"duplicates": "skip"}})
        assert (other["state"], other["check"]) == ("draft", None)
        await ann.ask("POST", f"{at}/start", status=409)
        await ann.ask("PATCH", at, json={"choices": {"no_such": 1}}, status=422)
        await ann.checked(job["id"])
        await ann.ask("POST", f"{at}/start")
        await ann.until(job["id"])
        await ann.ask("PATCH", at, json={"choices": {}}, status=409)
        await ann.ask("POST", f"{at}/check", status=409)


async def test_two_jobs_that_make_the_same_group_share_it(
    sandbox: SandboxThread, here: Callable[..., ServerHere]
) -> None:
    async with here().visited() as ann:
        jobs = [
            await ann.checked(
                (await ann.send(f"Mobil\n+49151{at}2345678\n", group_name="new"))["id"]
            )
            for at in range(4)
        ]
        await asyncio.gather(*(ann.ask("POST", f"/jobs/{job['id']}/start") for job in jobs))
        ended = [await ann.until(job["id"]) for job in jobs]
    (group,) = [group for group in sandbox.groups if group.name == "new"]
    assert {job["group_id"] for job in ended} == {group.id}
    assert len(sandbox.phones(group.id)) == 4


async def test_a_check_that_nobody_wants_any_more_ends(here: Callable[..., ServerHere]) -> None:
    rows = "\n".join(numbers(50_000)).encode()
    async with here().visited() as ann:
        job = await ann.send(pieces(b"Mobil\n", *[rows, b"\n"] * 6))
        at = f"/jobs/{job['id']}"
        await ann.ask("POST", f"{at}/check")
        await asyncio.sleep(0.7)
        assert (await ann.ask("POST", f"{at}/stop"))["state"] == "draft"
        await ann.ask("POST", f"{at}/check")
        chosen = await ann.ask("PATCH", at, json={"choices": {"duplicates": "skip", "sheet": []}})
        assert (chosen["state"], chosen["progress"]) == ("draft", None)
        # Nothing keeps the next one waiting: not even both places are taken.
        for _ in range(2):
            other = await ann.checked((await ann.send(b"Mobil\n+4915112345678\n"))["id"])
            assert other["state"] == "checked"
        assert (await ann.ask("GET", at))["state"] == "draft"
