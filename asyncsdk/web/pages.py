"""The pages: a list on its way from a file to a group, for whoever sits before a browser.

Each works without script: what a form asks for is done, and the browser is sent on to the page that
shows it.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Annotated, Any

from attrs import evolve
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from asyncsdk.errors import AsyncSDKError
from asyncsdk.export.languages import LANGUAGES
from asyncsdk.results import Outcome
from asyncsdk.web import showing
from asyncsdk.web.api import create
from asyncsdk.web.caller import EVERYBODY, Asking
from asyncsdk.web.destinations import check_group
from asyncsdk.web.errors import FileRefusedError, NoSuchJobError, NotNowError
from asyncsdk.web.forms import choices_of, group_of, read_form
from asyncsdk.web.job import Choices, Job, JobProgress, JobState
from asyncsdk.web.multipart import FilePart, Part, parts
from asyncsdk.web.reading import SENDING
from asyncsdk.web.rendering import (
    ASSETS,
    COOKIE,
    asset,
    language_for,
    query_without_lang,
    render,
)
from asyncsdk.web.route import GuardedRoute
from asyncsdk.web.sentences import PageTranslator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from asyncsdk.models import Group
    from asyncsdk.web.caller import Caller
    from asyncsdk.web.results import RowResult

__all__ = ["pages"]

_SHOWN = 20
"""Lists in a history, and"""
_ROWS = 100
"""rows on a page."""
_PATIENCE = 5.0
"""Seconds that the provider has for telling the groups: without them the page is still of use."""
_YEAR = 365 * 24 * 3600
_ROWS_OF = {outcome.value: outcome.value for outcome in Outcome} | {"unknown": "failed"}
"""The results that a count is of."""


class PageRoute(GuardedRoute):
    """A guarded route whose refusals are pages."""

    def refused(self, request: Request, error: AsyncSDKError, status: int) -> Response:
        """The error as a page."""
        depth = max(0, self.path_format.strip("/").count("/"))
        values = {"detail": str(error), "back": _back(request)}
        return render(request, "refused.html.j2", values, depth=depth, status=status)


def _back(request: Request) -> str:
    """The page that a form was on, if this was a form's doing; it is one of this site."""
    job_id = request.path_params.get("job_id", "")
    return f"../{job_id}" if request.method == "POST" and job_id else ""


pages: APIRouter = APIRouter(route_class=PageRoute, include_in_schema=False)
JobId = Annotated[str, Path()]
_SEE_OTHER = 303


def _on(to: str) -> Response:
    """Send the browser on to a page, by its address relative to this one."""
    return RedirectResponse(to, _SEE_OTHER)


# -- the first page -----------------------------------------------------------------------------


@pages.get("/")
async def start(
    request: Request,
    asking: Asking,
    lang: str | None = None,
    before: Annotated[float | None, Query()] = None,
) -> Response:
    """Where a list goes up, and those that went up before."""
    if lang is not None:
        return _speaking(request, lang, "./")
    language = language_for(request)
    jobs = await asking.jobs.jobs(asking.owner, limit=_SHOWN + 1, before=before)
    groups = await _groups(asking)
    values = {
        "groups": groups,
        "may_create": asking.groups is None,
        "most": asking.jobs.limits.file_bytes,
        "lines": showing.lines_of(jobs[:_SHOWN], groups, language),
        "older": before is not None,
        "whose": asking.owner != EVERYBODY,
        "next": repr(jobs[_SHOWN - 1].created) if len(jobs) > _SHOWN else "",
    }
    return render(request, "start.html.j2", values, depth=0)


