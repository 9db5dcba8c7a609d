"""How much a test does: a share of it by default, everything in `make test-slow`."""

from __future__ import annotations

import os

__all__ = ["effort"]

_LEVEL = os.environ.get("ASYNCSDK_TESTS", "usual")


def effort(usual: int, whole: int) -> int:
    """How often a test is to do something: usually, or in full.

    The mutants, of which each meets many tests, are content with few.
    """
    return {"whole": whole, "few": max(1, usual // 10)}.get(_LEVEL, usual)
