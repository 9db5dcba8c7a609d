"""Waiting for something that has to come to its end, whatever happens to whoever waits."""

from __future__ import annotations

import asyncio
from typing import TypeVar

__all__ = ["completed", "ended"]

T = TypeVar("T")


async def ended(future: asyncio.Future[T]) -> None:
    """Return when a task has ended that is not to be left half done, such as one closing a file.

    A cancellation of the caller does not reach the task, however often it comes (a cancelled anyio
    scope sends it again at each await); it is raised once the task has ended.

    Raises:
        asyncio.CancelledError: The caller was cancelled meanwhile.
    """
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = cancelled or error
    if cancelled is not None:
        # An error of the task goes along as the cause: it would be lost otherwise.
        raise cancelled from None if future.cancelled() else future.exception()


async def completed(future: asyncio.Future[T]) -> T:
    """The result of such a task.

    Raises:
        asyncio.CancelledError: As for `ended`.
        BaseException: What the task raised.
    """
    await ended(future)
    return future.result()
