"""A report as one HTML page that needs nothing else, by jinja2 and Babel (the extra `html`).

Whatever comes from a list or a reply is escaped by the templates. The page's own policy allows
nothing but its own style and script, and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from asyncsdk.export.languages import language_of
from asyncsdk.export.page import NAMES, About, Page, command
from asyncsdk.files import replacing

if TYPE_CHECKING:
    from os import PathLike

    from asyncsdk.ledger.account import UploadAccount

__all__ = ["About", "check_language", "notebook", "write_html"]


def write_html(
    path: str | PathLike[str],
    report: UploadAccount,
    about: About | None = None,
    *,
    lang: str = "en",
) -> None:
    """Write the page.

    Args:
        path: The file; an existing one is replaced once the new one is whole.
        report: What it shows.
        about: What else is known.
        lang: Its language: `en` or `de`.

    Raises:
        ImportError: jinja2 or Babel is not installed.
        ConfigurationError: There is no such language.
    """
    about = about or About()
    language = language_of(lang)
    templates = _templates(language.code)
    css, js = (_file(templates, name) for name in ("report.css", "report.js"))
    page = templates.get_template("report.html.j2").render(
        page=Page.of(report, about, language),
        about=about,
        group=report.group_id,
        css=_trusted(css),
        js=_trusted(js),
        policy=f"default-src 'none'; style-src {_hash(css)}; script-src {_hash(js)}",
    )
    with replacing(path) as file:
        file.write(page)


def check_language(code: str) -> None:
    """Find out before there is a page that there can be one in this language.

    Raises:
        ImportError: jinja2 or Babel is not installed.
        ConfigurationError: There is no such language.
    """
    _templates(language_of(code).code)


def notebook(report: UploadAccount) -> str | None:
    """A report as a notebook shows it; None where jinja2 or Babel is not installed."""
    try:
        language = language_of("en")
        templates = _templates(language.code)
    except ImportError:
        return None
    shown = Page.of(report, About(), language)
    page: str = templates.get_template("notebook.html.j2").render(page=shown)
    return page


@cache
def _templates(code: str) -> Any:
    try:
        import jinja2
    except ImportError as error:
        msg = "an HTML report needs jinja2: pip install 'asyncsdk[html]'"
        raise ImportError(msg) from error
    language = language_of(code)
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("asyncsdk.export", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.install_gettext_translations(language.catalogue, newstyle=True)  # type: ignore[attr-defined]
    templates.globals |= {
        "language": language,
        "names": {kind: language.gettext(name) for kind, name in NAMES.items()},
        "command": command,
        "repr": repr,
    }
    return templates


def _file(templates: Any, name: str) -> str:
    text: str = templates.loader.get_source(templates, name)[0]
    return text


def _trusted(text: str) -> Any:
    """Our own file, which is no data to be escaped."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - it comes from this package


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
