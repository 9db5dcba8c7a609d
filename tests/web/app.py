"""An application that has the page, as a test's environment says: served by real processes."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Header, HTTPException

from asyncsdk import Client
from asyncsdk.web import UploadJobs, upload_router

if TYPE_CHECKING:
    from pathlib import Path

logging.basicConfig(level=logging.WARNING)

OPTIONS: dict[str, Any] = json.loads(os.environ["UPLOAD_OPTIONS"])
SETTINGS: dict[str, Any] = {"quiet_period": 0.1, **OPTIONS.pop("settings", {})}


def who(x_user: Annotated[str | None, Header()] = None) -> str:
    """Whose jobs these are, as the login of an application would say."""
    if x_user is None:
        raise HTTPException(401, "log in first")
    return x_user


def groups(x_groups: Annotated[str | None, Header()] = None) -> list[int] | None:
    """The groups that this user may use."""
    return None if x_groups is None else json.loads(x_groups)


def scan(path: Path) -> None:
    """Find a virus, as a scanner of the host would."""
    if b"EICAR" in path.read_bytes():
        msg = "a virus was found"
        raise ValueError(msg)


jobs = UploadJobs(
    os.environ["UPLOADS"],
    client=lambda: Client.from_env(rate=None),
    scan=scan if OPTIONS.pop("scanned", False) else None,
    settings=SETTINGS,  # type: ignore[arg-type]
    **OPTIONS,
)
app = FastAPI(lifespan=jobs.lifespan)
app.include_router(upload_router(jobs, owner=who, groups=groups), prefix="/uploads")


@app.get("/alive")
async def alive() -> dict[str, int]:
    """Which process answers."""
    return {"pid": os.getpid()}
