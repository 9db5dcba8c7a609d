"""Refusals in the words of each generation of API Platform, of a whole request and of one phone."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from attrs import asdict, frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.models import Violation

__all__ = ["ERROR_TYPES", "ErrorStyle", "Refusal", "problem_body"]

ErrorStyle = Literal["2-jsonld", "2-json", "3", "4", "jsonapi"]
"""The generations of errors: of API Platform 2 two formats, 3, 4, and JSON:API."""

ERROR_TYPES: dict[ErrorStyle, str] = {
    "2-jsonld": "application/ld+json",
    "2-json": "application/problem+json",
    "3": "application/problem+json",
    "4": "application/problem+json",
    "jsonapi": "application/vnd.api+json",
}
"""The content type that each comes as."""

_TITLE = "An error occurred"
_RFC = "https://tools.ietf.org/html/rfc2616#section-10"


@frozen
class Refusal:
    """Why a request or a phone is refused, before it is put into words."""

    status: int
    detail: str = ""
    violations: tuple[Violation, ...] = ()

    @property
    def told(self) -> str:
        """The detail, or else the violations one a line, or else the name of the status."""
        lines = (f"{v.path}: {v.message}" if v.path else v.message for v in self.violations)
        return self.detail or "\n".join(lines) or HTTPStatus(self.status).phrase


def problem_body(style: ErrorStyle, refusal: Refusal) -> dict[str, Any]:
    """The error object of this generation."""
    return _BODIES[style](refusal)


def _violations(refusal: Refusal, **extra: Any) -> list[dict[str, Any]]:
    return [
        {"propertyPath": v.path, "message": v.message, "code": v.code, **extra}
        for v in refusal.violations
    ]


def _two_jsonld(refusal: Refusal) -> dict[str, Any]:
    body = {"hydra:title": _TITLE, "hydra:description": refusal.told}
    if not refusal.violations:
        return {"@context": "/contexts/Error", "@type": "hydra:Error", **body}
    return {
        "@context": "/contexts/ConstraintViolationList",
        "@type": "ConstraintViolationList",
        **body,
        "violations": _violations(refusal),
    }


def _two_json(refusal: Refusal) -> dict[str, Any]:
    body: dict[str, Any] = {"type": _RFC, "title": _TITLE, "detail": refusal.told}
    if refusal.violations:
        body["violations"] = _violations(refusal)
    return body


def _three(refusal: Refusal) -> dict[str, Any]:
    return {**_two_jsonld(refusal), **_two_json(refusal), "status": refusal.status}


def _four(refusal: Refusal) -> dict[str, Any]:
    body = {"status": refusal.status, "detail": refusal.told, "description": refusal.told}
    if not refusal.violations:
        kind = {"@context": "/contexts/Error", "@id": f"/errors/{refusal.status}", "@type": "Error"}
        return {**kind, "title": _TITLE, "type": f"/errors/{refusal.status}", **body}
    return {
        "@context": "/contexts/ConstraintViolation",
        "@id": "/validation_errors/sandbox",
        "@type": "ConstraintViolation",
        "type": "/validation_errors/sandbox",
        **body,
        "violations": _violations(refusal, payload=None, hint=None),
    }


def _jsonapi(refusal: Refusal) -> dict[str, Any]:
    if not refusal.violations:
        told = {"title": _TITLE, "detail": refusal.told, "status": str(refusal.status)}
        return {"errors": [told]}
    return {"errors": [_jsonapi_error(asdict(v)) for v in refusal.violations]}


def _jsonapi_error(violation: dict[str, Any]) -> dict[str, Any]:
    pointer = f"data/attributes/{violation['path']}"
    return {"detail": violation["message"], "source": {"pointer": pointer}}


_BODIES: dict[ErrorStyle, Callable[[Refusal], dict[str, Any]]] = {
    "2-jsonld": _two_jsonld,
    "2-json": _two_json,
    "3": _three,
    "4": _four,
    "jsonapi": _jsonapi,
}
