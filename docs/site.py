"""Written and generated pages become a site, without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from docs.command_line import command_line
from docs.llms import write_llms

__all__ = ["GENERATED", "HOME", "build", "prepare"]

HOME = Path(__file__).parent
GENERATED = {"reference/command-line.md": command_line}
"""Pages that are made of the code."""

_COMMENTS = re.compile(r"<!--.*?-->\n*", re.DOTALL)
"""What pages say to the tests that run their pieces."""


def prepare(folder: Path) -> Path:
    """Put all pages and the configuration into a folder; the path of the configuration."""
    pages = folder / "pages"
    shutil.copytree(HOME / "pages", pages)
    for page in pages.rglob("*.md"):
        page.write_text(_COMMENTS.sub("", page.read_text(encoding="utf-8")), encoding="utf-8")
    for name, made in GENERATED.items():
        (pages / name).write_text(made(), encoding="utf-8")
    return Path(shutil.copy(HOME / "mkdocs.yml", folder))


def build(site: Path) -> str:
    """Build the site into a folder, in place of what is there; what the builder said.

    Raises:
        SystemExit: A page is wrong; what is wrong was printed.
    """
    with TemporaryDirectory() as name:
        config = prepare(Path(name))
        said = _zensical(config)
        built = config.parent / "site"
        write_llms(config, built)
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(built, site)
    return said


def _zensical(config: Path) -> str:
    """Run the builder. Signatures are broken into lines by ruff, which it looks for in PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "-f", config.name],
        cwd=config.parent,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(HOME.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"The pages cannot be built:\n{done.stdout}")
    return done.stdout
