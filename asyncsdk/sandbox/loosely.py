"""Methods that somebody else may keep, without what they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar
from weakref import WeakMethod

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["loosely"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


def loosely(method: Callable[_P, Awaitable[_T]]) -> Callable[_P, Awaitable[_T]]:
    """The same as a function that does not keep its object.

    aiohttp remembers the handlers of a thousand applications, and all that a sandbox has stored
    would stay with them for as long as the process lives.
    """
    found = WeakMethod(method)

    async def call(*args: _P.args, **options: _P.kwargs) -> _T:
        bound = found()
        assert bound is not None, "it is called while its object is in use"
        return await bound(*args, **options)

    return call
