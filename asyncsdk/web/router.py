"""The addresses of the page, for an application that has its own login."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends

from asyncsdk.web.api import api
from asyncsdk.web.caller import identifying
from asyncsdk.web.pages import pages
from asyncsdk.web.route import GuardedRoute

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.web.jobs import UploadJobs

__all__ = ["upload_router"]


def upload_router(
    jobs: UploadJobs,
    *,
    owner: Callable[..., Any] | None = None,
    groups: Callable[..., Any] | None = None,
) -> APIRouter:
    """The page and its JSON interface, for `app.include_router(…, prefix="/uploads")`.

    Args:
        jobs: The jobs, which are served by their `lifespan`.
        owner: A dependency of FastAPI that gives who this is (whatever has a `str`), or raises, as
            that of your login does: jobs are seen by their owner alone. None: everybody is one.
        groups: A dependency that gives the ids of the groups that this user may use, or None for
            all. Who may not use all cannot make new ones.
    """
    router = APIRouter(
        route_class=GuardedRoute, dependencies=[Depends(identifying(jobs, owner, groups))]
    )
    router.include_router(api)
    router.include_router(pages)
    return router
