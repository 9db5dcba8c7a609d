from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from asyncsdk.sandbox import STYLES, ReplyStyle
from tests.rig import rows

from .rig import box

if TYPE_CHECKING:
    from asyncsdk.sandbox.problems import ErrorStyle


async def reply_to(style: str | ReplyStyle, sent: list[Any]) -> tuple[Any, str]:
    async with box(style=style) as (_, call, group_id):
        reply = await call.batch(group_id, sent)
        assert reply.status == 201
        return reply.json, reply.headers["Content-Type"]


async def error_of(style: str | ReplyStyle, body: object, path: str = "phones") -> tuple[Any, str]:
    async with box(style=style) as (_, call, group_id):
        reply = await call("POST", f"/groups/{group_id}/{path}", body)
        return reply.json, reply.headers["Content-Type"]


async def test_hydra() -> None:
    body, kind = await reply_to("hydra", rows(2))
    assert kind.startswith("application/ld+json")
    assert body["@type"] == "hydra:Collection"
    assert isinstance(body["@context"], str)
    assert body["hydra:totalItems"] == 2
    assert isinstance(body["hydra:totalItems"], int)
    member = body["hydra:member"][0]
    assert member["status"] == 201
    assert member["body"]["@type"] == "Phone"
    assert member["body"]["@id"] == f"/phones/{member['body']['id']}"


async def test_plain() -> None:
    body, _ = await reply_to("plain", rows(2))
    assert (body["@type"], body["totalItems"], len(body["member"])) == ("Collection", 2, 2)
    assert not [key for key in body if key.startswith("hydra:")]


async def test_mixed() -> None:
    body, _ = await reply_to("mixed", rows(2))
    assert len(body["hydra:member"]) == 2
    assert body["totalItems"] == 2
    assert isinstance(body["totalItems"], float)
    assert isinstance(body["@context"], dict)
    assert isinstance(body["hydra:member"][0]["body"]["@context"], dict)


async def test_array() -> None:
    body, kind = await reply_to("array", rows(2))
    assert kind.startswith("application/json")
    assert [member["status"] for member in body] == [201, 201]
    assert not [key for key in body[0]["body"] if key.startswith("@")]


async def test_keyed() -> None:
    body, _ = await reply_to("keyed", rows(4))
    assert list(body["hydra:member"]) == ["0", "1", "2", "3"]


async def test_keyed_with_gaps() -> None:
    body, _ = await reply_to("keyed-gaps", rows(4))
    assert list(body["member"]) == ["0", "1", "3", "4"]


async def test_single() -> None:
    one, _ = await reply_to("single", rows(1))
    two, _ = await reply_to("single", rows(2))
    assert one["hydra:member"]["status"] == 201
    assert len(two["hydra:member"]) == 2


async def test_statuses_as_strings() -> None:
    body, _ = await reply_to("string-status", [*rows(1), {}])
    assert [member["status"] for member in body["hydra:member"]] == ["201", "422"]


async def test_nothing_more_than_needed() -> None:
    body, _ = await reply_to("no-total", rows(2))
    assert "totalItems" not in body
    assert "@context" not in body
    assert "@context" not in body["member"][0]["body"]


@pytest.mark.parametrize("name", STYLES)
async def test_every_style_answers_everything(name: str) -> None:
    async with box(style=name, page_size=1) as (sandbox, call, group_id):
        sandbox.add_group("other")
        statuses = [
            (await call.batch(group_id, [*rows(2), {}])).status,
            (await call("GET", "/me")).status,
            (await call("GET", "/groups")).status,
            (await call("GET", f"/groups/{group_id}")).status,
            (await call("GET", f"/groups/{group_id}/phones")).status,
            (await call("POST", f"/groups/{group_id}/phones", {"phone": "1"})).status,
            (await call("POST", f"/groups/{group_id}/phones", {})).status,
            (await call("GET", "/groups/1")).status,
        ]
    assert statuses == [201, 200, 200, 200, 200, 201, 422, 404]


