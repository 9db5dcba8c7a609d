from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import (
    ConfigurationError,
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
from asyncsdk.places import Place
from asyncsdk.report import Run
from asyncsdk.sandbox import Faults
from asyncsdk.sources import read
from asyncsdk.timeline import Timeline
from tests.browser import Browser, browsing
from tests.leaping import run_leaping
from tests.rig import connected, numbers

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
    reasons = [
        "there are two numbers in one cell, or there may be: keep one, or make two rows of them",
        "is required",
        "it has too few digits for a number there",
    ]
    names = {0: HOSTILE, 1: BROKEN, 2: LOADING, 4: "Ünal <b>Öztürk</b>", 5: "\u202eAnna"}
    results = [
        result(
            at * 7, reasons[min(at % 7, 2)], name=names.get(at, f"Name {at}"), failed=at % 11 == 3
        )
        for at in range(1400)
    ]
    return report_of(results, created=998_600, unknown=40)


ABOUT = About(
    name="kunden.csv",
    group="Stammkunden & Co",
    when=datetime(2026, 3, 5, 14, 7, tzinfo=UTC),
    columns={"phone": "Mobil", "a": "Anrede", "b": "3"},
    places={at * 7: Place(at * 7, at * 7 + 2) for at in range(1400)},
    rejects="rejects/kunden 1.csv",
    report="kunden.jsonl",
)


@pytest.fixture(scope="module", params=["en", "de"])
def known(
    report: UploadReport, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[str, Path]:
    """A page that knows what it is of, in each language."""
    path = tmp_path_factory.mktemp(request.param) / "report.html"
    write_html(path, report, ABOUT, lang=request.param)
    return request.param, path


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
def test_a_browser_opens_it_alone(
    browser: Browser, known: tuple[str, Path], width: int, *, dark: bool
) -> None:
    language, page = known
    browser.open(page, width=width, dark=dark)
    assert browser.ask("document.documentElement.lang") == language
    assert browser.console == []
    assert set(browser.requests) <= {page.as_uri()}
    assert browser.ask("document.documentElement.scrollWidth") <= width
    ground = re.findall(r"\d+", browser.ask("getComputedStyle(document.body).backgroundColor"))
    assert (int(ground[0]) < 100) is dark
    assert browser.ask("document.querySelectorAll('svg').length") >= 3


SAID = {
    "en": {
        "h1": "Upload report",
        "title": "kunden.csv \N{EN DASH} Upload report",
        "head": ["List", "kunden.csv", "Group", "Stammkunden & Co", "Date"],
        "names": ["Line", "Mobil", "What", "Reason", "Anrede", "b (column 3)"],
        "row": "Mobil: there are two numbers in one cell, or there may be: keep one, or make two "
        "rows of them",
        "totals": "1,000,000 phones: 998,600 created, 1,273 invalid, 127 failed in 41.2 s",
        "found": ["1 row found", "1,000 rows found"],
    },
    "de": {
        "h1": "Bericht über den Upload",
        "title": "kunden.csv \N{EN DASH} Bericht über den Upload",
        "head": ["Liste", "kunden.csv", "Gruppe", "Stammkunden & Co", "Datum"],
        "names": ["Zeile", "Mobil", "Ergebnis", "Grund", "Anrede", "b (Spalte 3)"],
        "row": "Mobil: in der Zelle stehen zwei Nummern, oder es können zwei sein: eine behalten "
        "oder zwei Zeilen daraus machen",
        "totals": "1.000.000 Nummern: 998.600 angelegt, 1.273 ungültig, 127 fehlgeschlagen in "
        "41,2\N{NO-BREAK SPACE}s",
        "found": ["1 Zeile gefunden", "1.000 Zeilen gefunden"],
    },
}


def texts(browser: Browser, selector: str) -> list[str]:
    found = f"Array.from(document.querySelectorAll({selector!r}), (one) => one.textContent)"
    return [" ".join(text.split(" ")) for text in browser.ask(found)]


def test_it_speaks_the_language_of_its_reader(browser: Browser, known: tuple[str, Path]) -> None:
    language, page = known
    said: dict[str, Any] = SAID[language]
    browser.open(page)
    assert browser.ask("document.title") == said["title"]
    assert texts(browser, "h1") == [said["h1"]]
    assert texts(browser, ".head dt, .head dd")[:5] == said["head"]
    assert texts(browser, "header p") == [said["totals"]]
    assert texts(browser, ".rows th") == said["names"]
    first = texts(browser, ".rows tbody tr:first-child td")
    assert (first[0], first[1], first[3]) == ("2", "0160 0000000", said["row"])
    assert browser.ask("document.querySelector('time').dateTime") == "2026-03-05T14:07+00:00"
    for typed, count in (("öztürk", 0), ("0160", 1)):
        browser.type("search", typed)
        assert texts(browser, "#found") == [said["found"][count]]


def test_the_rejected_rows_come_first(browser: Browser, known: tuple[str, Path]) -> None:
    browser.open(known[1])
    kinds = [
        "rows" if "rows" in kind else kind
        for kind in browser.ask(
            "Array.from(document.querySelectorAll('section'), (one) => "
            "Array.from(one.querySelectorAll('table, pre, .tiles, .chart'), (o) => "
            "o.className || o.tagName).join(' '))"
        )
    ]
    assert kinds == ["", "rows", "reasons", "PRE PRE", "tiles", "chart", "chart"]


def test_its_commands_can_be_typed(browser: Browser, known: tuple[str, Path]) -> None:
    browser.open(known[1])
    assert texts(browser, "pre") == [
        "asyncsdk upload 'rejects/kunden 1.csv' --group ID --rejects 'rejects/kunden 1-2.csv'",
        "asyncsdk retry kunden.jsonl",
    ]


def test_a_keyboard_reaches_all_rows(browser: Browser, known: tuple[str, Path]) -> None:
    browser.open(known[1])
    box = "document.querySelector('.scroll')"
    assert browser.ask(f"{box}.scrollHeight > {box}.clientHeight")
    assert browser.ask(f"{box}.tabIndex") == 0
    named = f"document.getElementById({box}.getAttribute('aria-labelledby')).textContent"
    assert browser.ask(named)
    browser.command("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.ask(f"{box}.scrollHeight == {box}.clientHeight"), "paper does not scroll"
    browser.command("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize("lang", ["en", "de"])
def test_no_picture_without_something_to_see(tmp_path: Path, lang: str) -> None:
    path = tmp_path / "report.html"
    timeline = Timeline(0.0)
    timeline.request(0.2, 0.1, again=False)
    timeline.settled(0.2, 900)
    run = Run(Counts(900), 1, elapsed=0.4, history=(timeline.history(0.4),))
    UploadReport(run, lambda _: []).to_html(path, lang=lang)
    text = path.read_text(encoding="utf-8")
    assert "<svg" not in text
    assert "0.0 s" not in text


def test_one_reason_is_compared_with_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    UploadReport(
        Run(Counts(invalid=1)), lambda one: [result(0, "x")] if one == "invalid" else []
    ).to_html(path)
    assert "<svg" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("outcomes", [(0, 0), (3, 0), (3, 2), (1, 1)])
@pytest.mark.parametrize("dry", [False, True])
def test_its_line_is_that_of_the_report(
    tmp_path: Path, outcomes: tuple[int, int], *, dry: bool
) -> None:
    good, bad = outcomes
    counts = Counts(0 if dry else good, bad, skipped=good if dry else 0)
    counts.would_be_sent = counts.skipped
    kept = [result(at, "is required") for at in range(bad)]
    report = UploadReport(
        Run(counts, elapsed=1.25, dry_run=dry), lambda one: kept if one == "invalid" else []
    )
    report.to_html(tmp_path / "report.html")
    assert f"<p>{report}</p>" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["en", "de"])
@pytest.mark.parametrize("why", list(StoppedBy))
def test_it_says_in_words_what_stopped_an_upload(tmp_path: Path, why: StoppedBy, lang: str) -> None:
    path = tmp_path / "report.html"
    report = UploadReport(Run(Counts(3), complete=False, stopped_by=why), lambda _: [])
    report.to_html(path, lang=lang)
    found = re.search(r'<p class="notice">.*?\((.*?)\)', path.read_text(encoding="utf-8"))
    assert found is not None
    assert " " in found[1]


def test_words_of_the_server_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    theirs = Problem("Validation Failed", "is required")
    ours = Problem("Outcome unknown", "the server failed on this phone")
    results = [
        PhoneResult(0, Phone("1"), Outcome.INVALID, status=422, error=theirs),
        PhoneResult(1, Phone("2"), Outcome.FAILED, status=500, error=ours),
        PhoneResult(2, Phone("3"), Outcome.INVALID, status=400),
    ]
    report_of(results).to_html(path, lang="de")
    text = path.read_text(encoding="utf-8")
    assert "Validation Failed: is required" in text
    assert "Ausgang unbekannt: der Server scheiterte an dieser Nummer" in text
    assert "HTTP 400" in text


def test_a_source_gives_names_and_lines(tmp_path: Path) -> None:
    path, contacts = tmp_path / "report.html", tmp_path / "kunden_2026.csv"
    contacts.write_text("Kunden der Filiale\nAnrede;Mobil\nFrau;0171 1234567\nHerr;0\n")

    async def scenario() -> None:
        async with connected() as rig:
            source = read(contacts, columns={"a": "Anrede"})
            report = await rig.upload(source, normalize="DE")
        report.to_html(path, source=source, group="Filiale", rejects="neu-3.csv", lang="de-DE")

    run_leaping(scenario())
    text = path.read_text(encoding="utf-8")
    assert "<dd>kunden_2026.csv</dd>" in text
    assert str(tmp_path) not in text
    assert '<td data-name="Zeile" class="number">4</td>' in text
    assert '<td data-name="Anrede">Herr</td>' in text
    assert re.search(r"asyncsdk upload neu-3.csv --group \d+ --rejects neu-4.csv", text)


def test_rows_of_a_program_are_counted(tmp_path: Path) -> None:
    async def scenario() -> None:
        rows = [{"phone": ""}, {"phone": "+49171"}]
        async with connected() as rig:
            report = await rig.upload(rows)
        report.to_html(tmp_path / "report.html", source=rows)

    run_leaping(scenario())
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<td data-name="Row" class="number">1</td><td data-name="Phone"' in text


def test_another_language_is_refused_before_anything_is_written(
    report: UploadReport, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="English"):
        report.to_html(tmp_path / "report.html", lang="fr")
    assert not list(tmp_path.iterdir())


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
        places = {at: Place(at, at + 2, "a.csv", several=True) for at in (900, 901)}
        report.to_html(tmp_path / "report.html", places=places)

    run_leaping(scenario())
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for told in (
        "a.csv, line 903",
        "is longer than 30 characters",
        "paused by the server",
        "95% within",
    ):
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
