"""One attempt is one request: aiohttp makes no other one on its own.

It sends a GET, PUT or DELETE once more when the connection is lost (RFC 9112 §9.3.1 allows that).
Nobody had given that one a permit: it would leave within a pause, above the rate, or with a key
that is being proved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ONCE", "LostError", "lost"]


class LostError(aiohttp.ClientError):
    """Stands for an error after which aiohttp would send the request again."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


async def _send_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise  # nothing left, and aiohttp leaves it at that
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        stand_in = LostError(error)
    raise stand_in


ONCE: Mapping[str, Any] = {"middlewares": (_send_once,)}
"""Arguments of a request that aiohttp would send again. A borrowed session has its own ones."""


def lost(error: Exception) -> Exception:
    """What really went wrong."""
    return error.error if isinstance(error, LostError) else error
