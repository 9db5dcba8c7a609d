"""Parts that only some tests need: without them these skip, and fail in CI."""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from typing import Any

import pytest

__all__ = ["command", "module"]


def module(name: str) -> Any:
    """An installed module."""
    try:
        return import_module(name)
    except ImportError as error:
        _lacking(str(error))


def command(name: str) -> str:
    """The path of an installed command."""
    found = shutil.which(name)
    return found or _lacking(f"there is no command {name}")


def _lacking(reason: str) -> Any:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
