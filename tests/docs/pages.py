"""The pages of the documentation as a test sees them: pieces of code, in the order of the page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PAGES", "ROOT", "Piece", "pieces"]

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/pages/**/*.md")))
"""Every page that is written, the README among them."""

_HIDDEN = Path(__file__).with_name("hidden")
_COMMENT = re.compile(r"<!-- (\w+)(?:[: ]|$)\s*(.*?)\s*-->", re.DOTALL)


@frozen
class Piece:
    """A piece of code, or what its page says about the next one."""

    kind: str
    """The language; or, of a comment, its first word: `hidden`, `exit`, `serve`, `needs`."""
    text: str
    line: int
    title: str = ""
    """The file that it is."""
    comment: bool = False


def pieces(page: str) -> Iterator[Piece]:
    """What is to be run of a page, in its order; nested ones, as in a list, too."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for token in MarkdownIt().parse(text):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "fence" and token.info:  # without a language it is a drawing
            language, *rest = shlex.split(token.info)
            titles = [word.partition("=")[2] for word in rest if word.startswith("title=")]
            yield Piece(language, token.content, line, "".join(titles))
        elif token.type == "html_block":
            for kind, body in _COMMENT.findall(token.content):
                aside = _HIDDEN / body  # hidden: list.py
                code = aside.read_text(encoding="utf-8") if body.endswith(".py") else body
                yield Piece(kind, code, line, comment=True)
