"""Parts that only some tests need: `make test` installs them, and without them these fail."""

from __future__ import annotations

import os
import shutil
import sys
from importlib import import_module
from typing import Any, NoReturn

import pytest

__all__ = ["ZSTD", "command", "module"]

ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
"""The module for `.zst`."""


def module(name: str) -> Any:
    """An installed module."""
    try:
        return import_module(name)
    except ImportError as error:
        _lacking(str(error))


def command(name: str) -> str:
    """The path of an installed command."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    return found or _lacking(f"there is no command {name}")


def _lacking(reason: str) -> NoReturn:
    pytest.fail(f"{reason}: `make test` installs it")
