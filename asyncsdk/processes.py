"""How a process of our own is started beside this one: with which interpreter, and without what."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

__all__ = ["away_from_the_terminal", "environment", "python"]

_SECRETS = ("ASYNCSDK_API_KEY",)


def python() -> str | None:
    """The interpreter, as multiprocessing knows it; a frozen program is none."""
    from multiprocessing.spawn import get_executable

    named = get_executable()
    found = os.fsdecode(named) if named else None
    frozen_program = getattr(sys, "frozen", False) and found == sys.executable
    return None if frozen_program else found


def environment() -> dict[str, str]:
    """The environment for one that is to know no secret."""
    return {key: value for key, value in os.environ.items() if key not in _SECRETS}


def away_from_the_terminal() -> dict[str, Any]:
    """Arguments for starting one: Ctrl-C is for us, and we tell the child.

    They are such as every event loop knows, uvloop's among them.
    """
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags}
    return {"start_new_session": True}
