"""What goes wrong in libraries that read files for us."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from asyncsdk.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["foreign_faults"]

_PANIC = "PanicException"
"""What a library in Rust raises when it gives up: no `Exception`, and of a class of its own."""


@contextmanager
def foreign_faults(
    path: str | None, line: Callable[[], int | None], failure: str = "cannot be read"
) -> Iterator[None]:
    """Whatever such a library raises, as a `SourceError`.

    Args:
        path: The file.
        line: The line it was at.
        failure: What it could not do.
    """
    try:
        yield
    except (SourceError, ImportError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise
        msg = f"{failure}: {error}"
        raise SourceError(msg, path=path, line=line()) from error
