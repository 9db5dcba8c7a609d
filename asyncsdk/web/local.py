"""The page for one person at their own machine: only who has its secret address gets in.

Other users and programs of the machine can reach the port, and so can pages of other sites in the
person's own browser: the first address has a token, which a cookie then stands for, and requests
under any name but the machine's own are refused.
"""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from asyncsdk.web.errors import NotInvitedError
from asyncsdk.web.pages import PageRoute
from asyncsdk.web.router import upload_router

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fastapi.responses import Response

    from asyncsdk.web.jobs import UploadJobs

__all__ = ["local_app"]

_HOSTS = ["127.0.0.1", "localhost"]
_SEE_OTHER = 303
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

    # Cookies are shared by all ports of a machine, and so by all that serve a page there.
    name = f"asyncsdk-{sha256(token.encode()).hexdigest()[:12]}"

    def check(given: str) -> None:
        if not secrets.compare_digest(given.encode(), token.encode()):
            raise NotInvitedError(_CLOSED)

    def known(request: Request) -> None:
        check(request.cookies.get(name, ""))

    app = FastAPI(
        title="asyncsdk", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS)

    door = APIRouter(route_class=PageRoute, include_in_schema=False)

    @door.get("/enter")
    async def enter(token: str = "") -> Response:
        """Take the token off the address, where others might see it."""
        check(token)
        response = RedirectResponse("./", _SEE_OTHER)
        response.set_cookie(name, token, httponly=True, samesite="strict")
        return response

    app.include_router(door)
    app.include_router(upload_router(jobs), dependencies=[Depends(known)])
    return app
