"""The JSON interface: the way of a job, for whoever builds a page of their own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import FileResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from asyncsdk.results import Outcome
from asyncsdk.validators import MOST
from asyncsdk.web.caller import Asking
from asyncsdk.web.destinations import check_group
from asyncsdk.web.job import Choices, Job
from asyncsdk.web.making import KINDS, FileKind
from asyncsdk.web.route import GuardedRoute
from asyncsdk.web.shapes import (
    Change,
    GroupShape,
    InspectionShape,
    JobShape,
    ProblemShape,
    ResultPageShape,
    UndoShape,
)
from asyncsdk.web.template import TEMPLATES, template

__all__ = ["api"]

_RAW: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file as it is, no form.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_RETRY = 500
"""Milliseconds after which a browser comes back for more of what a job does."""
_VERSION = re.compile(r"[0-9]{1,18}")
"""Of a job, as an event has it for its id."""
_PAGE = 1000
"""Rows on a page at most."""

_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemShape, "description": text}
    for status, text in {
        403: "Another site's page asked, or the group is not this user's to use.",
        404: "There is no such job, or it is another owner's.",
        409: "The job is in a state in which this cannot be done.",
    }.items()
}
_TOO_LARGE: dict[int | str, dict[str, Any]] = {
    413: {"model": ProblemShape, "description": "The file is too large; not all of it was read."},
    422: {"model": ProblemShape, "description": "The file is empty, has too many rows, …"},
}

JobId = Annotated[str, Path(description="Of the job, as it was given when the list came.")]

api: APIRouter = APIRouter(
    prefix="/api", route_class=GuardedRoute, responses=_REFUSALS, tags=["uploads"]
)


@api.post("/jobs", status_code=201, openapi_extra=_RAW, responses=_TOO_LARGE)
async def create(
    request: Request,
    asking: Asking,
    name: Annotated[str, Query(description="What the file is called.", max_length=1000)] = "list",
    group_id: Annotated[int | None, Query(ge=1, le=MOST)] = None,
    group_name: Annotated[str | None, Query(min_length=1, max_length=50)] = None,
) -> JobShape:
    """Send a list: its bytes are the body, which is written to the disk as it comes."""
    check_group(group_id, group_name, asking.groups)
    length = request.headers.get("content-length", "")
    size = int(length) if length.isdecimal() else None
    job = await asking.jobs.receive(request.stream(), owner=asking.owner, name=name, size=size)
    if group_id is not None or group_name is not None:
        job = await asking.jobs.choose(
            asking.owner,
            job.id,
            group_id=group_id,
            group_name=group_name,
            allowed=asking.groups,
        )
    return JobShape.of(job)


@api.get("/jobs")
async def history(
    asking: Asking,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = 50,
    before: Annotated[
        datetime | None, Query(description="Only those that came before: `created` of the last.")
    ] = None,
) -> list[JobShape]:
    """Your jobs, the newest first."""
    moment = None if before is None else _seconds(before)
    jobs = await asking.jobs.jobs(asking.owner, limit=limit, before=moment)
    return [JobShape.of(job) for job in jobs]


def _seconds(moment: datetime) -> float:
    """Unix seconds; of a moment that has none, those of the beginning: nothing came before."""
    try:
        return moment.timestamp()
    except (OverflowError, ValueError):
        return 0.0


async def found(asking: Asking, job_id: JobId) -> Job:
    """The job that is asked for, or a refusal before anything is answered."""
    return await asking.jobs.get(asking.owner, job_id)


Found = Annotated[Job, Depends(found)]


@api.get("/jobs/{job_id}")
async def show(job: Found) -> JobShape:
    """A job as it is now, its progress included, whichever worker has it."""
    return JobShape.of(job)


@api.get("/jobs/{job_id}/events", response_class=EventSourceResponse)
async def follow(
    asking: Asking,
    job: Found,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """The job whenever it changes, as server-sent events named `job`.

    A stream ends by itself after five seconds, and when the job is at rest; a browser comes back
    with the last event that it had.
    """
    seen = int(last_event_id) if last_event_id and _VERSION.fullmatch(last_event_id) else None
    async for now in asking.jobs.changes(asking.owner, job.id, seen=seen):
        yield ServerSentEvent(data=JobShape.of(now), event="job", id=str(now.version), retry=_RETRY)


@api.get("/jobs/{job_id}/list")
async def look(asking: Asking, job_id: JobId) -> InspectionShape:
    """What the list has: columns, samples, and what must be chosen before it is sent."""
    return InspectionShape.of(await asking.jobs.inspect(asking.owner, job_id))


@api.patch("/jobs/{job_id}")
async def choose(asking: Asking, job_id: JobId, change: Change) -> JobShape:
    """Choose how the list is read, and the group."""
    job = await asking.jobs.choose(
        asking.owner,
        job_id,
        choices=None if change.choices is None else change.choices.value(Choices),
        group_id=change.group_id,
        group_name=change.group_name,
        allowed=asking.groups,
    )
    return JobShape.of(job)


@api.post("/jobs/{job_id}/check", status_code=202)
async def check(asking: Asking, job_id: JobId) -> JobShape:
    """Have it checked: nothing is sent."""
    return JobShape.of(await asking.jobs.check(asking.owner, job_id))


@api.post("/jobs/{job_id}/start", status_code=202)
async def start(asking: Asking, job_id: JobId) -> JobShape:
    """Have it sent; asked for twice, it is sent once."""
    return JobShape.of(await asking.jobs.start(asking.owner, job_id, allowed=asking.groups))


@api.post("/jobs/{job_id}/stop", status_code=202)
async def stop(asking: Asking, job_id: JobId) -> JobShape:
    """Have it stop, whatever it does."""
    return JobShape.of(await asking.jobs.stop(asking.owner, job_id))


@api.post("/jobs/{job_id}/resume", status_code=202)
async def resume(asking: Asking, job_id: JobId) -> JobShape:
    """Have it go on, or what failed sent once more."""
    return JobShape.of(await asking.jobs.resume(asking.owner, job_id))


@api.get("/jobs/{job_id}/results/{outcome}")
async def results(
    asking: Asking,
    job_id: JobId,
    outcome: Outcome,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = 100,
    located: Annotated[bool, Query(description="Whether to tell their lines, too.")] = False,
) -> ResultPageShape:
    """The rows that met a fate, page by page."""
    page = await asking.jobs.results(
        asking.owner, job_id, outcome, offset=offset, limit=limit, located=located
    )
    return ResultPageShape.of(page)


@api.get("/jobs/{job_id}/files/{kind}", response_class=FileResponse)
async def download(asking: Asking, job: Found, kind: FileKind) -> FileResponse:
    """A file of the job: its report, or the rows to be mended and uploaded again."""
    path = await asking.jobs.file(asking.owner, job.id, kind)
    stem = job.name.rpartition(".")[0] or job.name
    return FileResponse(path, media_type=KINDS[kind], filename=f"{stem}-{kind}")


@api.get("/jobs/{job_id}/undo")
async def look_at_undo(asking: Asking, job_id: JobId) -> UndoShape:
    """What would be deleted if the job were undone."""
    return UndoShape.of(await asking.jobs.undo_preview(asking.owner, job_id))


@api.post("/jobs/{job_id}/undo", status_code=202)
async def undo(asking: Asking, job_id: JobId) -> JobShape:
    """Have what the job created deleted from the group."""
    return JobShape.of(await asking.jobs.undo(asking.owner, job_id))


@api.delete("/jobs/{job_id}", status_code=204)
async def delete(asking: Asking, job_id: JobId) -> None:
    """Remove the job with its files; what it put into the group stays there."""
    await asking.jobs.delete(asking.owner, job_id)


@api.get("/groups")
async def groups(asking: Asking) -> list[GroupShape]:
    """The groups that you may use."""
    return [GroupShape.of(group) for group in await asking.jobs.groups(asking.groups)]


@api.get("/template.{kind}", response_class=Response)
async def template_file(kind: Literal["csv", "xlsx"]) -> Response:
    """A list with the columns that a phone has and two rows, to be filled."""
    headers = {"Content-Disposition": f'attachment; filename="template.{kind}"'}
    return Response(await template(kind), media_type=TEMPLATES[kind], headers=headers)
