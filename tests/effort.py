"""How much a test does: a share of it by default, everything in `make test-slow`."""

from __future__ import annotations

import os
from typing import TypeVar

__all__ = ["effort"]

T = TypeVar("T")

_WHOLE = os.environ.get("ASYNCSDK_TESTS") == "whole"


def effort(usual: T, whole: T) -> T:
    """What a test is to do, usually and in `make test-slow`."""
    return whole if _WHOLE else usual