async def _groups(asking: Caller) -> list[Group] | None:
    """The groups that may be used; None where the provider does not tell them."""
    with suppress(AsyncSDKError, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            return await asking.jobs.groups(asking.groups)
    return None


def _speaking(request: Request, lang: str, to: str) -> Response:
    """The same page, from now on in this language."""
    query = query_without_lang(request)
    response = _on(f"{to}?{query}" if query else to)
    if lang in LANGUAGES:
        response.set_cookie(COOKIE, lang, max_age=_YEAR, httponly=True, samesite="lax")
    return response


@pages.post("/lists")
async def receive(request: Request, asking: Asking) -> Response:
    """A form with a list in it."""
    length = request.headers.get("content-length", "")
    asking.jobs.limits.check_size(int(length) - _FORM if length.isdecimal() else None)
    form: dict[str, list[str]] = {}
    job: Job | None = None
    found = parts(request.stream(), request.headers.get("content-type", ""))
    async with aclosing(found):
        async for part in found:
            if isinstance(part, tuple):
                form.setdefault(part[0], []).append(part[1])
            elif isinstance(part, FilePart) and part.name and job is None:
                chosen = group_of(form)
                check_group(chosen.get("group_id"), chosen.get("group_name"), asking.groups)
                pieces = _pieces(found)
                job = await asking.jobs.receive(pieces, owner=asking.owner, name=part.name)
    if job is None:
        msg = "choose a file before you upload it"
        raise FileRefusedError(msg)
    if chosen := group_of(form):
        await asking.jobs.choose(asking.owner, job.id, allowed=asking.groups, **chosen)
    return _on(f"jobs/{job.id}")


# With script the list comes alone, as the interface takes it; what is wrong with it is a page here.
pages.add_api_route("/lists", create, methods=["PUT"], status_code=201)

_FORM = 1 << 20
"""Bytes that a form has beside its file at most."""


async def _pieces(found: AsyncIterator[Part]) -> AsyncIterator[bytes]:
    """The bytes of the file that has begun."""
    async for part in found:
        if not isinstance(part, bytes):
            return
        yield part


@pages.get("/assets/{name}")
async def assets(name: str) -> Response:
    """The style and the script of the pages."""
    if name not in ASSETS:
        msg = "there is no such file"
        raise NoSuchJobError(msg)
    return Response(asset(name), media_type=ASSETS[name])


# -- one list -----------------------------------------------------------------------------------


@pages.get("/jobs/{job_id}")
async def show(
    request: Request, asking: Asking, job_id: JobId, lang: str | None = None, step: str = ""
) -> Response:
    """A list, as far as it is."""
    if lang is not None:
        return _speaking(request, lang, job_id)
    job = await asking.jobs.get(asking.owner, job_id)
    if job.active:
        return render(request, "active.html.j2", _live(request, asking, job), depth=1)
    if job.state is JobState.DRAFT or (job.state is JobState.CHECKED and step == "list"):
        return await _choosing(request, asking, job)
    if job.state is JobState.CHECKED:
        return await _checked(request, asking, job)
    return await _ended(request, asking, job)


def _head(
    request: Request, asking: Caller, job: Job, groups: Iterable[Group] | None = None
) -> dict[str, Any]:
    """What the pages of a list have at their top and bottom."""
    language = language_for(request)
    return {
        "job": job,
        "group": showing.group_of(job, groups),
        "state": showing.state_name(job, language),
        "when": showing.moment(job.created, language),
        "who": "" if job.owner == EVERYBODY else job.owner,
        "keep_days": asking.jobs.keep_days,
    }


def _live(request: Request, asking: Caller, job: Job) -> dict[str, Any]:
    """What moves while a list is worked on."""
    counts = showing.counts_of(job.progress, language_for(request)) if job.progress else []
    return {**_head(request, asking, job), "share": showing.share_done(job), "counts": counts}


@pages.get("/jobs/{job_id}/live")
async def live(request: Request, asking: Asking, job_id: JobId) -> Response:
    """The part of a list's page that moves."""
    job = await asking.jobs.get(asking.owner, job_id)
    return render(request, "live.html.j2", _live(request, asking, job), depth=2)


async def _choosing(request: Request, asking: Caller, job: Job) -> Response:
    inspection = await asking.jobs.inspect(asking.owner, job.id)
    groups = await _groups(asking)
    language = language_for(request)
    group = next((one for one in groups or () if one.id == job.group_id), None)
    fields = showing.fields_of(inspection, job.choices, group, language)
    titles = {field.name: field.title for field in fields}
    values = {
        **_head(request, asking, job, groups),
        "inspection": inspection,
        "choices": job.choices,
        "groups": groups,
        "may_create": asking.groups is None,
        "held": {name: inspection.noted.get(name, getattr(job.choices, name)) for name in SENDING},
        # A choice may be why it cannot be read: without it there is nothing to choose yet.
        "fields": fields if inspection.lists or job.choices != Choices() else [],
        "asked": {question.about for question in inspection.questions},
        "regions": list(showing.regions(language)),
        "used": lambda one, column: [titles[name] for name in showing.uses(one, column)],
    }
    return render(request, "choose.html.j2", values, depth=1)


async def _checked(request: Request, asking: Caller, job: Job) -> Response:
    assert job.check is not None, "that is what its state says"
    translate = PageTranslator.of(language_for(request))
    ready = bool(job.group_id or job.group_name)
    groups = await _groups(asking)
    values = {
        **_head(request, asking, job, groups),
        "check": job.check,
        "reasons": [evolve(one, text=translate(one.text)) for one in job.check.reasons],
        "kinds": list(showing.kinds_of(job.check, language_for(request))),
        "ready": ready,
        "groups": groups,
        "may_create": asking.groups is None,
    }
    return render(request, "checked.html.j2", values, depth=1)


async def _ended(request: Request, asking: Caller, job: Job) -> Response:
    language = language_for(request)
    progress = job.progress or JobProgress()
    at_rest = {JobState.STOPPED, JobState.DONE}
    created = progress.created - (job.undo.deleted + job.undo.gone if job.undo else 0)
    values = {
        **_head(request, asking, job),
        "counts": showing.counts_of(progress, language),
        "line": showing.told(job, language),
        "left": 0 if progress.complete else max(0, (progress.total or 0) - progress.settled),
        "may_resume": job.state is JobState.STOPPED
        or (job.state is JobState.DONE and progress.failed > 0),
        "may_undo": job.started is not None and created > 0,
        "rejected": job.state in at_rest and progress.invalid + progress.failed > 0,
        "rows": await _rejected(asking, job),
        "rows_of": _ROWS_OF,
    }
    return render(request, "ended.html.j2", values, depth=1)


async def _rejected(asking: Caller, job: Job) -> list[RowResult]:
    """The first rows that were not created."""
    if job.started is None or job.progress is None:
        return []
    rows: list[RowResult] = []
    for outcome in (Outcome.FAILED, Outcome.INVALID):
        if getattr(job.progress, outcome.value):
            page = await asking.jobs.results(
                asking.owner, job.id, outcome, limit=_SHOWN, located=True
            )
            rows += page.rows
    return rows


@pages.get("/jobs/{job_id}/rows/{outcome}")
async def rows(
    request: Request,
    asking: Asking,
    job_id: JobId,
    outcome: Outcome,
    lang: str | None = None,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """The rows of a list that met a fate."""
    if lang is not None:
        return _speaking(request, lang, outcome.value)
    job = await asking.jobs.get(asking.owner, job_id)
    page = await asking.jobs.results(
        asking.owner, job_id, outcome, offset=offset, limit=_ROWS, located=True
    )
    values = {
        **_head(request, asking, job),
        "page": page,
        "outcome": outcome.value,
        "offset": offset,
        "step": _ROWS,
    }
    return render(request, "rows.html.j2", values, depth=3)


# -- what is done with a list ---------------------------------------------------------------------


@pages.post("/jobs/{job_id}/choose")
async def choose(request: Request, asking: Asking, job_id: JobId) -> Response:
    """Read the list in another way, and show it again."""
    await _chosen(request, asking, job_id)
    return _on(f"../{job_id}?step=list")


@pages.post("/jobs/{job_id}/check")
async def check(request: Request, asking: Asking, job_id: JobId) -> Response:
    """Have it checked as it is chosen."""
    await _chosen(request, asking, job_id)
    await asking.jobs.check(asking.owner, job_id)
    return _on(f"../{job_id}")


@pages.post("/jobs/{job_id}/group")
async def group(request: Request, asking: Asking, job_id: JobId) -> Response:
    """Have it sent into another group."""
    chosen = group_of(await read_form(request.stream()))
    await asking.jobs.get(asking.owner, job_id)
    if not chosen:
        msg = "no group is chosen"
        raise NotNowError(msg)
    await asking.jobs.choose(asking.owner, job_id, allowed=asking.groups, **chosen)
    return _on(f"../{job_id}")


async def _chosen(request: Request, asking: Caller, job_id: str) -> None:
    form = await read_form(request.stream())
    job = await asking.jobs.get(asking.owner, job_id)
    await asking.jobs.choose(
        asking.owner,
        job_id,
        choices=choices_of(form, job.choices),
        allowed=asking.groups,
        **group_of(form, before=job.group_name),
    )


@pages.post("/jobs/{job_id}/start")
async def begin(request: Request, asking: Asking, job_id: JobId) -> Response:
    """Have it sent; one that was changed since the page was shown is shown again first."""
    form = await read_form(request.stream())
    job = await asking.jobs.get(asking.owner, job_id)
    if form.get("version", [str(job.version)]) == [str(job.version)]:
        await asking.jobs.start(asking.owner, job_id, allowed=asking.groups)
    return _on(f"../{job_id}")


@pages.post("/jobs/{job_id}/stop")
async def stop(asking: Asking, job_id: JobId) -> Response:
    """Have it stop."""
    await asking.jobs.stop(asking.owner, job_id)
    return _on(f"../{job_id}")


@pages.post("/jobs/{job_id}/resume")
async def resume(asking: Asking, job_id: JobId) -> Response:
    """Have it go on."""
    await asking.jobs.resume(asking.owner, job_id)
    return _on(f"../{job_id}")


@pages.get("/jobs/{job_id}/undo")
async def before_undo(
    request: Request, asking: Asking, job_id: JobId, lang: str | None = None
) -> Response:
    """What would be deleted, before it is."""
    if lang is not None:
        return _speaking(request, lang, "undo")
    job = await asking.jobs.get(asking.owner, job_id)
    preview = await asking.jobs.undo_preview(asking.owner, job_id)
    values = {**_head(request, asking, job), "preview": preview}
    return render(request, "undo.html.j2", values, depth=2)


@pages.post("/jobs/{job_id}/undo")
async def undo(asking: Asking, job_id: JobId) -> Response:
    """Have deleted what it created."""
    await asking.jobs.undo(asking.owner, job_id)
    return _on(f"../{job_id}")


@pages.post("/jobs/{job_id}/delete")
async def remove(request: Request, asking: Asking, job_id: JobId) -> Response:
    """Remove it, once that is sure."""
    form = await read_form(request.stream())
    job = await asking.jobs.get(asking.owner, job_id)
    if form.get("sure") == ["yes"]:
        await asking.jobs.delete(asking.owner, job_id)
        return _on("../../")
    return render(request, "remove.html.j2", _head(request, asking, job), depth=2)