PLAIN, LINKED = "application/json", "application/ld+json"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", LINKED),
        (LINKED, LINKED),
        (f"{PLAIN}, {LINKED}", LINKED),
        (f"{PLAIN};q=0.5, {LINKED}", LINKED),
        ("text/html;q=x", LINKED),
        (PLAIN, PLAIN),
        (f"{PLAIN.upper()} ; q=0.8, {LINKED};q=0.5", PLAIN),
    ],
)
async def test_the_request_says_what_it_accepts(accept: str, kind: str) -> None:
    headers = {"Accept": accept}
    async with box() as (_, call, group_id):
        good = await call.batch(group_id, rows(2), headers=headers)
        bad = await call("GET", "/groups/1", headers=headers)
    assert good.headers["Content-Type"].startswith(kind)
    assert isinstance(good.json, list) == (kind == PLAIN)
    assert ("title" in bad.json) == (kind == PLAIN)


async def test_a_style_is_kept_whatever_is_accepted() -> None:
    async with box(style="hydra") as (_, call, group_id):
        reply = await call.batch(group_id, rows(2), headers={"Accept": PLAIN})
    assert reply.headers["Content-Type"].startswith(LINKED)


async def test_pages_follow_the_prefix() -> None:
    async with box(style="mixed", page_size=1) as (sandbox, call, _):
        sandbox.add_group("other")
        view = (await call("GET", "/groups")).json["view"]
    assert view["next"] == "/groups?page=2"


ERRORS: dict[ErrorStyle, tuple[set[str], str]] = {
    "2-jsonld": ({"@type", "hydra:title", "hydra:description", "violations"}, "ld+json"),
    "2-json": ({"type", "title", "detail", "violations"}, "problem+json"),
    "3": (
        {"@type", "hydra:title", "hydra:description", "type", "title", "detail", "status"}
        | {"violations"},
        "problem+json",
    ),
    "4": ({"@type", "detail", "description", "status", "violations"}, "problem+json"),
    "jsonapi": ({"errors"}, "vnd.api+json"),
}


@pytest.mark.parametrize("generation", ERRORS)
async def test_each_generation_of_errors(generation: ErrorStyle) -> None:
    keys, kind = ERRORS[generation]
    style = evolve(STYLES["hydra"], errors=generation)
    whole, content_type = await error_of(style, {"a": 5})
    body, _ = await reply_to(style, [{"a": 5}])
    item = body["hydra:member"][0]["body"]
    other, _ = await error_of(style, b"{", "phones/batch")
    assert kind in content_type
    assert keys <= set(whole)
    assert whole == item
    assert keys - set(other) <= {"violations"}
    if generation == "jsonapi":
        assert whole["errors"][0]["source"]["pointer"] == "data/attributes/phone"
    else:
        assert [v["propertyPath"] for v in whole["violations"]] == ["phone", "a"]
    assert ("status" in whole) == (generation in {"3", "4"})
    assert ("title" in whole) == (generation in {"2-json", "3"})
    assert ("hint" in str(whole)) == (generation == "4")


def test_the_named_styles_show_every_trait() -> None:
    shown = {
        trait: {getattr(style, trait) for style in STYLES.values()}
        for trait in ("prefix", "container", "statuses", "total", "context", "errors")
    }
    assert shown == {
        "prefix": {"hydra", "none", "mixed"},
        "container": {"list", "keyed", "keyed-gaps", "single", "array"},
        "statuses": {"int", "string"},
        "total": {"int", "float", "absent"},
        "context": {"string", "object", "absent"},
        "errors": set(ERRORS),
    }


def test_a_trait_that_is_unknown() -> None:
    with pytest.raises(ValueError, match="prefix"):
        ReplyStyle(prefix="http")  # type: ignore[arg-type]
