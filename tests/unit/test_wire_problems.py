"""Every generation of error object becomes one `Problem` with the provider's words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import Problem, Violation
from asyncsdk.wire.batch import decode_member, member_of
from asyncsdk.wire.problems import encode_problem, problem_of, row_of

VIOLATION = {"propertyPath": "phone", "message": "Too long.", "code": "d94b"}
TOLD = Violation("phone", "Too long.", "d94b")

GENERATIONS: dict[str, dict[str, Any]] = {
    "2.x JSON-LD": {
        "@context": "/contexts/ConstraintViolationList",
        "@type": "ConstraintViolationList",
        "hydra:title": "An error occurred",
        "hydra:description": "phone: Too long.",
        "violations": [VIOLATION],
    },
    "2.x JSON": {
        "type": "https://tools.ietf.org/html/rfc2616#section-10",
        "title": "An error occurred",
        "detail": "phone: Too long.",
        "violations": [VIOLATION],
    },
    "3.x": {
        "@type": "ConstraintViolationList",
        "status": 422,
        "type": "/validation_errors/d94b",
        "title": "An error occurred",
        "detail": "phone: Too long.",
        "hydra:title": "An error occurred",
        "hydra:description": "phone: Too long.",
        "violations": [VIOLATION | {"payload": {"x": 1}, "hint": "shorter"}],
    },
    "4.x": {
        "@type": "ConstraintViolation",
        "status": 422,
        "detail": "phone: Too long.",
        "description": "phone: Too long.",
        "violations": [VIOLATION],
    },
    "violations keyed": {
        "title": "An error occurred",
        "detail": "phone: Too long.",
        "violations": {"0": VIOLATION},
    },
}


@pytest.mark.parametrize("body", GENERATIONS.values(), ids=GENERATIONS)
def test_generations(body: dict[str, Any]) -> None:
    problem = problem_of(json.dumps(body).encode(), 422)
    assert problem.detail == "phone: Too long."
    assert problem.title in {"An error occurred", "Unprocessable Entity"}
    assert problem.violations == (TOLD,)
    assert problem.status == body.get("status")
    assert problem.type == body.get("type", body.get("@type"))
    assert "phone: Too long." in str(problem)


def test_json_api() -> None:
    errors = [
        {"detail": "Too long.", "source": {"pointer": "/data/3/phone"}, "code": 7},
        {"title": "Odd", "source": None},
    ]
    problem = problem_of(json.dumps({"errors": errors}).encode(), 422)
    assert problem.violations == (
        Violation("/data/3/phone", "Too long.", "7"),
        Violation("", "Odd", None),
    )
    assert str(problem) == "Unprocessable Entity: /data/3/phone: Too long.; Odd"


def test_a_code_of_null() -> None:
    body = {"violations": [{"propertyPath": "a", "message": "m", "code": None}]}
    assert problem_of(json.dumps(body).encode(), 400).violations == (Violation("a", "m"),)


@pytest.mark.parametrize("key", ["message", "error", "error_message", "description"])
def test_other_names_for_the_words(key: str) -> None:
    assert problem_of(json.dumps({key: "No funds"}).encode(), 402).detail == "No funds"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "the reply was empty"),
        (b" \n", "the reply was empty"),
        (b"<html><title>502 Bad Gateway</title>secret</html>", "titled '502 Bad Gateway'"),
        (b"\xff\xfe\x00", "not JSON (3 bytes)"),
        (b'{"title":"cut', "not JSON (13 bytes)"),
        (b'"Blocked"', "Blocked"),
        (b"[]", ""),
        (b"null", ""),
        (b"7", ""),
    ],
)
def test_what_is_no_error_object(body: bytes, detail: str) -> None:
    problem = problem_of(body, 502)
    assert problem.title == "Bad Gateway"
    assert detail in problem.detail
    assert "secret" not in str(problem)


@pytest.mark.parametrize(
    ("status", "title"), [(402, "Payment Required"), (599, "HTTP 599"), (None, "")]
)
def test_the_status_gives_the_title_where_nothing_else_does(status: int | None, title: str) -> None:
    assert problem_of(b"{}", status).title == title


def test_a_problem_never_holds_a_whole_request_that_was_echoed() -> None:
    long = "x" * 1_000_000
    body = {
        "title": long,
        "detail": long,
        "violations": [{"propertyPath": long, "message": long, "code": long}],
    }
    problem = problem_of(json.dumps(body).encode(), 422)
    assert len(str(problem)) < 10_000
    assert len(repr(problem)) < 10_000


@pytest.mark.parametrize("violations", [None, 5, "x", [None, 5, "x", []], {"a": 5}])
def test_violations_that_make_no_sense(violations: object) -> None:
    body = {"detail": "d", "violations": violations, "errors": violations, "status": "x"}
    assert problem_of(json.dumps(body).encode(), 422) == Problem("Unprocessable Entity", "d")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
NAMES = ["title", "detail", "hydra:title", "status", "type", "@type", "violations", "errors"]


@given(
    st.binary() | st.dictionaries(st.sampled_from(NAMES), json_values).map(json.dumps),
    st.none() | st.integers(400, 599),
)
def test_no_body_raises(body: bytes | str, status: int | None) -> None:
    data = body if isinstance(body, bytes) else body.encode(errors="replace")
    assert isinstance(str(problem_of(data, status)), str)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("[3].phone", (3, "phone")),
        ("[12]", (12, "")),
        ("phones[3].phone", (3, "phone")),
        ("data[0].a", (0, "a")),
        ("/data/3/phone", (3, "phone")),
        ("/3/phone", (3, "phone")),
        ("/3", (3, "")),
        ("phone", None),
        ("", None),
        ("3", None),
        ("[x].phone", None),
        ("[-1].phone", None),
        ("[99999999999].phone", None),
        ("/data/attributes/phone", None),
    ],
)
def test_rows_that_a_path_names(path: str, found: tuple[int, str] | None) -> None:
    assert row_of(path) == found


def test_a_problem_found_here_is_kept_like_a_reply() -> None:
    problem = Problem("Invalid phone", "x", violations=(TOLD, Violation("", "odd")))
    member = decode_member(member_of(problem))
    assert (member.status, member.created, member.problem) == (None, None, problem)
    assert problem_of(json.dumps(encode_problem(problem)).encode(), None) == problem
