"""What has been begun comes to its end, whatever cancels the one who waits for it."""

from __future__ import annotations

import asyncio
from typing import TypeVar

__all__ = ["completed"]

T = TypeVar("T")


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
