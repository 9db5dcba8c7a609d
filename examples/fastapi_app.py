"""A web backend that uploads phones: one client, shared by all requests, open while it serves.

    export ASYNCSDK_CLIENT_ID=1234567 ASYNCSDK_API_KEY=...
    uvicorn fastapi_app:app

    curl -X POST localhost:8000/groups/7116/phones \\
         -H 'Content-Type: application/json' \\
         -d '["+4915112345678", {"phone": "+4916012345678", "a": "Eva"}]'
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import uuid4

from fastapi import Body, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel

from asyncsdk import Client, PhoneResult, Progress, UploadReport, UploadStopped


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with Client.from_env() as client:
        app.state.client = client
        app.state.uploads = {}
        yield
        # What is under way is brought to its end: a phone is never left half sent.
        await asyncio.gather(
            *(upload.stop() for upload in app.state.uploads.values()), return_exceptions=True
        )


app = FastAPI(lifespan=lifespan)

# Rows are taken as they come: a bad one is told in the answer and sinks nobody else's.
Rows = Annotated[list[str | dict[str, Any]], Body()]


class Rejected(BaseModel):
    index: int
    phone: str
    outcome: str
    delivery: str
    reason: str

    @classmethod
    def of(cls, result: PhoneResult) -> "Rejected":
        return cls(
            index=result.index,
            phone=result.phone.phone,
            outcome=result.outcome,
            delivery=result.delivery,
            reason=str(result.error),
        )


class Answer(BaseModel):
    submitted: int
    created: int
    invalid: int
    failed: int
    rejected: list[Rejected]

    @classmethod
    def of(cls, report: UploadReport) -> "Answer":
        return cls(
            submitted=report.submitted,
            created=report.created_count,
            invalid=report.invalid_count,
            failed=report.failed_count,
            rejected=[Rejected.of(result) for result in report.results(("invalid", "failed"))],
        )


class Status(BaseModel):
    read: int
    created: int
    invalid: int
    failed: int
    in_flight: int
    per_second: float

    @classmethod
    def of(cls, progress: Progress) -> "Status":
        return cls(
            read=progress.read,
            created=progress.created,
            invalid=progress.invalid,
            failed=progress.failed,
            in_flight=progress.in_flight,
            per_second=progress.rate,
        )


@app.post("/groups/{group_id}/phones")
async def upload_phones(group_id: int, rows: Rows, request: Request, response: Response) -> Answer:
    """Upload a list and wait for what became of each row."""
    upload = request.app.state.client.phones.upload(group_id, rows)
    try:
        report = await upload
    except UploadStopped as stopped:
        response.status_code = 502
        report = stopped.report
    return Answer.of(report)


@app.post("/groups/{group_id}/uploads", status_code=202)
async def start_upload(group_id: int, rows: Rows, request: Request) -> dict[str, str]:
    """Upload a list in the background."""
    upload_id = uuid4().hex
    upload = request.app.state.client.phones.upload(group_id, rows)
    upload.start()
    request.app.state.uploads[upload_id] = upload
    return {"id": upload_id}


@app.get("/uploads/{upload_id}")
async def upload_status(upload_id: str, request: Request) -> Status:
    """How far a background upload is."""
    upload = request.app.state.uploads.get(upload_id)
    if upload is None:
        raise HTTPException(404, "no such upload")
    return Status.of(upload.progress)


@app.get("/uploads/{upload_id}/report")
async def upload_report(upload_id: str, request: Request, response: Response) -> Answer:
    """Wait for a background upload's end, and forget it."""
    upload = request.app.state.uploads.pop(upload_id, None)
    if upload is None:
        raise HTTPException(404, "no such upload")
    try:
        report = await upload
    except UploadStopped as stopped:
        response.status_code = 502
        report = stopped.report
    return Answer.of(report)
