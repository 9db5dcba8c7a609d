"""The catalogues of the page, brought up to date and compiled by `make catalogues`.

Texts come from the templates and from the modules beside them. English ones are their own
translation; a text that is new has none in the other languages, and a test says so until it has.
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import asyncsdk.export
from asyncsdk.export.languages import DOMAIN, LANGUAGES

__all__ = ["compiled", "extracted", "mo_path", "po_path", "read", "updated"]

FOLDER = Path(asyncsdk.export.__file__).parent
_METHODS = [("**.py", "python"), ("**.j2", "jinja2.ext:babel_extract")]
_IDLE = (b'"Project-Id', b'"Report-', b'"POT-', b'"PO-', b'"Last-', b'"Generated', b'"Language-T')
"""What a header says besides, and nobody needs."""
_ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)
"""The date in a compiled one, which is to be the same whenever it is compiled."""
_OPTIONS = {"**.j2": {"trim_blocks": "true", "silent": "false"}}


def extracted() -> Catalog:
    """All texts that a page may say."""
    catalogue = Catalog(domain=DOMAIN, fuzzy=False)
    found = extract_from_dir(FOLDER, _METHODS, _OPTIONS)
    for file, _, message, _, _ in sorted(found, key=lambda one: (one[0], one[1])):
        catalogue.add(message, locations=[(Path(file).as_posix(), 0)])
    return catalogue


def po_path(code: str) -> Path:
    return FOLDER / "locale" / code / "LC_MESSAGES" / f"{DOMAIN}.po"


def mo_path(code: str) -> Path:
    return po_path(code).with_suffix(".mo")


def read(code: str) -> Catalog:
    """A catalogue as it stands."""
    with po_path(code).open("rb") as file:
        return read_po(file, locale=code, domain=DOMAIN)


def updated(code: str) -> Catalog:
    """A catalogue with all the texts there are, and no others."""
    catalogue = Catalog(locale=code, domain=DOMAIN, fuzzy=False, header_comment="#")
    before = read(code) if po_path(code).exists() else Catalog(locale=code)
    for message in extracted():
        if message.id:
            old = before.get(message.id)
            text = message.id if code == "en" else (old.string if old else "")
            catalogue.add(message.id, text, locations=message.locations)
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """A catalogue as its source."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=100, include_lineno=False)
    lines = buffer.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(_IDLE)).lstrip(b"#\n")


def compiled(catalogue: Catalog) -> bytes:
    """A catalogue in the form that is read at run time."""
    catalogue.creation_date = catalogue.revision_date = _ALWAYS
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def main() -> None:
    for code in LANGUAGES:
        catalogue = updated(code)
        po_path(code).write_bytes(written(catalogue))
        mo_path(code).write_bytes(compiled(read(code)))
        missing = sum(not message.string for message in catalogue if message.id)
        sys.stdout.write(f"{code}: {len(catalogue)} texts, {missing} of them without translation\n")


if __name__ == "__main__":
    main()
