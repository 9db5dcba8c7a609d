"""The command line, in the extra `cli`; `main` is the entry point."""

from __future__ import annotations

import sys

__all__ = ["main"]

_NEEDED = frozenset({"click", "rich", "typer"})
_USAGE = 2


def main() -> None:
    """Run the command line; without its extra, say how to install it."""
    try:
        from asyncsdk.cli.app import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        sys.stderr.write("The command line needs its extra: pip install 'asyncsdk[cli]'\n")
        sys.exit(_USAGE)
    app(prog_name="asyncsdk")
