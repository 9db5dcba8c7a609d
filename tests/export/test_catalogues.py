"""The languages of the page: catalogues that are whole and in step, and no text without one."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

import asyncsdk
from asyncsdk import ConfigurationError
from asyncsdk.export.languages import LANGUAGES, check_language, language_of
from asyncsdk.export.sentences import SENTENCES, TITLES, Translator
from asyncsdk.web import sentences as web
from tests import catalogues

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages.catalog import Message

PACKAGE = Path(asyncsdk.__file__).parent
TEMPLATES = sorted(PACKAGE.glob("*/templates/*.j2"))
CATALOGUES = list(product(catalogues.PACKAGES, LANGUAGES))
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w*\}")
MARKUP = re.compile(r"<[^>]+>")
COMMAND = re.compile(r"--\w+|asyncsdk \w+|\b[A-Z]{4,}\b|Normalize\(bare=…\)")
SPOKEN = {"aria-label", "placeholder", "title", "alt", "data-one", "data-other", "data-name"}

# What says why a row was not created, and where else such words stand.
REASONS = (
    *("results", "upload/flights", "upload/intake/normalize", "upload/intake/skipping"),
    *("upload/intake/check", "upload/intake/rows", "upload/verdict/settlement"),
    *("upload/verdict/table", "upload/recovery/reconcile", "ledger/held", "export/reasons"),
    "fleet/skips",
    *("sources/making", "sources/rejects", "http/failures", "http/transport"),
)
ELSEWHERE = (
    "a row has the keys",  # ends an upload: no row has it
    "none of the first",
    "{path} is not what was planned",  # ends a run
    "as noted in the file",  # why a column is chosen
    "asyncsdk/",  # the user agent
    " (request",  # of the log
    "%s %s",
    r" \(",  # a pattern
    "HTTP {",  # a status alone
    "the proxy refuses to connect",  # made of two: below
    "its user and password",
    "what it allows",
    "the row {reason}",
    "; {",  # joins two
    " or ",
    "{type(error).__name__}: {error}",
    "{problem} {",
)


def messages(package: str, code: str) -> list[Message]:
    return [message for message in catalogues.read(package, code) if message.id]


def texts(message: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [message] if isinstance(message, str) else list(message or [])


@pytest.mark.parametrize(("package", "code"), CATALOGUES)
def test_a_catalogue_has_all_texts_and_no_others(package: str, code: str) -> None:
    wanted = {message.id for message in catalogues.extracted(package) if message.id}
    assert {message.id for message in messages(package, code)} == wanted


@pytest.mark.parametrize(("package", "code"), CATALOGUES)
def test_every_text_is_translated_in_all_its_forms(package: str, code: str) -> None:
    for message in messages(package, code):
        assert not message.fuzzy
        assert all(texts(message.string)), message.id
        assert len(texts(message.string)) == len(texts(message.id))


@pytest.mark.parametrize(("package", "code"), CATALOGUES)
@pytest.mark.parametrize("part", [PLACEHOLDER, MARKUP, COMMAND])
def test_a_translation_keeps_what_is_no_word(
    package: str, code: str, part: re.Pattern[str]
) -> None:
    for message in messages(package, code):
        for one, other in zip(texts(message.id), texts(message.string), strict=True):
            assert sorted(part.findall(one)) == sorted(part.findall(other)), one


@pytest.mark.parametrize(("package", "code"), CATALOGUES)
def test_what_is_compiled_is_in_step(package: str, code: str) -> None:
    text, binary = (path(package, code) for path in (catalogues.po_path, catalogues.mo_path))
    assert binary.read_bytes() == catalogues.compiled(catalogues.read(package, code))
    assert text.read_bytes() == catalogues.written(catalogues.updated(package, code))


@pytest.mark.parametrize("package", catalogues.PACKAGES)
def test_english_is_its_own_translation(package: str) -> None:
    for message in messages(package, "en"):
        assert texts(message.string) == texts(message.id)


def outside(template: Path) -> str:
    """A template without its code, and without what it translates."""
    source, said, inside, before = template.read_text("utf-8"), "", False, ""
    for _, kind, text in jinja2.Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).lex(
        source
    ):
        if before == "block_begin" and text in {"trans", "endtrans"}:
            inside = text == "trans"
        if kind == "data" and not inside:
            said += text
        before = kind if kind != "whitespace" else before
    return said


class Spoken(HTMLParser):
    """The words that a page shows or reads out."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.typed = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.typed = tag == "pre" or (self.typed and tag != "p")
        self.words += [value or "" for name, value in attrs if name in SPOKEN]

    def handle_endtag(self, tag: str) -> None:
        self.typed = self.typed and tag != "pre"

    def handle_data(self, data: str) -> None:
        if not self.typed:
            self.words.append(data)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_says_nothing_untranslated(template: Path) -> None:
    spoken = Spoken()
    spoken.feed(outside(template))
    assert set(re.findall(r"[^\W\d_]{2,}", " ".join(spoken.words))) <= {"Excel", "CSV"}  # are names


