<<<<<<< HEAD
"""Waiting for something that has to come to its end, whatever happens to whoever waits."""
=======
"""What has been begun comes to its end, whatever cancels the one who waits for it."""
>>>>>>> L-branch

from __future__ import annotations

import asyncio
from typing import TypeVar

<<<<<<< HEAD
__all__ = ["completed", "ended"]
=======
__all__ = ["completed"]
>>>>>>> L-branch

T = TypeVar("T")


<<<<<<< HEAD
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
            cancelled = error
    if cancelled is not None:
        if not future.cancelled():
            future.exception()  # seen: the cancellation is what the caller hears of
        raise cancelled


async def completed(future: asyncio.Future[T]) -> T:
    """The result of such a task.

    Raises:
        asyncio.CancelledError: As for `ended`.
        BaseException: What the task raised.
    """
    await ended(future)
    return future.result()
=======
async def completed(task: asyncio.Future[T]) -> T:
    """Wait for a task to its end, and give its result.

    A cancellation of the caller does not reach the task. It is raised once the task has ended,
    however often it came: a second Ctrl-C, or a scope that cancels at every `await`.

    Args:
        task: What was begun, such as the closing of a file.

    Raises:
        CancelledError: The caller was cancelled meanwhile, or the task was.
        BaseException: Whatever the task raises, unless the caller was cancelled.
    """
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = cancelled or error
    if cancelled is None:
        return task.result()
    # An error of the task goes along as the cause: it would be lost otherwise.
    raise cancelled from None if task.cancelled() else task.exception()
>>>>>>> L-branch
