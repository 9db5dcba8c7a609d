from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from asyncsdk import (
    Delivery,
    Outcome,
    Phone,
    PhoneResult,
    Problem,
    StoppedBy,
    UploadReport,
    Violation,
)
from asyncsdk.export.html import About, _templates, write_html
from asyncsdk.ledger.run import Counts
from asyncsdk.report import Run
from asyncsdk.sandbox import Faults
from asyncsdk.timeline import Timeline
from tests.leaping import run_leaping
from tests.rig import connected, numbers

from .browser import Browser, browsing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = "<script>document.title = 'caught'</script>"
FORMULA = "=SUMME(A1)"
BROKEN = "\"'><img src=x onerror=\"document.title='caught'\"></td>"
LOADING = "</script><img src='https://lost.example/x.png'><link rel=stylesheet href=//lost.example>"


def result(index: int, reason: str, *, name: str = "", failed: bool = False) -> PhoneResult:
    return PhoneResult(
        index,
        Phone(f"0160 {index:07}", a=name or None, b=FORMULA),
        Outcome.FAILED if failed else Outcome.INVALID,
        status=503 if failed else None,
        error=Problem("Invalid phone", violations=(Violation("phone", reason, "x"),)),
        delivery=Delivery.NOT_SENT,
    )


def report_of(
    results: list[PhoneResult], *, created: int = 0, unknown: int = 0, seconds: float = 41.2
) -> UploadReport:
    """A report of a run that had ups and downs."""
    kept = {outcome: [one for one in results if one.outcome is outcome] for outcome in Outcome}
    counts = Counts(created, len(kept[Outcome.INVALID]), len(kept[Outcome.FAILED]), unknown)
    timeline = Timeline(0.0)
    for at in range(400):
        moment = seconds * at / 400
        if not 120 <= at < 150:
            timeline.settled(moment, 2000 + at * 3 % 700)
            timeline.request(moment, 0.05 + at % 37 / 200, again=at % 60 == 0)
    timeline.paused(seconds * 0.3, seconds * 0.37)
    run = Run(
        *(counts, 1000, 7, seconds * 0.07, seconds),
        history=(timeline.history(seconds),),
    )
    return UploadReport(run, lambda outcome: kept[outcome])


@pytest.fixture(scope="module")
def report() -> UploadReport:
    reasons = ["there are two numbers in one cell", "is required", "it has too few digits"]
    names = {0: HOSTILE, 1: BROKEN, 2: LOADING, 4: "Ünal <b>Öztürk</b>", 5: "\u202eAnna"}
    results = [
        result(
            at * 7, reasons[min(at % 7, 2)], name=names.get(at, f"Name {at}"), failed=at % 11 == 3
        )
        for at in range(1400)
    ]
    return report_of(results, created=998_600, unknown=40)


