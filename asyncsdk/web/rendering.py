"""Pages in the language of whoever looks at them, by jinja2 and Babel.

Whatever comes from a list, a browser or the provider is escaped by the templates. Addresses are
relative to the page, so that an application may serve it under any path.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jinja2
from babel.core import negotiate_locale
from fastapi.responses import HTMLResponse

from asyncsdk.export.languages import LANGUAGES, language_of
from asyncsdk.export.page import NAMES
from asyncsdk.web import showing
from asyncsdk.web.sentences import PageTranslator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request

    from asyncsdk.export.languages import Language

__all__ = ["ASSETS", "COOKIE", "asset", "language_for", "query_without_lang", "render"]

COOKIE = "asyncsdk-lang"
"""Has the language that was chosen on the page."""
ASSETS = {"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
"""The files that pages need, and their media types."""
_PACKAGE, _REPORTS = "asyncsdk.web", "asyncsdk.export"
_PREFERRED = 10
"""Languages of a browser that are looked at."""


def language_for(request: Request) -> Language:
    """The language that was chosen, or the first that the browser asks for and we have."""
    chosen = request.cookies.get(COOKIE, "")
    if chosen not in LANGUAGES:
        asked = request.headers.get("accept-language", "").split(",")[:_PREFERRED]
        wanted = [each.partition(";")[0].strip().replace("-", "_") for each in asked]
        chosen = negotiate_locale([each for each in wanted if each], list(LANGUAGES)) or "en"
    return language_of(chosen, _PACKAGE)


def query_without_lang(request: Request) -> str:
    """What the address of a page asks for besides a language."""
    rest = [each for each in request.query_params.multi_items() if each[0] != "lang"]
    return urlencode(rest)


def render(
    request: Request, template: str, values: Mapping[str, Any], *, depth: int, status: int = 200
) -> HTMLResponse:
    """A page.

    Args:
        request: Who asks for it.
        template: Its template.
        values: What it shows.
        depth: How many folders it is below the first page.
        status: Of the answer.
    """
    language = language_for(request)
    found = _templates(language.code).get_template(template)
    # A page that answers a form has no address at which it could be had in another language.
    offered = LANGUAGES if request.method == "GET" else ()
    text = found.render(
        base="../" * depth, languages=offered, query=query_without_lang(request), **values
    )
    headers = {"Content-Language": language.code, "Vary": "Accept-Language, Cookie"}
    return HTMLResponse(text, status, headers)


@cache
def asset(name: str) -> bytes:
    """A file that pages need; the style begins as that of reports, so that they look alike."""
    own = (files(_PACKAGE) / "assets" / name).read_bytes()
    if not name.endswith(".css"):
        return own
    return (files(_REPORTS) / "templates" / "report.css").read_bytes() + own


@cache
def _templates(code: str) -> jinja2.Environment:
    language = language_of(code, _PACKAGE)
    templates = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(package, "templates") for package in (_PACKAGE, _REPORTS)]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.install_gettext_translations(language.catalogue, newstyle=True)  # type: ignore[attr-defined]
    templates.globals |= {
        "language": language,
        "said": PageTranslator.of(language),
        "names": {kind: language.gettext(name) for kind, name in NAMES.items()},
        "amount": showing.amount,
        "duration": showing.duration,
        "name_of_region": showing.name_of_region,
    }
    return templates
