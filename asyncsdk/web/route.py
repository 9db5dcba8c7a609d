"""What holds for every address of the page: other sites are kept out, and errors say what helps."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from asyncsdk.errors import AsyncSDKError, ConfigurationError
from asyncsdk.web.errors import FileRefusedError, JobError
from asyncsdk.web.guard import HEADERS, check_site
from asyncsdk.words import is_text

if TYPE_CHECKING:
    from fastapi import Request

__all__ = ["GuardedRoute"]

_BAD_GATEWAY = 502
_BAD_REQUEST = 400
_UNPROCESSABLE = 422
_NO_TEXT = "there are lone surrogates in it, which are no characters: send text"


class GuardedRoute(APIRoute):
    """A route that no other site's page can use, and whose refusals are problems (RFC 9457)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                check_site(request.method, request.headers)
                response = await handle(request)
            except AsyncSDKError as error:
                response = self.refused(request, error, status_of(error))
            except RequestValidationError as error:
                if _can_be_told(error):
                    raise  # in the application's own words
                response = self.refused(request, FileRefusedError(_NO_TEXT), _UNPROCESSABLE)
            except UnicodeEncodeError:  # the same, of what is no wrong value otherwise
                response = self.refused(request, FileRefusedError(_NO_TEXT), _UNPROCESSABLE)
            except ClientDisconnect:  # nobody reads that, and it is no fault
                response = Response(status_code=_BAD_REQUEST)
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return guarded

    def refused(self, _: Request, error: AsyncSDKError, status: int) -> Response:
        """An error as it is answered."""
        title = type(error).__name__.removesuffix("Error")
        body = {"title": title, "status": status, "detail": str(error)}
        return JSONResponse(body, status, media_type="application/problem+json")


def _can_be_told(error: RequestValidationError) -> bool:
    """Whether an answer can repeat what was wrong: JSON may hold halves of characters."""
    return is_text(json.dumps(error.errors(), default=str, ensure_ascii=False))


def status_of(error: AsyncSDKError) -> int:
    """The HTTP status of an error: the provider's are none of ours."""
    if isinstance(error, JobError):
        return int(error.status)
    return _BAD_REQUEST if isinstance(error, ConfigurationError) else _BAD_GATEWAY