@pytest.fixture(scope="module")
def page(report: UploadReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("html") / "report.html"
    report.to_html(path, title=f"contacts.csv {HOSTILE}")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def test_the_page_of_a_million_phones_is_below_a_megabyte(page: Path) -> None:
    assert page.stat().st_size < 1_000_000
    text = page.read_text(encoding="utf-8")
    assert "1,000,000 phones: 998,600 created" in text
    assert "The first 1,000 of 1,400." in text


def test_rows_full_of_what_must_be_escaped_do_not_make_it_larger(tmp_path: Path) -> None:
    full = Phone("<" * 30, **dict.fromkeys("abcde", "&" * 1530), callback_data="'" * 36)
    results = [
        PhoneResult(at, full, Outcome.INVALID, error=Problem("<" * 1000)) for at in range(2000)
    ]
    report_of(results).to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 1_000_000


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_opens_it_alone(browser: Browser, page: Path, width: int, *, dark: bool) -> None:
    browser.open(page, width=width, dark=dark)
    assert browser.console == []
    assert set(browser.requests) <= {page.as_uri()}
    assert browser.ask("document.documentElement.scrollWidth") <= width
    ground = re.findall(r"\d+", browser.ask("getComputedStyle(document.body).backgroundColor"))
    assert (int(ground[0]) < 100) is dark
    assert browser.ask("document.querySelectorAll('svg').length") >= 3


def test_hostile_names_stay_text(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.ask("document.title") == f"contacts.csv {HOSTILE}"
    assert browser.ask("document.querySelectorAll('script').length") == 1
    assert browser.ask("document.querySelectorAll('img, link, iframe, object').length") == 0
    text = browser.ask("document.querySelector('.rows tbody').textContent")
    for name in (HOSTILE, BROKEN, FORMULA):
        assert name in text
    assert browser.console == []


def test_its_own_policy_stops_what_would_get_in_all_the_same(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.html"
    text = page.read_text(encoding="utf-8").replace("<h1>", f"{BROKEN}{HOSTILE}{LOADING}<h1>")
    broken.write_text(text, encoding="utf-8")
    browser.open(broken)
    assert browser.ask("document.title") != "caught"
    assert set(browser.requests) <= {broken.as_uri()}
    assert browser.console, "it says what it refused"


def test_the_search_finds_rows(browser: Browser, page: Path) -> None:
    browser.open(page)
    shown = "document.querySelectorAll('.rows tbody tr:not([hidden])').length"
    assert browser.ask(shown) == 1000
    browser.type("search", "öztürk")
    assert browser.ask(shown) == 1
    assert browser.ask("document.getElementById('found').textContent") == "1 row found"
    browser.type("search", "0160 0000014 DIGITS")
    assert browser.ask(shown) == 1
    browser.type("search", "no such thing")
    assert browser.ask(shown) == 0


def test_it_prints(browser: Browser, page: Path) -> None:
    browser.open(page, dark=True)
    printed = browser.command("Page.printToPDF", {"printBackground": True})
    assert len(printed["data"]) > 10_000


def test_a_real_upload_has_its_course_in_the_page(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with connected(faults=Faults.script(["ok", "429-after"])) as rig:
            report = await rig.upload([*numbers(900), "", "0" * 31], batch_size=100)
        report.to_html(tmp_path / "report.html", places={900: "a.csv:902", 901: "a.csv:903"})

    run_leaping(scenario())
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for told in ("a.csv:903", "is longer than 30 characters", "paused by the server", "95% within"):
        assert told in text


def advice(path: Path) -> str:
    """What a page says about sending again, in one line without markup."""
    found = re.search(r"<h2>Send it again</h2>(.*?)</section>", path.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return " ".join(re.sub("<[^>]*>", " ", found[1]).split())


def test_it_never_advises_to_upload_the_list_again(page: Path) -> None:
    told = advice(page)
    assert "Never upload the whole list again" in told
    assert re.findall(r"asyncsdk upload \S+", told) == ["asyncsdk upload REJECTS"]
    assert "asyncsdk upload REJECTS --group ID --rejects NEXT OPTIONS" in told
    assert "asyncsdk retry REPORT" in told
    assert ".csv" not in told, "no name that may be that of an older file"


def test_retry_is_advised_only_where_something_is_safe_to_send(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report_of([result(0, "is required")], unknown=0).to_html(path)
    assert "asyncsdk retry" not in advice(path)


def test_rows_that_were_never_read_are_in_the_rejects_file(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    UploadReport(Run(Counts(3), complete=False, stopped_by=StoppedBy.STOP), lambda _: []).to_html(
        path
    )
    told = advice(path)
    assert "those that the upload did not come to among them" in told
    assert "asyncsdk upload REJECTS" in told
    assert "If the upload has a journal, let that go on" in told


def test_what_a_journal_sends_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report = report_of([result(0, "no reply", failed=True)], unknown=1)
    write_html(path, report, About(journal="x.journal", unfinished=True))
    told = advice(path)
    assert "asyncsdk resume x.journal" in told
    assert "asyncsdk upload" not in told
    assert "look there before" not in path.read_text(encoding="utf-8")


def test_a_duplicate_names_its_row_as_the_page_counts(tmp_path: Path) -> None:
    told = "the same number as row 4"
    problem = Problem(
        "Duplicate phone", told, violations=(Violation("phone", told, "duplicate", 4),)
    )
    again = PhoneResult(6, Phone("0160"), Outcome.INVALID, error=problem)
    report_of([again]).to_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "the same number as row 5" in text
    assert ">7</td>" in text


def test_the_page_of_nothing(tmp_path: Path, browser: Browser) -> None:
    UploadReport(Run(Counts()), lambda _: []).to_html(tmp_path / "report.html")
    browser.open(tmp_path / "report.html")
    assert browser.console == []


def test_merged_reports_share_a_page(report: UploadReport, tmp_path: Path) -> None:
    (report + report).to_html(tmp_path / "report.html")
    assert "2,000,000 phones" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_notebook_shows_a_report(report: UploadReport) -> None:
    shown = report_of([result(0, HOSTILE)])._repr_html_()
    assert shown is not None
    assert "&lt;script&gt;" in shown
    assert "<script" not in shown
    assert "998,600" in (report._repr_html_() or "")


def test_without_its_extra(
    report: UploadReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    _templates.cache_clear()
    with pytest.raises(ImportError, match=r"pip install 'asyncsdk\[html\]'"):
        report.to_html(tmp_path / "report.html")
    assert report._repr_html_() is None
