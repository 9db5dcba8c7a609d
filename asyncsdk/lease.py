"""A right that one process of a host has at a time: to work on a job, to send into a group.

It is a lock on a file, which the kernel drops with the process that holds it, however that ends:
there is nothing to renew, and nothing to wait for.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import define

from asyncsdk.files import alone
from asyncsdk.locks import try_lock

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Lease"]


@define(eq=False)
class Lease:
    """A lock that is held."""

    _file: int

    @classmethod
    def take(cls, path: Path) -> Lease | None:
        """The lease; None if another has it, or its folder is gone.

        Raises:
            OSError: Something strange stands in its place.
        """
        try:
            file = alone(path, os.O_RDWR | os.O_CREAT)
        except FileNotFoundError:
            return None
        if try_lock(file):
            return cls(file)
        os.close(file)
        return None

    def release(self) -> None:
        """Give it back."""
        with suppress(OSError):
            os.close(self._file)
