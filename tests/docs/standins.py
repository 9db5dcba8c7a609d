"""Commands that a page names and a test must not run: what is asked of them is checked instead."""

from __future__ import annotations

import stat
import sys
import tomllib
from typing import TYPE_CHECKING

from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_standins"]

_INSTALLERS = ("pip", "pipx", "uv", "uvx")


def write_standins(folder: Path) -> str:
    """The folder that is to come first in PATH.

    Installers accept the extras that there are; `make` says what it would do, which fails for a
    target that is none.
    """
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name in _INSTALLERS:
        _write(bin_folder / name, f"#!{sys.executable}\n{_INSTALLER.format(extras=_extras())}")
    _write(bin_folder / "make", f'#!/bin/sh\nexec /usr/bin/make -C {ROOT} -n "$@" >/dev/null\n')
    return str(bin_folder)


_INSTALLER = """\
import re, sys
extras = {extras!r}
found = [re.fullmatch(r"asyncsdk(?:\\[([a-z,]+)\\])?", word) for word in sys.argv[1:]]
named = [match for match in found if match]
wrong = [e for match in named for e in (match[1] or "").split(",") if e and e not in extras]
sys.exit(f"no such extra: {{wrong}}" if wrong else 0)
"""


def _extras() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return sorted(project["optional-dependencies"])


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
