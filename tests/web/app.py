"""An application that has the page, with a login of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import FastAPI, Header, HTTPException

from asyncsdk.web import UploadJobs, upload_router

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk import Client
    from asyncsdk.config import UploadSettings

__all__ = ["application"]


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


def application(
    folder: str | Path,
    client: Callable[[], Client],
    *,
    scanned: bool = False,
    settings: dict[str, Any] | None = None,
    **options: Any,
) -> FastAPI:
    """The application, with these options of `UploadJobs`."""
    jobs = UploadJobs(
        folder,
        client=client,
        scan=scan if scanned else None,
        settings=cast("UploadSettings", {"quiet_period": 0.1, **(settings or {})}),
        **options,
    )
    app = FastAPI(lifespan=jobs.lifespan)
    app.include_router(upload_router(jobs, owner=who, groups=groups), prefix="/uploads")
    app.state.jobs = jobs

    @app.get("/alive")
    async def alive() -> dict[str, bool]:
        """That it serves."""
        return {"alive": True}

    return app
