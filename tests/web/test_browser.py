"""The way of a list in a real browser, at the page that `asyncsdk web` serves."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import xlsxwriter

from asyncsdk.testing import SandboxThread
from tests.browser import Browser, browsing
from tests.effort import effort
from tests.parts import module
from tests.rig import numbers
from tests.web.serving import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSY = Path(__file__).parents[2] / "examples" / "kontakte_de.csv"
SCREENS = ((390, True), (1280, False), (390, False), (1280, True))
"""Widths in pixels, and whether it is dark."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(sandbox: SandboxThread, tmp_path: Path) -> Iterator[str]:
    """The first address of a page that is served as for one person, with a group in the sandbox."""
    sandbox.add_group("spring")
    command = [sys.executable, "-m", "asyncsdk.cli", "web", "--no-browser", "--rate", "none"]
    environment = os.environ | {
        "ASYNCSDK_BASE_URL": sandbox.url,
        "ASYNCSDK_CLIENT_ID": sandbox.client_id,
        "ASYNCSDK_API_KEY": sandbox.api_key,
    }
    process = subprocess.Popen(
        [*command, "--folder", str(tmp_path / "page")],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        process.stdout.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The accessibility checker, a script."""
    return (files(module("axe_core_python")) / "axe.min.js").read_text("utf-8")


def look_at(browser: Browser, axe: str) -> None:
    """Nothing is wrong with the page that is open, on a telephone or a screen, in each theme."""
    for width, dark in SCREENS[: effort(2, len(SCREENS))]:
        browser.show(width=width, dark=dark)
        assert browser.ask("document.documentElement.scrollWidth") <= width
        script = f"{axe};axe.run().then(arguments[arguments.length - 1])"
        found = browser.driver.execute_async_script(script)["violations"]
        wrong = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        assert not wrong, (width, dark, browser.driver.current_url)
    browser.show(width=1280)


def upload(browser: Browser, page: str, list_file: Path, **options: Any) -> None:
    browser.open(page, **options)
    browser.find("#file").send_keys(str(list_file))
    browser.find("#group_id option:nth-child(2)").click()
    browser.press("#upload button.main")


def until_at_rest(browser: Browser) -> None:
    """Wait until nothing moves; the page comes to that by itself."""
    wait = module("selenium.webdriver.support.ui").WebDriverWait(browser.driver, 60)
    wait.until(lambda driver: not driver.find_elements("css selector", "#live"))


def test_the_whole_way(browser: Browser, page: str, axe: str, sandbox: SandboxThread) -> None:
    upload(browser, page, MESSY)
    look_at(browser, axe)
    assert "as found: Mobil" in browser.find("#phone").text
    browser.choose("normalize", "DE")
    browser.press("button[formaction$=choose]")
    assert browser.find(".samples tbody tr:nth-child(2) .phone").text == "+4916003837993"
    browser.press("button.main")
    until_at_rest(browser)
    look_at(browser, axe)
    assert "1,872" in browser.find("button.main").text
    assert "spring" in browser.find("button.main").text
    assert not sandbox.commits
    browser.press("button.main")
    until_at_rest(browser)
    look_at(browser, axe)
    assert browser.find(".told").text.startswith("1,872 of 2,105 rows are in the group.")
    assert len(sandbox.commits) == 1872
    browser.press("a[href$='rows/invalid']")
    look_at(browser, axe)
    assert "invalid: 233" in browser.find("h2").text
    browser.driver.back()
    browser.press("a[href$='/undo']")
    look_at(browser, axe)
    browser.press("button.danger")
    until_at_rest(browser)
    look_at(browser, axe)
    assert "1,872" in browser.find(".tiles dd").text
    assert not browser.driver.find_elements("css selector", ".told")
    assert not sandbox.phones(sandbox.commits[0].group_id)
    browser.press(".top a")
    look_at(browser, axe)
    assert MESSY.name in browser.find(".history").text
    assert not browser.console
    host = page.partition("/enter")[0]
    assert all(url.startswith(host) for url in browser.requests)


def test_an_excel_file_with_two_sheets(
    browser: Browser, page: str, axe: str, sandbox: SandboxThread, tmp_path: Path
) -> None:
    path = tmp_path / "Kunden & mehr.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, first in (("Januar", 1), ("Februar", 5), ("Notizen", 0)):
            sheet = book.add_worksheet(name)
            rows = [f"0171 123456{at}" for at in range(first, first + 3)] if first else ["bald!"]
            sheet.write_column(0, 0, ["Mobil" if first else "Text", *rows])
    upload(browser, page, path)
    look_at(browser, axe)
    assert browser.find("h1").text == path.name
    sheets = browser.driver.find_elements("css selector", "[name=sheet]")
    assert [sheet.get_attribute("value") for sheet in sheets] == ["Januar", "Februar"]
    for sheet in sheets:
        sheet.click()
    browser.choose("normalize", "DE")
    browser.press("button.main")
    until_at_rest(browser)
    browser.press("button.main")
    until_at_rest(browser)
    assert "All 6 phones" in browser.find(".told").text
    assert len(sandbox.commits) == 6


def test_without_script(browser: Browser, page: str, sandbox: SandboxThread) -> None:
    browser.command("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        upload(browser, page, MESSY, width=390)
        browser.choose("normalize", "DE")
        browser.press("button.main")
        until_at_rest(browser)
        browser.press("button.main")
        until_at_rest(browser)
    finally:
        browser.command("Emulation.setScriptExecutionDisabled", {"value": False})
    assert browser.find(".told").text.startswith("1,872 of 2,105")
    assert len(sandbox.commits) == 1872


def test_with_the_keyboard_alone(browser: Browser, page: str, sandbox: SandboxThread) -> None:
    keys = module("selenium.webdriver.common.keys").Keys
    upload(browser, page, MESSY)
    for element, text in (("normalize", "Germany"), ("duplicates", " ")):
        browser.find(f"#{element}").send_keys(text)
    for _ in range(3):
        before = browser.find("html")
        browser.find("button.main").send_keys(keys.ENTER)
        _gone(browser, before)
        until_at_rest(browser)
        if not browser.driver.find_elements("css selector", "button.main"):
            break
    assert "1,872" not in browser.find(".told").text  # two that came twice are left out
    assert len(sandbox.commits) == len({commit.phone for commit in sandbox.commits}) > 1000


def _gone(browser: Browser, before: Any) -> None:
    wait = module("selenium.webdriver.support.ui").WebDriverWait(browser.driver, 60)
    wait.until(module("selenium.webdriver.support.expected_conditions").staleness_of(before))


def test_a_page_goes_on_by_itself_when_its_server_is_replaced(
    browser: Browser, tmp_path: Path
) -> None:
    with SandboxThread(latency=0.3) as sandbox:
        group = sandbox.add_group("spring")
        with Server(sandbox, tmp_path / "uploads", settings={"batch_size": 50}) as server:
            address = f"http://127.0.0.1:{server.port}/uploads"
            job = asyncio.run(_started(server, group))
            browser.command("Network.enable", {})
            browser.command("Network.setExtraHTTPHeaders", {"headers": {"X-User": "ann"}})
            try:
                browser.open(f"{address}/jobs/{job}")
                assert browser.find("#live").get_attribute("data-state") == "running"
                server.end()
                server.start()
                until_at_rest(browser)
                assert "All 2,000 phones" in browser.find(".told").text
            finally:
                browser.command("Network.setExtraHTTPHeaders", {"headers": {}})
                browser.forget()
        assert sorted(commit.phone for commit in sandbox.commits) == numbers(2000)


async def _started(server: Server, group: int) -> str:
    async with server.visited() as ann:
        job = await ann.started("\n".join(numbers(2000)).encode(), group)
        return str(job["id"])


def test_in_german(browser: Browser, page: str, axe: str) -> None:
    browser.open(page)
    browser.press("a[hreflang=de]")
    assert browser.ask("document.documentElement.lang") == "de"
    upload(browser, page, MESSY)
    look_at(browser, axe)
    assert browser.find("button.main").text == "Liste prüfen"
    browser.driver.delete_cookie("asyncsdk-lang")


def test_a_file_that_cannot_be_read(browser: Browser, page: str, axe: str, tmp_path: Path) -> None:
    path = tmp_path / "invoice.pdf"
    path.write_bytes(b"%PDF-1.7 nothing")
    upload(browser, page, path)
    look_at(browser, axe)
    assert "PDF" in browser.find(".notice").text


def test_an_empty_file_is_refused_before_it_is_a_job(
    browser: Browser, page: str, axe: str, tmp_path: Path
) -> None:
    path = tmp_path / "empty.csv"
    path.write_bytes(b"")
    browser.open(page)
    browser.find("#file").send_keys(str(path))
    browser.find("#upload button.main").click()
    wait = module("selenium.webdriver.support.ui").WebDriverWait(browser.driver, 60)
    wait.until(lambda driver: driver.find_element("id", "trouble").is_displayed())
    assert "empty" in browser.find("#trouble").text
    look_at(browser, axe)
    browser.forget()
