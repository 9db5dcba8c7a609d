"""The host's own scanner looks at each file before anybody else does."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

from attrs import Factory, frozen

from asyncsdk.web.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Scanner"]

_AT_ONCE = 2
"""Files that are scanned at once: the threads of this process are for others, too."""


@frozen(eq=False)
class Scanner:
    """Has files scanned, a few at once.

    Args:
        scan: Is called with the path of a file, and raises to refuse it. It may block, or be async.
            None: nobody looks.
    """

    scan: Callable[[Path], object] | None
    _slots: asyncio.Semaphore = Factory(lambda: asyncio.Semaphore(_AT_ONCE))

    async def look(self, path: Path) -> None:
        """Do nothing if a file is good.

        Raises:
            FileRefusedError: It is refused.
        """
        if self.scan is None:
            return
        async with self._slots:
            try:
                await self._asked(self.scan, path)
            except Exception as error:
                msg = f"the file was refused: {error}"
                raise FileRefusedError(msg) from error

    async def _asked(self, scan: Callable[[Path], object], path: Path) -> None:
        if inspect.iscoroutinefunction(scan):
            await scan(path)
            return
        found = await asyncio.to_thread(scan, path)
        if inspect.isawaitable(found):
            await found
