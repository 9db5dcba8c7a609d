"""The lists that a command is given."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from asyncsdk.cli.asking import ask, typed
from asyncsdk.cli.shown import fail
from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.sources import UndecidedError, read
from asyncsdk.sources.columns import ANSWERED, NO_PHONES, NoPhonesError
from asyncsdk.sources.dialect import SAMPLE_SIZE
from asyncsdk.sources.opening import kept as kept_input
from asyncsdk.sources.opening import open_input

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.sources import Source
    from asyncsdk.sources.opening import Input

__all__ = ["answered", "opened"]


@contextmanager
def opened(files: list[str], **options: Any) -> Iterator[tuple[Source, str]]:
    """The source and what to call it. Standard input is kept: the rejects need a second reading."""
    with ExitStack() as closing:
        kept: list[str | IO[bytes] | Input] = []
        for file in files:
            if file == "-":
                spool = closing.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(sys.stdin.buffer, spool)
                spool.seek(0)
                kept.append(spool)
            elif Path(file).is_fifo():
                kept.append(kept_input(open_input(file, SAMPLE_SIZE + 1)))
            else:
                kept.append(file)
        try:
            source = read(kept, ask=ask, **options)
        except UndecidedError as error:
            if error.question is not None:
                about = error.question.about
                error.message = error.question.refusal(lambda answer: typed(about, answer))
            fail(error)
        except NoPhonesError as error:
            error.message = f"{NO_PHONES}: name it with --map phone=COLUMN; {error.found}"
            fail(error)
        except (ConfigurationError, SourceError, ImportError) as error:
            fail(error)
        yield source, _name(files)


def answered(source: Source) -> list[str]:
    """What was answered when a single list was opened, as --map has it: a journal keeps it."""
    if len(source.parts) > 1:
        return []
    return [
        f"{field}={choice.column}"
        for field, choice in source.mapping.items()
        if choice.reason == ANSWERED and field == "phone"
    ]


def _name(files: list[str]) -> str:
    named = ["standard input" if file == "-" else file for file in files]
    return named[0] if len(named) == 1 else f"{named[0]} and {len(named) - 1} more"
