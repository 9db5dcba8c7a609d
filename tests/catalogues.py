"""The catalogues of reports and of pages, brought up to date and compiled by `make catalogues`.

Texts come from the templates and from the modules beside them. English ones are their own
translation; a text that is new has none in the other languages, and a test says so until it has.
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import asyncsdk
from asyncsdk.export.languages import DOMAIN, LANGUAGES

__all__ = ["PACKAGES", "compiled", "extracted", "mo_path", "po_path", "read", "updated", "written"]

PACKAGE = Path(asyncsdk.__file__).parent
PACKAGES = ("export", "web")
"""Those that have texts; a later one does not repeat those of an earlier one."""
_METHODS = [("**.py", "python"), ("**.j2", "jinja2.ext:babel_extract")]
_IDLE = (b'"Project-Id', b'"Report-', b'"POT-', b'"PO-', b'"Last-', b'"Generated', b'"Language-T')
"""What a header says besides, and nobody needs."""
_ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)
"""The date in a compiled one, which is to be the same whenever it is compiled."""
_OPTIONS = {"**.j2": {"trim_blocks": "true", "silent": "false"}}


def extracted(package: str) -> Catalog:
    """All texts that a package may say, and none before it."""
    catalogue = Catalog(domain=DOMAIN, fuzzy=False)
    found = extract_from_dir(PACKAGE / package, _METHODS, _OPTIONS)
    for file, _, message, _, _ in sorted(found, key=lambda one: (one[0], one[1])):
        catalogue.add(message, locations=[(Path(file).as_posix(), 0)])
    for earlier in PACKAGES[: PACKAGES.index(package)]:
        for known in extracted(earlier):
            if known.id:
                catalogue.delete(known.id)
    return catalogue


def po_path(package: str, code: str) -> Path:
    return PACKAGE / package / "locale" / code / "LC_MESSAGES" / f"{DOMAIN}.po"


def mo_path(package: str, code: str) -> Path:
    return po_path(package, code).with_suffix(".mo")


def read(package: str, code: str) -> Catalog:
    """A catalogue as it stands."""
    with po_path(package, code).open("rb") as file:
        return read_po(file, locale=code, domain=DOMAIN)


def updated(package: str, code: str) -> Catalog:
    """A catalogue with all the texts there are, and no others."""
    catalogue = Catalog(locale=code, domain=DOMAIN, fuzzy=False, header_comment="#")
    exists = po_path(package, code).exists()
    before = read(package, code) if exists else Catalog(locale=code)
    for message in extracted(package):
        if message.id:
            old = before.get(message.id)
            empty = ("", "") if isinstance(message.id, (list, tuple)) else ""
            text = message.id if code == "en" else (old.string if old else empty)
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
    for package, code in product(PACKAGES, LANGUAGES):
        catalogue = updated(package, code)
        po_path(package, code).parent.mkdir(parents=True, exist_ok=True)
        po_path(package, code).write_bytes(written(catalogue))
        mo_path(package, code).write_bytes(compiled(read(package, code)))
        missing = sum(not any(message.string or "") for message in catalogue if message.id)
        name = f"asyncsdk.{package}, {code}"
        sys.stdout.write(f"{name}: {len(catalogue)} texts, {missing} without translation\n")


if __name__ == "__main__":
    main()
