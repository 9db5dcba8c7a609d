"""The languages that a page is written in: texts of gettext catalogues, numbers and dates by Babel.

English texts are the keys of the catalogues. A placeholder in one stands in braces: `{count}`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from asyncsdk.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import datetime
    from gettext import GNUTranslations

__all__ = ["DOMAIN", "LANGUAGES", "N_", "Language", "check_language", "language_of"]

LANGUAGES = {"en": "English", "de": "German"}
DOMAIN = "page"
"""What the catalogues are called."""
_FEW = 10
"""Below this, decimals say something."""


def N_(text: str) -> str:  # noqa: N802 - what gettext's tools look for
    """A text that is translated where it is shown."""
    return text


@frozen
class Language:
    """How a page says what it says."""

    code: str
    """`en` or `de`."""
    catalogue: GNUTranslations = field(repr=False)

    def gettext(self, text: str, **values: object) -> str:
        """A text of ours, with these values in it."""
        found = self.catalogue.gettext(text)
        return found.format(**values) if values else found

    def ngettext(self, one: str, many: str, count: int, **values: object) -> str:
        """The same of so many things; `{count}` in the text is their number."""
        found = self.catalogue.ngettext(one, many, count)
        return found.format(count=self.number(count), **values)

    def number(self, value: float, decimals: int = 0) -> str:
        """`1,234.5`, or as the language has it."""
        from babel.numbers import format_decimal

        form = "#,##0" + ("." + "0" * decimals if decimals else "")
        return format_decimal(value, form, locale=self.code)

    def share(self, part: float, whole: float) -> str:
        """`12.3%` of the whole; nothing where there is none."""
        from babel.numbers import format_percent

        if not whole:
            return ""
        share = part / whole
        if 0 < share < _LEAST:
            return self.gettext("below {share}", share=self.share(_LEAST, 1))
        pattern = "#,##0.0%" if self.code == "en" else "#,##0.0\N{NO-BREAK SPACE}%"
        return format_percent(share, pattern, locale=self.code)

    def seconds(self, value: float) -> str:
        """`1.2 s`, or `120 ms` below a second."""
        if value >= 1:
            return f"{self.number(value, int(value < _FEW))} s"
        return f"{self.number(value * 1000, int(value * 1000 < _FEW))} ms"

    def moment(self, when: datetime) -> str:
        """A date and its time, to the minute."""
        from babel.dates import format_date, format_time

        date = format_date(when, "long", locale=self.code)
        return f"{date}, {format_time(when, 'short', locale=self.code)}"


_LEAST = 0.001
"""A share below this is said to be below it."""


def check_language(code: str) -> str:
    """The code of a language that a page can be written in.

    Args:
        code: `de`, `de_AT`, `de-DE.UTF-8`: what follows the language is left out.

    Raises:
        ConfigurationError: It is none of these languages.
    """
    plain = code.replace("-", "_").partition("_")[0].partition(".")[0].strip().lower()
    if plain not in LANGUAGES:
        ways = " or ".join(f"{name} ({code})" for code, name in LANGUAGES.items())
        msg = f"there is no page in the language {code[:_SHOWN]!r}: choose {ways}"
        raise ConfigurationError(msg)
    return plain


_SHOWN = 20


def language_of(code: str, package: str = "asyncsdk.export") -> Language:
    """The language with this code, as `check_language` takes it.

    Args:
        code: The code.
        package: Where the catalogue with the texts is; what it does not have is looked for in the
            one of reports.

    Raises:
        ConfigurationError: There is none.
        ImportError: Babel is not installed.
    """
    return _language(check_language(code), package)


@cache
def _language(code: str, package: str) -> Language:
    _installed()
    catalogue = _catalogue(code, package)
    if package != __package__:
        catalogue.add_fallback(_catalogue(code, __package__))
    return Language(code, catalogue)


def _catalogue(code: str, package: str) -> GNUTranslations:
    import gettext
    from importlib.resources import files

    folder = files(package) / "locale" / code / "LC_MESSAGES"
    with (folder / f"{DOMAIN}.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def _installed() -> Any:
    try:
        import babel
    except ImportError as error:
        msg = "an HTML report needs babel: pip install 'asyncsdk[html]'"
        raise ImportError(msg) from error
    return babel
