"""Under which names a sandbox answers.

A page of the web can have a name of its own lead to this machine (DNS rebinding), and its scripts
may then read what is answered under that name. An address cannot be such a name.
"""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Hosts"]

_LOCAL = "localhost"
"""It and all below it are this machine wherever they are looked up (RFC 6761 §6.3)."""


class Hosts:
    """The names of one sandbox, besides addresses and `localhost`.

    Args:
        names: Without ports; case does not matter.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {_LOCAL, *map(_plain, names)}

    def __contains__(self, header: object) -> bool:
        """Whether a `Host` header names this sandbox; one that is missing names nobody else."""
        if header is None:
            return True
        name = None
        with suppress(ValueError):
            name = URL.build(scheme="http", authority=str(header)).host
        if name is None:
            return False
        name = _plain(name)
        return name in self._names or name.endswith(f".{_LOCAL}") or _is_address(name)


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _is_address(name: str) -> bool:
    with suppress(ValueError):
        ip_address(name)
        return True
    return False