def calls(tree: ast.AST) -> Iterator[str]:
    """The texts that code has translated."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in {"gettext", "ngettext", "N_"} and node.args:
                yield from (str(a.value) for a in node.args[:1] if isinstance(a, ast.Constant))


@pytest.mark.parametrize(
    "path",
    [path for name in catalogues.PACKAGES for path in sorted((PACKAGE / name).glob("*.py"))],
    ids=lambda path: path.name,
)
def test_what_code_says_is_in_the_catalogues(path: Path) -> None:
    """Also where the extraction does not look, as within f-strings."""
    known = {texts(each.id)[0] for name in catalogues.PACKAGES for each in messages(name, "en")}
    assert set(calls(ast.parse(path.read_text("utf-8")))) <= known


def sentences(tree: ast.AST) -> Iterator[str]:
    """The texts of some words in a module, with `{…}` for what is put in; no docstrings."""
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in parts | said:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value)
                if isinstance(part, ast.Constant)
                else f"{{{ast.unparse(part.value)}}}"
                for part in node.values
                if isinstance(part, (ast.Constant, ast.FormattedValue))
            )
        else:
            continue
        if " " in text and re.search("[a-z]{2}", text):
            yield text


@pytest.mark.parametrize("module", REASONS)
def test_every_reason_of_our_own_is_a_sentence_of_the_page(module: str) -> None:
    translate = Translator(language_of("de"))
    for text in sentences(ast.parse((PACKAGE / f"{module}.py").read_text("utf-8"))):
        if not text.startswith(ELSEWHERE):
            filled = re.sub(r"\{[^{}]*\}", "7", text)
            whole = f"the row {filled}" if module == "sources/making" else filled
            assert {translate(filled), translate(whole)} != {filled, whole}, text


@given(st.sampled_from([*SENTENCES, *TITLES]), st.integers(0, 10**6))
def test_a_sentence_is_found_whatever_stands_in_it(sentence: str, value: int) -> None:
    said = PLACEHOLDER.sub(str(value), sentence)
    assert Translator(language_of("en"))(said) == said
    assert Translator(language_of("de"))(said) == PLACEHOLDER.sub(
        str(value), language_of("de").gettext(sentence)
    )


@given(st.text())
def test_what_is_not_ours_stays_as_it_is(text: str) -> None:
    assert Translator(language_of("en"))(text) == text
    assert Translator(language_of("de")).reply(text) == text


@pytest.mark.parametrize(
    ("reason", "german"),
    [
        ("phone: is required", "Mobil: fehlt"),
        ("a: is longer than 1530 characters (1,600)", "a: ist länger als 1530 Zeichen (1,600)"),
        (
            "phone: is required; a: must be a text, not list",
            "Mobil: fehlt; a: muss ein Text sein, nicht list",
        ),
        (
            "Duplicate phone: the same number as line 17",
            "Doppelte Nummer: dieselbe Nummer wie Zeile 17",
        ),
        (
            "Duplicate phone: the same number as a.csv, line 17",
            "Doppelte Nummer: dieselbe Nummer wie a.csv, Zeile 17",
        ),
        (
            "Outcome unknown: the group could not be read: no whole reply within 60 s",
            "Ausgang unbekannt: die Gruppe ließ sich nicht lesen: keine ganze Antwort binnen 60 s",
        ),
        (
            "Not sent: the proxy refuses to connect (HTTP 407): check its user and password",
            (
                "Nicht gesendet: der Proxy verweigert die Verbindung (HTTP 407): Benutzer und "
                "Passwort prüfen"
            ),
        ),
        (
            "Outcome unknown: the group could not be read: HTTP 403: Forbidden.",
            "Ausgang unbekannt: die Gruppe ließ sich nicht lesen: HTTP 403: Forbidden.",
        ),
        (
            (
                "phone: 0171 stands before a number that begins with 0 and so is complete itself: "
                "keep one of them"
            ),
            (
                "Mobil: 0171 steht vor einer Nummer, die mit 0 beginnt und also selbst vollständig "
                "ist: eine der beiden behalten"
            ),
        ),
        (
            "phone: a part of the number is missing: fill it in",
            "Mobil: ein Teil der Nummer fehlt: ergänzen",
        ),
        (
            (
                "phone: it can be two numbers (+491 or +492): write it with + and its country "
                "code, or say which kind the list has: --bare national or --bare international, "
                "Normalize(bare=…)"
            ),
            (
                "Mobil: es können zwei Nummern sein (+491 oder +492): mit + und Landesvorwahl "
                "schreiben oder sagen, welche Art die Liste hat: --bare national oder --bare "
                "international, Normalize(bare=…)"
            ),
        ),
        (
            "unknown field 'x', 'y'; a phone has phone, a; the same number as an earlier row",
            (
                "unbekanntes Feld 'x', 'y'; eine Nummer hat phone, a; "
                "dieselbe Nummer wie eine frühere Zeile"
            ),
        ),
    ],
)
def test_reasons_of_several_parts(reason: str, german: str) -> None:
    assert Translator(language_of("de"), {"phone": "Mobil"})(reason) == german


def test_numbers_shares_and_dates_have_the_form_of_the_language() -> None:
    english, german = language_of("en"), language_of("de")
    when = datetime(2026, 3, 5, 14, 7, tzinfo=UTC)
    assert (english.number(1234), german.number(1234)) == ("1,234", "1.234")
    assert (english.number(1234.56, 1), german.number(1234.56, 1)) == ("1,234.6", "1.234,6")
    assert (english.share(123, 1000), german.share(123, 1000)) == ("12.3%", "12,3\N{NBSP}%")
    assert german.share(1, 10**6) == "unter 0,1\N{NBSP}%"
    assert (english.seconds(0.0123), german.seconds(1.25)) == ("12 ms", "1,2 s")
    assert english.moment(when).replace("\u202f", " ") == "March 5, 2026, 2:07 PM"
    assert german.moment(when) == "5. März 2026, 14:07"
    assert english.ngettext("{count} phone", "{count} phones", 1) == "1 phone"
    assert german.ngettext("{count} phone", "{count} phones", 2000) == "2.000 Nummern"


@pytest.mark.parametrize("code", ["de", "DE", "de_AT", "de-CH", "de_DE.UTF-8", "de.UTF-8"])
def test_a_language_is_taken_without_its_country(code: str) -> None:
    assert check_language(code) == "de"


@pytest.mark.parametrize("code", ["", "fr", "german", "x" * 1000, "../../de"])
def test_another_language_is_refused(code: str) -> None:
    with pytest.raises(ConfigurationError, match=r"choose English \(en\) or German \(de\)") as info:
        check_language(code)
    assert len(str(info.value)) < 200


CODE = "".join(
    re.sub(r'"\s*\n\s*f?"', "", path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")
)


@pytest.mark.parametrize("sentence", web.SENTENCES)
def test_a_sentence_of_the_page_is_said_somewhere(sentence: str) -> None:
    longest = max(PLACEHOLDER.split(sentence), key=len)
    assert longest.replace("sheets: ", "").replace("sheet: ", "")[-14:] in CODE


@given(st.sampled_from(web.SENTENCES), st.integers(0, 10**6))
def test_a_sentence_of_the_page_is_found_behind_a_place(sentence: str, value: int) -> None:
    said = re.sub(r"\{\w+\}", str(value), sentence)
    german = web.PageTranslator.of(language_of("de", "asyncsdk.web"))
    assert german(said) != said
    assert german(f"a.csv, line 7: {said}") == f"a.csv, Zeile 7: {german(said)}"
