"""Where the bytes of a partition come from, and whether they are still those that were planned."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.fleet.remote import is_remote, remote_names
from asyncsdk.sources.read import named
from asyncsdk.words import brief, is_text

if TYPE_CHECKING:
    from collections.abc import Iterable


__all__ = ["changed", "digest_of", "places"]

_PIECE = 1 << 20


def places(sources: Any) -> list[str]:
    """The absolute paths, or URLs, of lists, in the order in which they are given.

    Args:
        sources: A path, a URL, a pattern, or several of them.

    Raises:
        ConfigurationError: One of them is no file that other processes can read, too.
        SourceError: There is none.
    """
    given = [sources] if isinstance(sources, (str, os.PathLike)) else sources
    if not isinstance(given, Sequence) or not all(map(_is_path, given)):
        msg = (
            "an upload in partitions reads files, which any process can open: give paths, or "
            f"patterns, not {brief(sources)}"
        )
        raise ConfigurationError(msg)
    return [path for place in map(os.fspath, given) for path in _named(place)]


def _named(place: str) -> list[str]:
    """The files that a path, a URL or a pattern means."""
    place = place.removeprefix("file://")
    return remote_names(place) if is_remote(place) else list(map(_absolute, named(place)))


def _is_path(place: object) -> bool:
    return isinstance(place, (str, os.PathLike)) and os.fspath(place) != "-"


def _absolute(place: str) -> str:
    path = Path(place).absolute()
    if path.exists() and not path.is_file():
        msg = "is no plain file: other processes cannot read it, too"
        raise SourceError(msg, path=place)
    if not is_text(str(path)):
        msg = "has a name with bytes that are no text, which a plan cannot keep: rename it"
        raise SourceError(msg, path=place)
    return str(path)


def digest_of(file: IO[bytes], ranges: Iterable[tuple[int, int]]) -> str:
    """What tells these bytes of a file from others.

    Args:
        file: Can be read anywhere.
        ranges: The first byte of each, and the one behind its last.
    """
    found = blake2b(digest_size=16)
    for start, end in ranges:
        file.seek(start)
        left = end - start
        while left and (piece := file.read(min(left, _PIECE))):
            found.update(piece)
            left -= len(piece)
    return found.hexdigest()


def changed(path: str) -> SourceError:
    """The error of a list that is not what was planned."""
    msg = (
        "was changed since the upload was planned: put it back as it was, or plan what is new as "
        "an upload of its own, in another folder"
    )
    return SourceError(msg, path=path)
