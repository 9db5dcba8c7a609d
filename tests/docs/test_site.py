"""The built site: no link leads nowhere, nothing is left over, and each public name has a place."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from html.parser import HTMLParser
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

from docs.llms import navigation
from docs.site import GENERATED, HOME
from tests.docs.pages import PAGES, ROOT

if TYPE_CHECKING:
    from pathlib import Path

URLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
SITE = URLS["Documentation"]
_RAW = URLS["Source"].replace("github.com", "raw.githubusercontent.com")
_REPOSITORY = rf"^(?:{re.escape(URLS['Source'])}|{re.escape(_RAW)})/?"
PUBLIC = (
    "asyncsdk",
    "asyncsdk.errors",
    "asyncsdk.fleet",
    "asyncsdk.integrations.dask",
    "asyncsdk.integrations.redis",
    "asyncsdk.sandbox",
    "asyncsdk.sources",
    "asyncsdk.telemetry",
    "asyncsdk.testing",
    "asyncsdk.web",
)
"""Modules of which each public name has a place in the reference."""
INSIDE = {"__version__", "api_error", "described", "reason_of"}
"""Names that nobody looks up."""


class Page(HTMLParser):
    """What a page links to and loads, and where it can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.anchors: set[str] = set()
        self.text = ""
        self._silent = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _QUOTED
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name == "href" and tag == "a" and value:
                self.links.add(value)
            elif name in {"src", "href"} and tag != "a" and value:
                self.loaded.add(value)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in _QUOTED

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += data


_QUOTED = frozenset({"code", "pre", "script", "style"})


@cache
def page(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def built(site: Path) -> list[Path]:
    return [path for path in sorted(site.rglob("*.html")) if path.name != "404.html"]


def test_each_page_has_its_place(site: Path) -> None:
    names = [name for _, _, name in navigation(HOME / "mkdocs.yml")]
    written = {name.removeprefix("docs/pages/") for name in PAGES if name != "README.md"}
    assert sorted(names) == sorted(written | GENERATED.keys())
    assert len(built(site)) == len(names)


def test_no_link_leads_nowhere(site: Path) -> None:
    dead = [
        (str(path.relative_to(site)), link)
        for path in built(site)
        for link in page(path).links
        if not leads_somewhere(site, path, link)
    ]
    assert not dead


def leads_somewhere(site: Path, path: Path, link: str) -> bool:
    """Whether there is what a page links to: another page, a place in it, a file."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return is_known(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    target = target / "index.html" if target.is_dir() else target
    if not target.is_relative_to(site.resolve()) or not target.exists():
        return False
    return not parts.fragment or unquote(parts.fragment) in page(target).anchors


def is_known(link: str) -> bool:
    """Whether a link to elsewhere leads to a file of the repository, or to who made the builder."""
    path = re.sub(r"^(?:blob|tree)/main/|^main/", "", re.sub(_REPOSITORY, "", link))
    if path != link:
        return (ROOT / path.partition("#")[0]).exists()
    return link == "https://zensical.org"


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for path in built(site):
        foreign = [url for url in page(path).loaded if urlsplit(url).netloc]
        assert not foreign, path
        for url in page(path).loaded:
            assert (path.parent / unquote(urlsplit(url).path)).exists(), (path, url)


def test_no_markup_is_left_over(site: Path) -> None:
    for path in built(site):
        text = page(path).text
        assert not re.search(r"\]\[|\]\(|:::|^```|\*\*|<!--|\{#", text, re.MULTILINE), path
        assert "<!-- hidden:" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("module", PUBLIC)
def test_each_public_name_has_a_place(site: Path, module: str) -> None:
    anchors = {anchor for path in built(site) for anchor in page(path).anchors}
    names = import_module(module).__all__
    missing = [name for name in names if not has_a_place(module, name, anchors)]
    assert not set(missing) - INSIDE


def has_a_place(module: str, name: str, anchors: set[str]) -> bool:
    """Whether it, or the same under another module's name, is in the reference."""
    value = getattr(import_module(module), name)
    twins = [anchor for anchor in anchors if anchor.endswith(f".{name}")]
    return any(value_of(anchor) is value for anchor in twins)


def value_of(anchor: str) -> object:
    """What an anchor of the reference is about."""
    module, _, name = anchor.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):  # a member of a class
        return anchor


def test_programs_get_the_pages_as_text(site: Path) -> None:
    index = (site / "llms.txt").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", index)
    assert len(links) == len(built(site))
    assert all((site / link).exists() for link in links)
    whole = (site / "llms-full.txt").read_text(encoding="utf-8")
    assert "::: " not in whole
    assert "<!--" not in whole
    assert "max_batch_bytes: Bytes per request body at most" in whole


README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", README))))
def test_the_readme_links_to_what_there_is(site: Path, link: str) -> None:
    assert link.startswith("https://"), "its links must hold on a package index, too"
    if link.startswith(SITE):
        assert leads_somewhere(site, site / "index.html", link.removeprefix(SITE))
    else:
        assert is_known(link)
