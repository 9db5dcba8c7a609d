"""What is shown on a terminal, and how: nothing from a file or a reply is taken for markup."""

from __future__ import annotations

import json
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from asyncsdk.words import visible

if TYPE_CHECKING:
    from rich.style import StyleType

__all__ = ["Exit", "as_json", "fail", "plain", "print_json", "stderr", "stdout", "visible"]


class Exit(IntEnum):
    """The exit codes."""

    ALL_CREATED = 0
    SOME_NOT_CREATED = 1
    USAGE = 2
    CREDENTIALS = 3
    STOPPED = 4
    INTERRUPTED = 130


def stdout() -> Console:
    """Where results go."""
    return Console(file=sys.stdout, highlight=False)


def stderr() -> Console:
    """Where progress and errors go."""
    return Console(file=sys.stderr, highlight=False)


def plain(text: object, style: StyleType = "") -> Text:
    """A foreign text as rich shows it: as it is."""
    return Text(visible(text), style=style)


def as_json(value: object, indent: int | None = None) -> str:
    """A value as JSON that a terminal may show: what steers one stands there as an escape."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text
    )


def print_json(value: object) -> None:
    """The result of a command as JSON, over several lines."""
    sys.stdout.write(as_json(value, 1) + "\n")


def fail(error: object, code: Exit = Exit.USAGE) -> NoReturn:
    """Say what is wrong and end."""
    stderr().print(Text.assemble(("Error: ", "bold red"), visible(error)), soft_wrap=True)
    raise typer.Exit(code)
