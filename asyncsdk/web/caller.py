"""Who asks: whose jobs they are, and which groups are theirs to use, as the application says."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Any

from attrs import frozen
from fastapi import Depends, Request

from asyncsdk.web.errors import NotKnownError
from asyncsdk.web.jobs import UploadJobs

__all__ = ["Asking", "Caller", "identifying"]

EVERYBODY = "everybody"
"""The owner of all jobs where the application names none."""


@frozen
class Caller:
    """Whoever made a request."""

    jobs: UploadJobs
    owner: str
    groups: Collection[int] | None
    """The ids of the groups that they may use; None for all."""


def _nobody_in_particular() -> str:
    return EVERYBODY


def _all_groups() -> None:
    return None


def identifying(
    jobs: UploadJobs,
    owner: Callable[..., Any] | None,
    groups: Callable[..., Any] | None,
) -> Callable[..., None]:
    """A dependency that notes who asks; `caller` gives it.

    Args:
        jobs: The jobs.
        owner: A dependency of FastAPI that gives who this is, or raises; None: everybody is one.
        groups: A dependency that gives the ids of the groups that they may use, or None for all.
    """

    def identify(
        request: Request,
        who: Any = Depends(owner or _nobody_in_particular),
        may_use: Any = Depends(groups or _all_groups),
    ) -> None:
        if who is None or not str(who).strip():  # all who are not logged in would be one
            msg = "it is not known who you are: log in first"
            raise NotKnownError(msg)
        ids = None if may_use is None else frozenset(may_use)
        request.state.asyncsdk_caller = Caller(jobs, str(who), ids)

    return identify


def caller(request: Request) -> Caller:
    """Who makes this request."""
    found: Caller = request.state.asyncsdk_caller
    return found


Asking = Annotated[Caller, Depends(caller)]
