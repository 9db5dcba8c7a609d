"""`python -m docs [FOLDER]`: build the site."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.site import HOME, build

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HOME.parent / "site"
    build(folder)
    print(f"The site is in {folder}: open {folder / 'index.html'}")
