"""A real browser, that a page is opened in."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.parts import command, module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Browser", "browsing"]

_OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--no-first-run", "--force-color-profile=srgb", "--hide-scrollbars"),
)


class Browser:
    """A page of Chromium."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path | str, *, width: int = 1280, dark: bool = False) -> None:
        """Open a file, or an address, as a screen of this width shows it."""
        self.show(width=width, dark=dark)
        self.forget()
        self.driver.get(page if isinstance(page, str) else page.as_uri())

    def show(self, *, width: int, dark: bool = False) -> None:
        """Show what is open on a screen of this width, in this theme."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.command("Emulation.setEmulatedMedia", {"features": features})

    def command(self, name: str, arguments: dict[str, Any]) -> Any:
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def ask(self, script: str) -> Any:
        """What an expression of JavaScript is."""
        return self.driver.execute_script(f"return {script}")

    def find(self, selector: str) -> Any:
        """The first element that a CSS selector finds."""
        return self.driver.find_element("css selector", selector)

    def choose(self, element: str, value: str) -> None:
        """Choose the option with this value in the list with this id."""
        self.find(f"#{element} option[value='{value}']").click()

    def press(self, selector: str) -> None:
        """Press a button that leads to another page, and wait for that."""
        before = self.find("html")
        self.find(selector).click()
        module("selenium.webdriver.support.ui").WebDriverWait(self.driver, 60).until(
            module("selenium.webdriver.support.expected_conditions").staleness_of(before)
        )

    def type(self, element: str, text: str) -> None:
        """Type into the element with this id."""
        found = self.driver.find_element("id", element)
        found.clear()
        found.send_keys(text)

    def forget(self) -> None:
        """Leave out what it said and asked for so far."""
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    @property
    def console(self) -> list[str]:
        """What it complained of."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]

    @property
    def requests(self) -> list[str]:
        """The addresses that pages asked for."""
        events = [json.loads(entry["message"]) for entry in self.driver.get_log("performance")]
        messages = [event["message"] for event in events]
        blocked = {
            message["params"]["requestId"]
            for message in messages
            if message["method"] == "Network.loadingFailed"
            and message["params"].get("blockedReason")
        }
        return [
            str(message["params"]["request"]["url"])
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
            and message["params"]["requestId"] not in blocked
        ]


@contextmanager
def browsing(profile: Path) -> Iterator[Browser]:
    """A browser with a fresh profile."""
    webdriver = module("selenium.webdriver")
    service = module("selenium.webdriver.chrome.service").Service(command("chromedriver"))
    options = webdriver.ChromeOptions()
    options.binary_location = command("chromium")
    for option in (*_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.get("about:blank")
        browser = Browser(driver)
        browser.forget()
        yield browser
    finally:
        driver.quit()
