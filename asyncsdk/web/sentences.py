"""The texts of our own that pages show besides reasons of rows, found and translated.

What is wrong with a list, or with a request, is said by whoever finds it, in English, for programs
and logs, too. A text that is not among these is shown as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.export.languages import N_
from asyncsdk.export.sentences import Translator

if TYPE_CHECKING:
    from asyncsdk.export.languages import Language

__all__ = ["SENTENCES", "PageTranslator"]

SENTENCES = (
    # -- why a column was chosen, and what speaks for others
    N_("by its name"),
    N_("by its content"),
    N_("the only column"),
    N_("as asked for"),
    N_("as noted in the file"),
    N_("{filled} of {rows} rows"),
    N_("in {filled} of the first {rows} rows"),
    N_("in {filled} of the first {rows} rows, the first that is filled"),
    N_("phones in {count} row of the first ones"),
    N_("phones in {count} rows of the first ones"),
    # -- what was found in a list
    N_("a row above the names of the columns left out as a title"),
    N_("{found} rows above the names of the columns left out as a title"),
    N_("above the names of the columns there is a phone: if it is a contact's, move it below them"),
    N_("read as {encoding}, as its bytes look"),
    N_("hidden sheet: {names}"),
    N_("hidden sheets: {names}"),
    N_("not read: {names}"),
    N_("{found} row of sheet {sheet} hidden or filtered, and left out unless hidden='send'"),
    N_("{found} rows of sheet {sheet} hidden or filtered, and left out unless hidden='send'"),
    # -- why it cannot be read
    N_("is empty"),
    N_("no column looks like phones"),
    N_("no column looks like phones: choose the one that has them; {error}"),
    N_("has {count} columns: that is no contact list"),
    N_("the quotes of the row that begins here do not pair up; {error}"),
    N_("a row that begins here does not end: is a quote left open?"),
    N_(
        "the row that begins here looks like several: a stray quote in it has swallowed the lines "
        "up to the next one; {error}"
    ),
    N_("is not {encoding} ({reason}): give its encoding, such as {other}"),
    N_("there is no text encoding {encoding}; cp1252, iso-8859-15 and utf-16 are some"),
    N_(
        "choose the country that numbers are from: without it nobody knows which are mobile ones, "
        "nor what those are that begin with neither + nor 0"
    ),
    N_("there is no sheet {name}; there are {names}"),
    N_("choose first: {error} ({answers})"),
    N_("several sheets have phones: name one"),
    N_("several columns could be the phones: name one"),
    N_("several columns say in which country a phone could be: name one"),
    N_("the numbers are in parts, of which one alone is somebody else's: join them"),
    N_("the columns are {names}"),
    N_("no column is named for {field}; {error}"),
    N_("there is no column {wanted} for {field}; {error}"),
    N_("is {kind}, no list of contacts: {error}"),
    N_("export the contacts as CSV or Excel from the program that they are in"),
    N_("unpack it, and give what is in it"),
    N_("save the list as CSV or Excel"),
    N_("decrypt it first"),
    N_("a PDF"),
    N_("an image ({format})"),
    N_("a database ({format})"),
    N_("an Outlook data file"),
    N_("a text document ({format})"),
    N_("a text document"),
    N_("a 7-Zip archive"),
    N_("a RAR archive"),
    N_("a tar archive"),
    N_("an archive with nothing in it"),
    N_("packed twice"),
    N_("a web archive or an e-mail"),
    N_("a program"),
    N_("a Word document"),
    N_("a presentation"),
    N_("an Apple document"),
    N_("an XML file that is no workbook"),
    N_("is protected by a password: unpack it, and give what is in it"),
    N_("has not one file in it, but {names}: unpack it, and name those that are meant"),
    N_("the archive is damaged or cut short ({error})"),
    N_("unpacks to more than {count} bytes: {error}"),
    N_("is no vCard"),
    N_("is not JSON: {error}"),
    N_("cannot be read: {reason}"),
    N_("reading the list took more memory or time than it may: save it as CSV, or split it"),
    # -- what looks wrong with numbers
    N_("rounded by a spreadsheet: the last digits are lost"),
    N_("a date"),
    N_("two numbers in one cell"),
    N_("words or markup, not a number alone"),
    N_("negative: a spreadsheet took it for a sum"),
    N_("decimals behind it"),
    N_("too short or too long to be dialled"),
    N_("without its country"),
    # -- what a page refuses
    N_("the file is empty: choose the one that has the list"),
    N_("a list may have {count} bytes here: split it, or pack it (.gz, .zip)"),
    N_("a list may have {count} rows here: split it"),
    N_("the file cannot be stored: {reason}"),
    N_("the rest of the file did not come: send it once more"),
    N_("choose a file before you upload it"),
    N_("this is no form with a file: open the upload page and choose the file there"),
    N_("this form is too long: open the page again"),
    N_("there is no such job: it may have been deleted"),
    N_("the job is being sent: wait for its end, or stop it"),
    N_("the job is worked on: stop it first"),
    N_("the job has sent nothing yet"),
    N_("nothing failed that could be sent once more"),
    N_("this group is not yours to use: choose one of those that are shown"),
    N_("groups can only be chosen from those that are yours to use"),
    N_("no group is chosen"),
    N_("the group cannot be used: {error}"),
    N_("several groups are named {name}: give one of the ids {ids}"),
    N_("this was asked for by a page of another site: open the upload page itself"),
    N_("open the page by its whole address, which the terminal shows"),
    # -- why a job does not go on
    N_("workers have died of it again and again: see their log. It may be tried once more"),
    N_("of a fault in the program, which is in its log"),
    N_("a file of the job cannot be used: {reason}"),
    N_("none of the last {count} phones could be deleted: {reason}"),
)
"""All of them."""

_LINES = re.compile(r"\bline (\d[\d,]*)|\brow (\d[\d,]*)|\bsheet (?=['\"])")


@frozen
class PageTranslator:
    """Says a text of ours in the language of a page."""

    language: Language
    _reasons: Translator

    @classmethod
    def of(cls, language: Language) -> PageTranslator:
        """The one of this language."""
        return cls(language, Translator(language, more=SENTENCES))

    def __call__(self, text: str) -> str:
        """The text, as far as it is ours; a place that stands before it stays."""
        said = self._reasons(text)
        place, colon, rest = text.partition(": ")
        if said == text and colon:
            told = self(rest)
            if told != rest:
                return f"{_LINES.sub(self._place, place)}: {told}"
        return said

    def _place(self, found: re.Match[str]) -> str:
        if found[1]:
            return self.language.gettext("line {number}", number=found[1])
        if found[2]:
            return self.language.gettext("row {number}", number=found[2])
        return self.language.gettext("sheet") + " "
