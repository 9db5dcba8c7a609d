"""Character sets, as others name them."""

from __future__ import annotations

import re
from encodings.aliases import aliases

__all__ = ["charset_of"]

_KNOWN = aliases | {name: name for name in aliases.values()}
"""What Python calls them. It has others, in which nobody's texts are and whose decoding may take
hours (`punycode`), and remembers each name that it has looked for."""


def charset_of(name: str) -> str | None:
    """The name by which Python knows this character set; None if that is none of texts."""
    known = _KNOWN.get(re.sub(r"[\W_]+", "_", name.strip().lower()))
    if known is None:
        return None
    try:
        "".encode(known)
    except LookupError:  # it is none of texts, or of another system
        return None
    return known
