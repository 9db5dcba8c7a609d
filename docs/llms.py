"""`llms.txt` and `llms-full.txt`: the documentation for programs that read text."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import griffe
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["navigation", "write_llms"]

_DIRECTIVE = re.compile(r"^::: ([\w.]+)\n(?:[ \t]+.*\n)*", re.MULTILINE)


def write_llms(config: Path, site: Path) -> None:
    """Write both files into a site.

    Args:
        config: Its configuration; the pages are beside it.
        site: The site.
    """
    settings = _settings(config)
    pages = config.parent / "pages"
    index = [f"# {settings['site_name']}", "", f"> {settings['site_description']}"]
    full = list(index)
    section = None
    for of, title, name in navigation(config):
        text = (pages / name).read_text(encoding="utf-8")
        if of != section:
            index += ["", f"## {of}", ""]
            section = of
        index.append(f"- [{title}]({name.removesuffix('.md')}.html): {_first_sentence(text)}")
        full += ["", _with_docstrings(text)]
    (site / "llms.txt").write_text("\n".join(index) + "\n", encoding="utf-8")
    (site / "llms-full.txt").write_text("\n".join(full) + "\n", encoding="utf-8")


def navigation(config: Path) -> Iterator[tuple[str, str, str]]:
    """Section, title and file of each page, in order."""
    for entry in _settings(config)["nav"]:
        for section, inside in entry.items():
            if isinstance(inside, str):
                yield "Start", section, inside
            else:
                for page in inside:
                    for title, name in page.items():
                        yield section, title, name


def _settings(config: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(config.read_text(encoding="utf-8"))
    return found


def _first_sentence(text: str) -> str:
    """What a page gives its reader: the first sentence below its heading."""
    paragraph = re.search(r"^# .*\n+((?:.+\n)+)", text, re.MULTILINE)
    assert paragraph is not None, "each page begins with a heading and a sentence"
    joined = " ".join(paragraph[1].split())
    plain = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", joined)
    return re.split(r"(?<=\.)\s", plain)[0]


def _with_docstrings(text: str) -> str:
    return _DIRECTIVE.sub(lambda found: _documented(found[1]), text)


@cache
def _package() -> griffe.Module:
    """The package as it is written; nothing of it is imported."""
    package = griffe.load(
        "asyncsdk", search_paths=[Path(__file__).parents[1]], resolve_aliases=True
    )
    assert isinstance(package, griffe.Module)
    return package


def _documented(path: str) -> str:
    """The signature and the docstring of what a directive names, and of its methods."""
    found = _package()[path.removeprefix("asyncsdk.")]
    lines = [f"## `{found.name}`", "", *_described(found)]
    if found.is_class:
        public = [each for each in found.members.values() if each.is_public and each.docstring]
        lines += ["", *(_field(each) for each in public if each.is_attribute)]
        for method in (each for each in public if each.is_function):
            lines += ["", f"### `{found.name}.{method.name}`", "", *_described(method)]
    return "\n".join(lines) + "\n"


def _field(found: griffe.Object | griffe.Alias) -> str:
    assert found.docstring is not None  # it is looked at for that
    return f"- `{found.name}`: {' '.join(found.docstring.value.split())}"


def _described(found: griffe.Object | griffe.Alias) -> list[str]:
    target = found.final_target if isinstance(found, griffe.Alias) else found
    text = target.docstring.value if target.docstring else ""
    if not isinstance(target, griffe.Function | griffe.Class):
        return [text]
    return ["```python", str(target.signature()), "```", "", text]
