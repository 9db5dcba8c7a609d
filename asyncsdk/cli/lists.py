"""The lists that a command is given."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any

from asyncsdk.cli.shown import fail
from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.sources import read
from asyncsdk.sources.columns import NO_PHONES, NoPhonesError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.sources import Source

__all__ = ["opened"]


@contextmanager
def opened(files: list[str], **options: Any) -> Iterator[tuple[Source, str]]:
    """The source and what to call it. Standard input is kept: the rejects need a second reading."""
    with ExitStack() as closing:
        kept: list[str | IO[bytes]] = []
        for file in files:
            if file == "-":
                spool = closing.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(sys.stdin.buffer, spool)
                spool.seek(0)
                kept.append(spool)
            else:
                kept.append(file)
        try:
            source = read(kept, **options)
        except NoPhonesError as error:
            error.message = f"{NO_PHONES}: name it with --map phone=COLUMN; {error.found}"
            fail(error)
        except (ConfigurationError, SourceError, ImportError) as error:
            fail(error)
        yield source, _name(files)


def _name(files: list[str]) -> str:
    named = ["standard input" if file == "-" else file for file in files]
    return named[0] if len(named) == 1 else f"{named[0]} and {len(named) - 1} more"
