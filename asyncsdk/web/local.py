"""The page for one person at their own machine: only who has its secret address gets in.

Other users and programs of the machine can reach the port, and so can pages of other sites in the
person's own browser: the first address has a token, which a cookie then stands for, and requests
under any name but the machine's own are refused.
"""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

from fastapi import Cookie, Depends, FastAPI, HTTPException
from fastapi.responses import RedirectResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from asyncsdk.web.guard import HEADERS
from asyncsdk.web.router import upload_router

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fastapi.responses import Response

    from asyncsdk.web.jobs import UploadJobs

__all__ = ["local_app"]

_COOKIE = "asyncsdk-token"
_HOSTS = ["127.0.0.1", "localhost"]
_SEE_OTHER, _FORBIDDEN = 303, 403
_CLOSED = "open the page by its whole address, which the terminal shows"


def local_app(jobs: UploadJobs, token: str, ready: Callable[[], None]) -> FastAPI:
    """An application with the page alone.

    Args:
        jobs: The jobs.
        token: What the first address has: `/enter?token=…`.
        ready: Called when it serves.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with jobs.lifespan(app):
            ready()
            yield

    def known(cookie: Annotated[str | None, Cookie(alias=_COOKIE)] = None) -> None:
        if cookie is None or not secrets.compare_digest(cookie.encode(), token.encode()):
            raise HTTPException(_FORBIDDEN, _CLOSED)

    app = FastAPI(title="asyncsdk", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS)

    @app.get("/enter", include_in_schema=False)
    async def enter(token: str = "") -> Response:
        """Take the token off the address, where others might see it."""
        known(token)
        response = RedirectResponse("./", _SEE_OTHER, HEADERS)
        response.set_cookie(_COOKIE, token, httponly=True, samesite="strict")
        return response

    app.include_router(upload_router(jobs), dependencies=[Depends(known)])
    return app
