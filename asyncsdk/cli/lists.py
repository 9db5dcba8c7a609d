"""The lists that a command is given."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asyncsdk.cli.asking import ask as asked
from asyncsdk.cli.asking import typed
from asyncsdk.cli.shown import fail
from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.sources import UndecidedError, read
from asyncsdk.sources.columns import ANSWERED, NO_PHONES, NoPhonesError
from asyncsdk.sources.dialect import SAMPLE_SIZE
from asyncsdk.sources.opening import kept, open_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asyncsdk.sources import Question, Source
    from asyncsdk.sources.opening import Input

__all__ = ["answered", "asked_as_typed", "opened"]


@contextmanager
def opened(
    files: list[str], *, ask: Callable[[Question], str | None] = asked, **options: Any
) -> Iterator[tuple[Source, str]]:
    """The source and what to call it. Standard input is kept: the rejects need a second reading."""
    most = options["max_bytes"]
    try:
        with asked_as_typed():
            source = read([_kept(file, most) for file in files], ask=ask, **options)
    except (ConfigurationError, SourceError, ImportError) as error:
        fail(error)
    yield source, _name(files)


@contextmanager
def asked_as_typed() -> Iterator[None]:
    """What a list leaves open, and nobody answers, ends the command with what is to be typed."""
    try:
        yield
    except UndecidedError as error:
        if error.question is not None:
            about = error.question.about
            error.message = error.question.refusal(lambda answer: typed(about, answer))
        fail(error)
    except NoPhonesError as error:
        error.message = f"{NO_PHONES}: name it with --map phone=COLUMN; {error.found}"
        fail(error)


def _kept(file: str, max_bytes: int | None) -> str | Input:
    """A file by its name; a pipe as what came through it."""
    if file == "-":
        return kept(open_input(sys.stdin.buffer, SAMPLE_SIZE + 1, max_bytes))
    if Path(file).is_fifo():
        return kept(open_input(file, SAMPLE_SIZE + 1, max_bytes))
    return file


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
