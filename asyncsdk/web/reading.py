"""The list of a job, read as its owner chose; and what there is to choose."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from attrs import Factory, evolve, frozen

from asyncsdk.errors import AsyncSDKError, ConfigurationError
from asyncsdk.models import FIELDS
from asyncsdk.sources import read
from asyncsdk.sources.columns import NoPhonesError
from asyncsdk.sources.noted import as_noted
from asyncsdk.sources.opening import FileInput
from asyncsdk.sources.picking import COUNTRY, names_of
from asyncsdk.sources.questions import Option, Question
from asyncsdk.workflow.numbers import parse_normalize
from asyncsdk.workflow.samples import Sample, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from asyncsdk.config import Normalize
    from asyncsdk.sources import Source
    from asyncsdk.web.job import Choices

__all__ = [
    "SENDING",
    "ColumnView",
    "Inspection",
    "ListView",
    "inspect",
    "normalizing",
    "opened",
    "sending",
]

_LOOKED_AT = 100
"""Rows of which the first cells of each column are shown."""
_CELLS = 5
"""Cells of a column that are shown."""
_CELL = 80
"""Characters of a cell that are shown."""
_COLUMNS = 200
"""Columns that are shown."""
_READING = ("country", "hidden", "format", "delimiter", "encoding", "header", "skip_lines")
SENDING = ("normalize", "bare", "mobile_only", "duplicates", "existing")
"""Options that a rejects file brings, too."""


@frozen
class ColumnView:
    """A column of a list."""

    name: str
    """As `Choices.columns` asks for it."""
    title: str
    """As the list has it."""
    cells: tuple[str, ...]
    """The first that are filled."""


@frozen
class Chosen:
    """From where a field of a phone, or the country of a row, is read."""

    field: str
    column: str
    """As `Choices.columns` asks for it."""
    reason: str
    """Why; empty where it was asked for."""


@frozen
class ListView:
    """One list of a file: a sheet, or the whole."""

    name: str
    columns: tuple[ColumnView, ...]
    chosen: tuple[Chosen, ...]
    notes: tuple[str, ...]
    """What its owner should know: titles, totals, hidden rows that are left out."""
    samples: tuple[Sample, ...]
    """Rows as they would be sent."""


@frozen(kw_only=True)
class Inspection:
    """What a file has, read with the choices of its job."""

    lists: tuple[ListView, ...] = ()
    questions: tuple[Question, ...] = ()
    """What must be chosen before it is sent: until then the first answer is taken for the look."""
    problem: str = ""
    """Why it cannot be read."""
    noted: dict[str, Any] = Factory(dict)
    """Options that a rejects file brings, which hold where nothing else is chosen."""

    @property
    def ready(self) -> bool:
        """Whether it can be sent as it is read now."""
        return not self.problem and not self.questions


def opened(
    path: Path,
    name: str,
    choices: Choices,
    max_bytes: int,
    ask: Callable[[Question], str | None] | None = None,
) -> Source:
    """The list, ready to be read; this blocks, as reading it does.

    Args:
        path: Where it is.
        name: What it is called.
        choices: How to read it.
        max_bytes: Bytes that it may unpack to, and of memory that reading it may take.
        ask: Who answers what is left open.

    Raises:
        UndecidedError: Something is left open, and nobody answers.
        SourceError: It cannot be read.
        ConfigurationError: A choice cannot work.
    """
    options: dict[str, Any] = {option: getattr(choices, option) for option in _READING}
    return read(
        FileInput(path, max_bytes, name),
        columns=choices.columns or None,
        sheet=list(choices.sheet) or None,
        send_unknown=choices.send_unknown,
        max_bytes=max_bytes,
        ask=ask,
        **options,
    )


def sending(source: Source, choices: Choices) -> dict[str, Any]:
    """The options of the upload, those among them that a rejects file brings.

    Args:
        source: The list.
        choices: What holds before what it brings.
    """
    options = {option: getattr(choices, option) for option in SENDING}
    return options | as_noted(source, options)


def normalizing(options: Mapping[str, Any]) -> Normalize | None:
    """How numbers are read; None where they are sent as they are.

    Args:
        options: As `sending` gives them.

    Raises:
        ConfigurationError: They cannot work.
    """
    if not options["normalize"] and (options["bare"] or options["mobile_only"]):
        msg = (
            "choose the country that numbers are from: without it nobody knows which are mobile "
            "ones, nor what those are that begin with neither + nor 0"
        )
        raise ConfigurationError(msg)
    return parse_normalize(options)


def inspect(path: Path, name: str, choices: Choices, max_bytes: int) -> Inspection:
    """What a list has; arguments as for `opened`."""
    open_questions: list[Question] = []

    def ask(question: Question) -> str:
        open_questions.append(question)
        return question.options[0].answer

    try:
        try:
            source = opened(path, name, choices, max_bytes, ask)
        except NoPhonesError as error:
            source, question = _without_phones(path, name, choices, max_bytes, error)
            open_questions.append(question)
        options = sending(source, choices)
        return Inspection(
            lists=tuple(_view(part, options) for part in source.parts),
            questions=tuple(dict.fromkeys(open_questions)),
            noted={key: value for key, value in options.items() if value != getattr(choices, key)},
        )
    except (AsyncSDKError, ImportError) as error:
        return Inspection(problem=str(error))


def _without_phones(
    path: Path, name: str, choices: Choices, max_bytes: int, error: NoPhonesError
) -> tuple[Source, Question]:
    """The list of which no column looks like phones, and the question which one has them."""
    anyhow = evolve(choices, columns={**choices.columns, "phone": "1"})
    source = opened(path, name, anyhow, max_bytes, lambda question: question.options[0].answer)
    named = names_of(source.parts[0].columns)[:_COLUMNS]
    options = tuple(Option(column, "") for column in named)
    text = "no column looks like phones: which one has them"
    return source, Question("phone", text, options, error.path)


def _view(part: Source, options: dict[str, Any]) -> ListView:
    rows = [row.cells for row in islice(part.rows(), _LOOKED_AT)]
    return ListView(
        part.sheet or part.path or "",
        tuple(
            ColumnView(name, title, _first(rows, at))
            for at, (name, title) in enumerate(
                islice(zip(names_of(part.columns), part.columns, strict=True), _COLUMNS)
            )
        ),
        tuple(
            Chosen(field, part.mapping[field].column, part.mapping[field].reason)
            for field in (*FIELDS, COUNTRY)
            if field in part.mapping
        ),
        part.notes,
        tuple(samples(part, normalizing(options))),
    )


def _first(rows: list[list[str]], at: int) -> tuple[str, ...]:
    """The first filled cells of a column."""
    filled = (row[at] for row in rows if at < len(row) and row[at].strip())
    return tuple(cell[:_CELL] for cell in islice(filled, _CELLS))
