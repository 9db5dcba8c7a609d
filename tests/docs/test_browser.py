"""The built site in a real browser, opened from the disk: nothing of it needs a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import browsing
from tests.effort import effort
from tests.parts import module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.browser import Browser

SCREENS = ((390, False), (1280, True), (390, True), (1280, False))
"""Widths in pixels, and whether it is dark."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def nothing_is_wrong(browser: Browser, site: Path) -> None:
    """It complained of nothing, and asked nobody for anything."""
    assert not browser.console
    home = site.as_uri()
    assert not [url for url in browser.requests if not url.startswith((home, "data:", "blob:"))]


def forget_the_theme(browser: Browser, site: Path) -> None:
    """The first one that was shown is kept; where no script runs, none keeps it again."""
    browser.open(site / "llms.txt")
    browser.ask("localStorage.clear()")


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_fit_on_a_telephone_and_a_screen_in_both_themes(
    browser: Browser, site: Path, screen: tuple[int, bool]
) -> None:
    pages = [path for path in sorted(site.rglob("*.html")) if path.name != "404.html"]
    width, dark = screen
    forget_the_theme(browser, site)
    for path in pages[SCREENS.index(screen) :: effort(len(SCREENS), 1)]:
        browser.open(path, width=width, dark=dark)
        assert browser.ask("document.documentElement.scrollWidth") <= width, path
        scheme = browser.ask("document.body.dataset.mdColorScheme")
        assert scheme == ("slate" if dark else "default")
        nothing_is_wrong(browser, site)


_FOUND = """
function links(root, found) {
    for (const link of root.querySelectorAll("a[href]")) found.push(link.href);
    for (const element of root.querySelectorAll("*"))
        if (element.shadowRoot) links(element.shadowRoot, found);
    return found;
}
return links(document, []).filter(link => link.includes("?h="));
"""
"""Where the results of a search lead to; they are in a tree of their own."""


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("a nightly table", "how-to/database.html"),
        ("FencedError", "reference/errors.html"),
        ("max_batch_bytes", "reference/client.html"),
    ],
)
def test_search_finds_a_page(browser: Browser, site: Path, words: str, page: str) -> None:
    browser.open(site / "index.html")
    browser.find(".md-search__button").click()
    actions = module("selenium.webdriver.common.action_chains").ActionChains(browser.driver)
    actions.send_keys(words).perform()
    wanted = (site / page).as_uri()
    wait = module("selenium.webdriver.support.ui").WebDriverWait(browser.driver, 30)
    wait.until(lambda driver: any(u.startswith(wanted) for u in driver.execute_script(_FOUND)))
    nothing_is_wrong(browser, site)


def test_the_theme_is_the_readers_to_choose(browser: Browser, site: Path) -> None:
    forget_the_theme(browser, site)
    browser.open(site / "index.html")
    assert browser.ask("document.body.dataset.mdColorScheme") == "default"
    browser.find("label[for=__palette_1]").click()
    assert browser.ask("document.body.dataset.mdColorScheme") == "slate"
    browser.open(site / "how-to" / "lists.html")
    assert browser.ask("document.body.dataset.mdColorScheme") == "slate"
