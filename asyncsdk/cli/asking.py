"""Questions that a list leaves open, asked on a terminal; elsewhere they are a refusal."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

import typer
from attrs import field, frozen

from asyncsdk.cli.shown import plain, stderr
from asyncsdk.sources.apart.book import ALL

if TYPE_CHECKING:
    from asyncsdk.sources import Question

__all__ = ["Answers", "ask", "typed"]


@frozen
class Answers:
    """Who is asked what lists leave open: what was answered before is not asked again."""

    known: list[list[str]] = field(factory=list)
    """Of each question the list that it was about, what was to be named, and the answer."""

    def __call__(self, question: Question) -> str | None:
        """The answer; None where nobody sits there."""
        about = [os.path.abspath(question.path or ""), question.about]
        for *before, answer in self.known:
            if before == about:
                return answer
        found = ask(question)
        if found is not None:
            self.known.append([*about, found])
        return found


def ask(question: Question) -> str | None:
    """The answer of whoever sits there; None where nobody does."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    show = stderr().print
    text = f"{question.path}: {question.text}" if question.path else question.text
    show(plain(text, "bold"), soft_wrap=True)
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
