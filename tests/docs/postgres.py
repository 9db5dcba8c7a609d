"""A real PostgreSQL of one page, on a socket in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["postgres"]

_OPTIONS = "-c listen_addresses='' -c fsync=off -c shared_buffers=8MB"


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a database without a table."""
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    if os.getuid() == 0:  # it refuses to be root
        shutil.chown(home, "nobody")
    data = home / "data"
    try:
        _run("initdb", "-D", str(data), "-U", "ann", "-A", "trust", "--no-sync")
        options = f"{_OPTIONS} -k {home}"
        _run("pg_ctl", "-D", str(data), "-o", options, "-l", str(home / "log"), "-w", "start")
        try:
            yield f"postgresql://ann@/postgres?host={home}"
        finally:
            _run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home)


def _run(name: str, *arguments: str) -> None:
    program = _programs() / name
    somebody: dict[str, Any] = {"user": "nobody"} if os.getuid() == 0 else {}
    subprocess.run(
        [program, *arguments],
        cwd="/",
        check=True,
        env=os.environ | {"LD_LIBRARY_PATH": _libraries(), "LC_ALL": "C"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **somebody,
    )


def _programs() -> Path:
    """Debian keeps them out of PATH; `.ci/parts` may have unpacked them."""
    for root in (Path("/"), ROOT / ".parts"):
        if found := sorted(root.glob("usr/lib/postgresql/*/bin")):
            return found[-1]
    pytest.fail("there is no PostgreSQL: `make test` installs it")


def _libraries() -> str:
    unpacked = (ROOT / ".parts" / "usr" / "lib").glob("*-linux-*")
    return os.pathsep.join([*map(str, unpacked), os.environ.get("LD_LIBRARY_PATH", "")])
