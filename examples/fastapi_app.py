"""A web backend that uploads phones: one client for all requests, open while it serves.

    export ASYNCSDK_CLIENT_ID=1234567 ASYNCSDK_API_KEY=... SIGN_UPS=7116 UPLOADS=uploads
    uvicorn --workers 2 fastapi_app:app

    curl -X POST localhost:8000/sign-ups \\
         -H 'Content-Type: application/json' -d '{"phone": "+4915112345678", "a": "Eva"}'
    curl -X POST localhost:8000/groups/7116/uploads \\
         -H 'Content-Type: application/json' -d '["+4915112345678", "+4916012345678"]'

The phones of single sign-ups travel together, whatever request they came with. Each long list has a
journal: it survives the worker that uploads it, and any worker can say how far it is.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Body, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel

from asyncsdk import (
    Client,
    ConfigurationError,
    JournalError,
    PhoneResult,
    Upload,
    UploadReport,
    UploadStopped,
)

logger = logging.getLogger("uvicorn.error")

FOLDER = Path(os.environ.get("UPLOADS", "uploads"))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    group = int(os.environ["SIGN_UPS"])
    async with (
        Client.from_env() as client,  # one client, one pace, all requests of this worker
        client.phones.sender(group, keep_created=False) as sender,
    ):
        app.state.client, app.state.sender = client, sender
        app.state.running, app.state.uploads = {}, {}
        for rows in left_over():
            begin(app, rows)
        yield
        # What is under way comes to its end; the rest waits in its journal.
        for upload in list(app.state.uploads.values()):
            await upload.stop()


app = FastAPI(lifespan=lifespan)

# Rows are taken as they come: a bad one is told in the answer and sinks nobody else's.
Row = Annotated[str | dict[str, Any], Body()]
Rows = Annotated[list[str | dict[str, Any]], Body()]


class Result(BaseModel):
    phone: str
    outcome: str
    delivery: str
    reason: str | None

    @classmethod
    def of(cls, result: PhoneResult) -> "Result":
        return cls(
            phone=result.phone.phone,
            outcome=result.outcome,
            delivery=result.delivery,
            reason=None if result.error is None else str(result.error),
        )


class Answer(BaseModel):
    complete: bool
    submitted: int
    created: int
    rejected: dict[int, Result]

    @classmethod
    def of(cls, report: UploadReport) -> "Answer":
        rejected = report.results(("invalid", "failed"))
        return cls(
            complete=report.complete,
            submitted=report.submitted,
            created=report.created_count,
            rejected={result.index: Result.of(result) for result in rejected},
        )


@app.post("/sign-ups")
async def sign_up(row: Row, request: Request, response: Response) -> Result:
    """Put one phone into the group, and say what became of it."""
    try:
        result = await request.app.state.sender.add(row)
    except (UploadStopped, ConfigurationError) as ended:  # the account is empty, the key is wrong
        raise HTTPException(503, str(ended)) from None
    response.status_code = {"created": 201, "invalid": 422}.get(result.outcome, 502)
    return Result.of(result)


@app.post("/groups/{group_id}/phones")
async def upload_phones(group_id: int, rows: Rows, request: Request, response: Response) -> Answer:
    """Upload a short list and wait for what became of each row."""
    try:
        report = await request.app.state.client.phones.upload(group_id, rows, deadline=25)
    except UploadStopped as stopped:
        response.status_code = 502
        report = stopped.report
    return Answer.of(report)


@app.post("/groups/{group_id}/uploads", status_code=202)
async def start_upload(group_id: int, rows: Rows, request: Request) -> dict[str, str]:
    """Upload a long list in the background."""
    path = FOLDER / f"{uuid4()}.json"
    await asyncio.to_thread(path.write_text, json.dumps([group_id, *rows]))
    begin(request.app, path)
    return {"id": path.stem}


@app.get("/uploads/{upload_id}")
async def upload_status(upload_id: UUID) -> Answer:
    """How far a background upload is, whichever worker has it."""
    journal = FOLDER / f"{upload_id}.journal"
    try:
        return await asyncio.to_thread(lambda: Answer.of(UploadReport.open(journal)))
    except JournalError:
        if not journal.with_suffix(".json").exists():
            raise HTTPException(404, "no such upload") from None
        return Answer(complete=False, submitted=0, created=0, rejected={})  # it has not begun


def left_over() -> list[Path]:
    """What workers that died have not finished, and what others have begun."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    return list(FOLDER.glob("*.json"))


def begin(app: FastAPI, path: Path) -> None:
    """Begin an upload, or go on with it; one that another worker has is left to that."""
    group_id, *rows = json.loads(path.read_text())
    upload = app.state.client.phones.upload(
        group_id, rows, journal=path.with_suffix(".journal"), on_unknown="reconcile"
    )
    app.state.running[path.stem] = asyncio.create_task(until_it_ends(app, upload, path.stem))


async def until_it_ends(app: FastAPI, upload: Upload, name: str) -> None:
    """Wait for the end of an upload; its journal says what became of it."""
    app.state.uploads[name] = upload
    try:
        await upload
    except (UploadStopped, JournalError) as error:
        logger.warning("the upload %s ended: %s", name, error)
    finally:
        del app.state.running[name], app.state.uploads[name]
