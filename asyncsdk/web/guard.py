"""What keeps other sites out: a page elsewhere cannot have this browser post here, nor show this.

A browser says of each request where it comes from (`Sec-Fetch-Site`, and `Origin` in older ones):
that needs no token. Who sends neither is no browser, and has no cookie of somebody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from asyncsdk.web.errors import CrossSiteError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HEADERS", "check_site"]

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of each answer: no inline script, nothing from elsewhere, in no frame, kept by no cache."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = frozenset({"same-origin", "none"})
_REFUSED = "this was asked for by a page of another site: open the upload page itself"


def check_site(method: str, headers: Mapping[str, str]) -> None:
    """Do nothing if a request may change something.

    Args:
        method: Its method.
        headers: Its headers, by lower-case names.

    Raises:
        CrossSiteError: A page of another site made it.
    """
    if method in _SAFE:
        return
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site not in _OWN:
            raise CrossSiteError(_REFUSED)
        return
    origin = headers.get("origin")
    if origin is not None and _host_of(origin) != headers.get("host"):
        raise CrossSiteError(_REFUSED)


def _host_of(origin: str) -> str:
    """The host of an origin; nothing of what is none, which is no host's."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
