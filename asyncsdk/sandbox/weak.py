"""Methods by a weak reference to their object."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar
from weakref import WeakMethod

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["weakly_bound"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


def weakly_bound(method: Callable[_P, Awaitable[_T]]) -> Callable[_P, Awaitable[_T]]:
    """A method as a function that does not keep its object alive.

    aiohttp remembers the handlers of a thousand applications, and all that a sandbox has stored
    would stay with them for as long as the process lives.
    """
    found = WeakMethod(method)

    async def call(*args: _P.args, **options: _P.kwargs) -> _T:
        bound = found()
        assert bound is not None, "it is called while its object is in use"
        return await bound(*args, **options)

    return call
