"""The route of a path: what a metric may say of it, for there are few of them. Pure."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["ROUTES", "route_of"]

ROUTES = frozenset(
    {
        "/me",
        "/groups",
        "/groups/{id}",
        "/groups/{id}/file/csv",
        "/groups/{id}/phones",
        "/groups/{id}/phones/batch",
        "/phones/{id}",
    }
)
"""All that a client asks for."""


@lru_cache(256)  # an upload asks for the same one all the time
def route_of(path: str) -> str | None:
    """The route of a path below the base URL; None for one that only the server knows."""
    parts = ["{id}" if part.isdecimal() else part for part in path.strip("/").split("/")]
    route = "/" + "/".join(parts)
    return route if route in ROUTES else None
