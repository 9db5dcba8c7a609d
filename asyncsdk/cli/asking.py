"""Questions that a list leaves open, asked on a terminal; elsewhere they are a refusal."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import typer

from asyncsdk.cli.shown import plain, stderr
from asyncsdk.sources.apart.book import ALL

if TYPE_CHECKING:
    from asyncsdk.sources import Question

__all__ = ["ask", "typed"]


def ask(question: Question) -> str | None:
    """The answer of whoever sits there; None where nobody does."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    show = stderr().print
    show(plain(f"{question.path}: {question.text}" if question.path else question.text, "bold"))
    for number, option in enumerate(question.options, 1):
        sample = f": {', '.join(option.sample)}" if option.sample else ""
        show(plain(f"  {number}  {option.answer} ({option.about}){sample}"), soft_wrap=True)
    last = len(question.options)
    chosen = -1
    while not 0 <= chosen <= last:
        chosen = typer.prompt(f"1 to {last}, or 0 to stop", type=int, err=True)
    return question.options[chosen - 1].answer if chosen else None


def typed(about: str, answer: str) -> str:
    """An answer as an option that is typed."""
    if about == "phone":
        return f"--map {shlex.quote(f'phone={answer}')}"
    if (about, answer) == ("sheet", ALL):
        return "--all-sheets"
    return f"--{about} {shlex.quote(answer)}"
