"""What must be asked before a list is read: which column, which sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import field, frozen

from asyncsdk.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Option", "Question", "UndecidedError", "answered"]


@frozen
class Option:
    """One of the answers."""

    answer: str
    """As `columns={"phone": …}`, `--map phone=…`, `sheet=` and `--sheet` take it."""
    about: str
    """What speaks for it: how many rows it fills, of how many."""
    sample: tuple[str, ...] = field(default=(), repr=False)
    """Some of what is in it, for the eyes of whoever is asked: no error repeats it."""


@frozen
class Question:
    """A choice that a list leaves open."""

    about: str
    """What is to be named: the column of `phone` or `country`, or the `sheet`."""
    text: str
    """The question."""
    options: tuple[Option, ...]
    """The answers that make sense, the best first."""
    path: str | None = None
    """The file it is about."""

    def refusal(self, typed: Callable[[str], str]) -> str:
        """The question as an error says it.

        Args:
            typed: What is to be typed for an answer.
        """
        ways = "; ".join(f"{typed(each.answer)} ({each.about})" for each in self.options)
        return f"{self.text}: {ways}"


class UndecidedError(SourceError):
    """A choice must be made before the list can be read; nothing was sent.

    Attributes:
        question: Which.
    """

    question: Question | None = None

    @classmethod
    def of(cls, question: Question) -> UndecidedError:
        """That this question is open."""
        error = cls(question.refusal(_argument(question.about)), path=question.path)
        error.question = question
        return error

    def __reduce__(self) -> tuple[object, ...]:
        return super().__reduce__() if self.question is None else (_again, (self.question,))


def _again(question: Question) -> UndecidedError:
    return UndecidedError.of(question)


def answered(question: Question, ask: Callable[[Question], str | None] | None) -> str:
    """The answer to a question.

    Raises:
        UndecidedError: Nobody is there to be asked.
    """
    answer = ask(question) if ask is not None else None
    if answer is None:
        raise UndecidedError.of(question)
    return answer


def _argument(about: str) -> Callable[[str], str]:
    """How an answer is written in a program."""
    if about != "phone":
        return lambda answer: f"{about}={answer!r}"
    return lambda answer: f"columns={{{about!r}: {answer!r}}}"
