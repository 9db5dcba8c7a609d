"""Lists that are elsewhere, by whatever fsspec opens: no more of one is read than a partition has.

What is read is copied to a private file for as long as it is needed, which goes with its process,
or, where that is killed, with the next one. A URL stands in the manifest, for every process has to
know it: it holds no password and no signature, which fsspec finds in its own configuration and in
the environment (https://filesystem-spec.readthedocs.io/en/latest/features.html#configuration).
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import frozen

from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.files import scratch
from asyncsdk.sources.foreign import foreign_faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Remote", "is_remote", "remote_names"]

_PIECE = 1 << 23
"""Bytes that are asked for at once."""
_MAGIC = frozenset("*?[")


def is_remote(place: str) -> bool:
    """Whether this is the URL of something that is not on this host's disks."""
    scheme, found, _ = place.partition("://")
    return bool(found) and "/" not in scheme


def remote_names(url: str) -> list[str]:
    """The URLs of the files that a URL, or a pattern, means, in order.

    Raises:
        ConfigurationError: It holds what must not stand in a manifest.
        SourceError: There is no such file.
        ImportError: What reads it is not installed.
    """
    _check(url)
    system, path = _system(url)
    if not _MAGIC.intersection(path):
        return [url]
    with foreign_faults(_shown(url), lambda: None, "cannot be listed"):
        found = [system.unstrip_protocol(name) for name in sorted(system.glob(path))]
    if not found:
        msg = "no file has such a name"
        raise SourceError(msg, path=_shown(url))
    return found


@frozen
class Remote:
    """One file that is elsewhere."""

    url: str

    def size(self) -> int:
        """Its bytes.

        Raises:
            SourceError: It is not there, or cannot be looked at.
        """
        system, path = _system(self.url)
        with foreign_faults(self.url, lambda: None, "cannot be opened"):
            system.invalidate_cache()  # it may have been replaced since it was looked at
            return int(system.size(path))

    @contextmanager
    def copied(
        self, ranges: Iterable[tuple[int, int]], *, sparse: bool = False
    ) -> Iterator[tuple[Path, str]]:
        """A private file with these bytes of it, one after the other, and their digest.

        Args:
            ranges: The first byte of each, and the one behind its last.
            sparse: Whether they are to stand where they stand in the file.

        Raises:
            SourceError: They cannot be read.
        """
        system, path = _system(self.url)
        found = blake2b(digest_size=16)
        with ExitStack() as stack:
            place = stack.enter_context(scratch())
            with (
                foreign_faults(self.url, lambda: None, "cannot be read"),
                place.open("rb+") as file,
            ):
                for start, end in ranges:
                    if sparse:
                        file.seek(start)
                    for at in range(start, end, _PIECE):
                        piece = system.cat_file(path, start=at, end=min(at + _PIECE, end))
                        found.update(piece)
                        file.write(piece)
            yield place, found.hexdigest()


def _system(url: str) -> tuple[Any, str]:
    """What reads such a URL, and what the file is called there."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        msg = f"reading {_shown(url)} needs fsspec: pip install 'asyncsdk[fleet]'"
        raise ImportError(msg) from error
    try:
        found: tuple[Any, str] = url_to_fs(url)
    except ImportError as error:  # it says what to install
        msg = f"reading {_shown(url)} needs one package more: {error}"
        raise ImportError(msg) from error
    except ValueError as error:
        msg = f"there is nothing that opens {_shown(url)}: {error}"
        raise ConfigurationError(msg) from error
    return found


def _check(url: str) -> None:
    """Do nothing if a URL may stand in a file that others read."""
    try:
        parts = urlsplit(url)
        secret = parts.username is not None or parts.password is not None
    except ValueError:
        parts, secret = urlsplit(""), True
    signed = parts.scheme in {"http", "https"} and (parts.query or parts.fragment)
    if secret or signed or "::" in url:
        msg = (
            f"{_shown(url)} has a user, a password, a query or a second URL in it, which would "
            "stand in the manifest: give the plain URL, and credentials to fsspec by its "
            "configuration or the environment"
        )
        raise ConfigurationError(msg)


def _shown(url: str) -> str:
    """A URL without what may be a secret."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("?")[0].partition("#")[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
