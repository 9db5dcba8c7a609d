"""The texts of our own that say why a phone was not created, found in a reason and translated.

A reason is kept, journalled and exported as English text. What a page shows in another language is
found by these sentences, so that a report read back from any file says the same as a fresh one.
Texts of the server are nobody's to translate: they stay as they are.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from attrs import Factory, frozen

from asyncsdk.export.languages import N_
from asyncsdk.models import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from asyncsdk.export.languages import Language
    from asyncsdk.results import PhoneResult

__all__ = ["PLACES", "SENTENCES", "TITLES", "Translator"]

TITLES = (
    N_("Invalid phone"),
    N_("Duplicate phone"),
    N_("Existing phone"),
    N_("Not a contact"),
    N_("Outcome unknown"),
    N_("Not sent"),
    N_("Not stored"),
    N_("Upload stopped"),
    N_("Would be sent"),
)
"""The kinds of problem that we name."""

SENTENCES = (
    # -- a row as it was submitted
    N_("is required"),
    N_("is longer than {limit} characters ({length})"),
    N_("is longer than {limit} characters"),
    N_("must be a text, not {kind}"),
    N_("has a lone surrogate, which is no character"),
    N_("has more digits than any text may"),
    N_("unknown field {names}; a phone has {fields}"),
    N_(
        "a row is a Phone, a number as text, or something with the names of its fields (a dict, "
        "a row of a database, a dataclass), not {kind}"
    ),
    N_("decode it: row.decode()"),
    N_("give names to its values: dict(zip(names, row))"),
    N_("a number is given as text: str(row)"),
    N_("the row cannot be read: {kind}"),
    # -- a cell and its number
    N_(
        "a spreadsheet has rounded this number, its last digits are lost: format the column as "
        "text and export the list again"
    ),
    N_(
        "it is a negative number, as a spreadsheet makes one of +49-171…: format the column as "
        "text and enter the number anew"
    ),
    N_("it is a number with decimals, no phone: keep the phone alone in its column"),
    N_("it is a date or a time, no phone: format the column as text and enter the number anew"),
    N_("there are two numbers in one cell, or there may be: keep one, or make two rows of them"),
    N_("there are words or signs in it: keep the number alone"),
    N_("there is no number in it"),
    N_("there is no country with this code"),
    N_("it has a 0 where numbers of its country have none: write it as it is dialled"),
    N_("it has too few digits for a number there"),
    N_("it has too many digits for a number there"),
    N_("it is no mobile number"),
    N_(
        "it can be two numbers ({readings}): write it with + and its country code, or say which "
        "kind the list has: --bare national or --bare international, Normalize(bare=…)"
    ),
    N_(
        "it can be two numbers: write it with + and its country code, or say which kind the list "
        "has: --bare national or --bare international, Normalize(bare=…)"
    ),
    N_(
        "it begins with neither + nor 0, and no plan of numbers has it: write it with + and its "
        "country code, or say --bare national or --bare international, Normalize(bare=…)"
    ),
    N_(
        "the country {country} is not known: give its code, such as AT, or its name, so that the "
        "number is not taken for one of another country"
    ),
    N_(
        "the row does not have the column that says its country: name the right one, or leave "
        "the country out"
    ),
    N_("a part of the number is missing: fill it in"),
    N_(
        "{before} stands before a number that begins with 0 and so is complete itself: keep one "
        "of them"
    ),
    # -- a list
    N_(
        "the row is a line of totals, not a contact: if it is one, write its number with + and its "
        "country code"
    ),
    N_(
        "the row stands below the totals in {place}, where there are no contacts: if it is one, "
        "move it above them, or delete them"
    ),
    N_("it was no contact when it was rejected: if it is one, delete the word held beside it"),
    N_("it was uploaded with other options than the first row: upload it in a file of its own"),
    N_("skipped as a duplicate when it was rejected"),
    N_("may be in the group since it was sent without an answer; it was not sent again"),
    # -- numbers that are left out
    N_("the same number as an earlier row, of another partition ({count})"),
    N_("the same number as {place}"),
    N_("an earlier row"),
    N_("in the group already"),
    N_("a dry run sends nothing"),
    # -- how an upload went
    N_("the upload ended while these phones were under way"),
    N_("the upload ended before these phones were sent"),
    N_("the upload ended before this row"),
    N_("the upload was interrupted while it was under way"),
    N_(
        "the upload was interrupted while it was under way, and was begun without reconciling: "
        "what the group held before is not known"
    ),
    N_("the group does not have this phone"),
    N_("the group has more than {count} new phones of the numbers that are looked for"),
    N_("the group has this number under an id that says nothing: look it up there"),
    N_(
        "the group has this number, and another partition of the upload has sent it without an "
        "answer, too: whose it is cannot be told, look it up there"
    ),
    N_("the group did not come to rest, so it was not read"),
    N_("the group could not be read: {error}"),
    N_("the server failed on this phone"),
    N_("the reply does not say what became of this phone"),
    # -- requests and replies
    N_("no whole reply within {seconds} s"),
    N_("no connection within {seconds} s"),
    N_("no connection: the proxy answered HTTP {status}"),
    N_("no connection ({error})"),
    N_("the connection was closed before the request left ({error})"),
    N_("the connection was lost before a whole reply came ({error})"),
    N_("the reply was not HTTP: {kind}"),
    N_("the server's certificate is not trusted ({error})"),
    N_(
        "the server's certificate is not trusted ({error}): SSL_CERT_FILE, or ssl=, names other "
        "authorities"
    ),
    N_("the proxy refuses to connect (HTTP {status}): check its user and password"),
    N_("the proxy refuses to connect (HTTP {status}): check what it allows"),
    N_(
        "HTTP {status}: the server redirects elsewhere, and redirects are not followed (they "
        "would carry the API key along); check the base URL"
    ),
    N_("the request was withdrawn"),
    N_("the reply has more than {size} bytes, far above what was asked for"),
    N_("the reply is empty"),
    N_("the reply is no JSON object or array ({size} bytes)"),
    N_("the reply has no member collection"),
    N_("the reply's member is neither an array nor an object"),
    N_("HTTP reply missing"),
    N_("no reason given"),
    N_("other reasons"),
)
"""All of them."""

PLACES = (
    N_("{file}, sheet {sheet}, row {number}"),
    N_("sheet {sheet}, row {number}"),
    N_("{file}, row {number}"),
    N_("{file}, line {number}"),
    N_("row {number}"),
    N_("line {number}"),
)
"""How `asyncsdk.places` names them."""

_OF_REPLIES = (
    N_("{title}: the reply was empty"),
    N_("{title}: the reply was not JSON ({size} bytes)"),
    N_("{title}: the reply was not JSON ({size} bytes titled {name})"),
    N_("{detail} (every batch was refused, and phones alone: it is the request, not the phones)"),
)
"""What we say of refusals, beside the words of the server."""

_OR = N_(" or ")

_ANYTHING = {"error", "detail", "title"}
"""Placeholders that stand for several parts as well."""
_FIGURES = {"filled", "found"}
"""Those that stand for a number: a sentence that begins with another may begin anywhere."""
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_FIELD = re.compile(rf"({'|'.join(FIELDS)}): ", re.ASCII)
_BETWEEN = "; "


@frozen
class Translator:
    """Says reasons in the language of a page."""

    language: Language
    columns: Mapping[str, str] = Factory(dict)
    """What the list calls the fields of a phone."""
    more: tuple[str, ...] = ()
    """Sentences besides ours."""

    def of(self, result: PhoneResult, reason: str) -> str:
        """The reason of this result, translated as far as it is ours."""
        ours = result.status is None or (result.error is not None and result.error.title in TITLES)
        return self(reason) if ours else self.reply(reason)

    def __call__(self, reason: str) -> str:
        """A reason of ours."""
        return next(self._said(reason), reason)

    def place(self, text: str) -> str:
        """Where a row stands."""
        return next(chain(self._sentence(text, PLACES), self._said(text)), text)

    def reply(self, reason: str) -> str:
        """What a reply says; ours is what we found wrong with it."""
        title, colon, _ = reason.partition(": ")
        if colon and title in TITLES:
            return self(reason)
        return next(self._sentence(reason, _OF_REPLIES), reason)

    def _said(self, text: str) -> Iterator[str]:
        """What it is in the other language: the first that is found, if any is."""
        if text in TITLES:
            yield self.language.gettext(text)
        title, colon, rest = text.partition(": ")
        if colon and title in TITLES:
            yield f"{self.language.gettext(title)}: {self(rest)}"
        if field := _FIELD.match(text):
            name = self.columns.get(field[1]) or self._field(field[1])
            yield f"{name}: {self(text[field.end() :])}"
        yield from self._sentence(text, SENTENCES)
        yield from self._sentence(text, self.more)
        yield from self._parts(text)

    def _field(self, name: str) -> str:
        return self.language.gettext("phone") if name == "phone" else name

    def _parts(self, text: str) -> Iterator[str]:
        """Of several sentences each by itself."""
        at = text.find(_BETWEEN)
        while at >= 0:
            first, rest = text[:at], text[at + len(_BETWEEN) :]
            if (found := next(self._said(first), None)) is not None:
                yield f"{found}{_BETWEEN}{self(rest)}"
            at = text.find(_BETWEEN, at + 1)

    def _sentence(self, text: str, sentences: tuple[str, ...]) -> Iterator[str]:
        found = _found(text, sentences)
        if found is None:
            return
        sentence, values = found
        own = {name: self._value(name, value) for name, value in values.items()}
        yield self.language.gettext(sentence, **own)

    def _value(self, name: str, value: str) -> str:
        """What stands in a sentence may be said by us as well."""
        if name == "readings":
            return value.replace(" or ", self.language.gettext(_OR))
        if name == "place":
            return self.place(value)
        return self(value) if name in {"error", "kind"} else value


@lru_cache(4096)
def _found(text: str, sentences: tuple[str, ...]) -> tuple[str, dict[str, str]] | None:
    if text in sentences:
        return text, {}
    for sentence, match in _patterns(sentences):
        if (values := match(text)) is not None:
            return sentence, values.groupdict()
    return None


@cache
def _patterns(
    sentences: tuple[str, ...],
) -> list[tuple[str, Callable[[str], re.Match[str] | None]]]:
    return [
        (sentence, re.compile(_pattern(sentence), re.DOTALL).fullmatch)
        for sentence in sentences
        if "{" in sentence
    ]


def _pattern(sentence: str) -> str:
    parts = _PLACEHOLDER.split(sentence)
    return "".join(_group(part) if at % 2 else re.escape(part) for at, part in enumerate(parts))


def _group(name: str) -> str:
    if name in _FIGURES:
        return rf"(?P<{name}>[\d,]+)"
    some = "." if name in _ANYTHING else f"(?!{_BETWEEN})."
    return f"(?P<{name}>(?:{some})+?)"
