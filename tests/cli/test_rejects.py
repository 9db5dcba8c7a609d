"""A rejects file that is uploaded again: nothing is stored twice, nothing is left out unsaid."""

from __future__ import annotations

import asyncio
import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import Client, UploadReport
from asyncsdk.sandbox import Faults
from asyncsdk.sources import read, read_csv
from asyncsdk.sources.inert import revive
from tests.parts import module

from .kit import KONTAKTE, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.sources import Source
    from asyncsdk.testing import SandboxThread

OPTIONS = ("--normalize", "DE", "--duplicates", "skip")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        delimiter = ";" if ";" in file.readline() else ","
        file.seek(0)
        rows = csv.DictReader(file, delimiter=delimiter)
        return [{name: revive(cell or "") for name, cell in row.items()} for row in rows]


def mend(path: Path, was: str, now: str) -> None:
    """Change one cell, the last such one of its row, as somebody in a spreadsheet would."""
    rows = path.read_text(encoding="utf-8-sig").split("\n")
    at = next(i for i, row in enumerate(rows) if was in row)
    rows[at] = now.join(rows[at].rsplit(was, 1))
    path.write_text("\n".join(rows), encoding="utf-8-sig")


def spreadsheet(path: Path) -> Path:
    """The same rows, saved as a workbook."""
    target = path.with_suffix(".xlsx")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    with module("xlsxwriter").Workbook(target) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_string(at, column, cell)
    return target


def saved_in_a_spreadsheet(path: Path) -> Path:
    """What a spreadsheet makes of numbers when it opens a file and saves it again."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    target = path.with_stem("saved")
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows([map(number, row) for row in rows])
    return target


def number(cell: str) -> str:
    if not re.fullmatch(r"[+-]?\d+", cell):
        return cell
    return f"{int(cell):.5E}".replace(".", ",") if len(cell) > 11 else str(int(cell))


@pytest.fixture
def rejects(contacts: Path) -> Path:
    return contacts.with_name("rejects.csv")


@pytest.fixture
def doubtful(
    sandboxes: Callable[..., SandboxThread], contacts: Path, rejects: Path
) -> SandboxThread:
    """Stored the first of three and did not say so; did not get the third."""
    sandbox = sandboxes(faults=Faults.script(["500-after", "ok"]))
    contacts.write_text("Name,Mobil\nAnn,0160111111\nBea,0160222222\nCem,nobody\n")
    words = ("--batch-size", 1, "--concurrency", 1, "--on-unknown", "report", "--rejects", rejects)
    run("upload", contacts, "-g", sandbox.add_group("x"), *words, sandbox=sandbox)
    assert [commit.phone for commit in sandbox.commits] == ["0160111111", "0160222222"]
    return sandbox


@pytest.mark.parametrize("options", [OPTIONS, ("--normalize", "DE"), ()])
@pytest.mark.parametrize(
    "again",
    [lambda path: path, spreadsheet, saved_in_a_spreadsheet],
    ids=["csv", "xlsx", "saved"],
)
def test_the_messy_list_again_stores_no_phone_twice(
    sandbox: SandboxThread,
    rejects: Path,
    options: tuple[str, ...],
    again: Callable[[Path], Path],
) -> None:
    group = ("-g", sandbox.add_group("x"))
    run("upload", KONTAKTE, *group, *OPTIONS, "--rejects", rejects, sandbox=sandbox)
    stored = len(sandbox.commits)
    outcomes = Counter(row["outcome"] for row in rows_of(rejects))
    assert outcomes == {"invalid": 2105 - stored - 312}, "those that were skipped are left out"
    twice = rejects.with_name("again.csv")
    done = run(
        *("upload", again(rejects), *group, *options, "--json", "--rejects", twice),
        sandbox=sandbox,
    )
    told = json.loads(done.stdout)
    assert told["submitted"] == sum(outcomes.values())
    assert told["created_count"] + told["invalid_count"] == told["submitted"]
    if not options:  # the phones are as they were in the list, whoever saved the file
        assert {row["phone"] for row in told["rejected"]} <= {
            phone.phone for phone in read_csv(KONTAKTE)
        }
    numbers = Counter(commit.phone for commit in sandbox.commits[:stored])
    assert not numbers & Counter(commit.phone for commit in sandbox.commits[stored:])
    assert {row["outcome"] for row in rows_of(twice)} == {"invalid"}


def test_a_row_of_an_older_file_that_was_a_duplicate_is_skipped_unless_it_was_mended(
    sandbox: SandboxThread, contacts: Path, rejects: Path
) -> None:
    rows = [
        "file,line,outcome,delivery,reason,phone_was,Mobil,Name",
        "x,3,duplicate,not_sent,the same number,'0160 111 111,'0160 222 222,Bea",
        "x,4,duplicate,not_sent,the same number,'0160111111,+49 (0)160/111 111,Cem",
        "x,5,duplicate,not_sent,the same number,'0160111111,'0160111111,Dag",
    ]
    rejects.write_text("\n".join(rows), encoding="utf-8-sig")
    group = ("-g", sandbox.add_group("x"))
    again = contacts.with_name("again.csv")
    words = ("--normalize", "DE", "--rejects", again)
    done = run("upload", rejects, *group, *words, sandbox=sandbox)
    assert done.exit_code == 0
    assert "2 duplicates left out" in done.stderr
    assert "3 phones: 1 created, 0 invalid, 0 failed, 2 skipped" in done.stdout, done.output
    assert [commit.phone[-6:] for commit in sandbox.commits] == ["222222"]
    assert not rows_of(again)


def test_what_may_be_in_the_group_is_left_out(
    doubtful: SandboxThread, rejects: Path, contacts: Path
) -> None:
    group = doubtful.groups[0].id
    again = contacts.with_name("again.csv")
    done = run("upload", rejects, "-g", group, "--rejects", again, sandbox=doubtful)
    assert done.exit_code == 1
    assert "1 row left out: they may be in the group" in done.stderr
    assert "perhaps created" in done.stdout
    assert len(doubtful.commits) == 2
    first = rows_of(again)[0]
    assert (first["Name"], first["delivery"], first["phone_was"]) == (
        *("Ann", "unknown", "0160111111"),
    ), "it is not lost"


def test_what_may_be_in_the_group_is_sent_if_asked_for(
    doubtful: SandboxThread, rejects: Path
) -> None:
    words = ("-g", doubtful.groups[0].id, "--send-unknown")
    done = run("upload", rejects, *words, sandbox=doubtful)
    assert "2 phones: 1 created, 1 invalid" in done.stdout
    assert [commit.phone for commit in doubtful.commits][2:] == ["0160111111"]


def test_what_may_be_in_the_group_is_sent_once_its_number_is_another(
    doubtful: SandboxThread, rejects: Path
) -> None:
    mend(rejects, "0160111111", "0160999999")
    run("upload", rejects, "-g", doubtful.groups[0].id, sandbox=doubtful)
    assert [commit.phone for commit in doubtful.commits][2:] == ["0160999999"]


def test_check_tells_what_is_left_out(doubtful: SandboxThread, rejects: Path) -> None:
    done = run("check", rejects, sandbox=doubtful)
    assert "2 rows: 1 may be sent, 0 invalid, 1 perhaps in the group" in done.stdout
    done = run("check", rejects, "--send-unknown", sandbox=doubtful)
    assert "2 rows: 2 may be sent" in done.stdout


def test_a_number_in_doubt_is_not_sent_by_a_later_row_either(
    doubtful: SandboxThread, rejects: Path, contacts: Path
) -> None:
    more = contacts.with_name("more.csv")
    more.write_text("Name,Mobil\nEva,0160 111111\n", encoding="utf-8")
    words = ("-g", doubtful.groups[0].id, *OPTIONS)
    run("upload", rejects, more, *words, sandbox=doubtful)
    assert len(doubtful.commits) == 2


def test_unread_duplicates_are_left_out(
    sandboxes: Callable[..., SandboxThread], contacts: Path, rejects: Path
) -> None:
    sandbox = sandboxes(faults=Faults.script(["ok", "402"]))
    numbers = ["0160111111", "0160222222", *["0160333333"] * 20, "0160 111 111", "0160444444"]
    contacts.write_text("\n".join(["Mobil", *numbers]), encoding="utf-8")
    group = ("-g", sandbox.add_group("x"), "--batch-size", 1, "--concurrency", 1)
    done = run("upload", contacts, *group, *OPTIONS, "--rejects", rejects, sandbox=sandbox)
    assert done.exit_code == 4
    rows = rows_of(rejects)
    left = [row["Mobil"][-9:].replace(" ", "") for row in rows]
    assert left == ["160222222", "160333333", "160444444"], "of each number one"
    done = run("upload", rejects, *group, "--normalize", "DE", sandbox=sandbox)
    stored = Counter(commit.phone[-9:] for commit in sandbox.commits)
    assert stored == dict.fromkeys(["160111111", "160222222", "160333333", "160444444"], 1)


def uploaded(sandbox: SandboxThread, source: Source, **options: Any) -> UploadReport:
    async def upload() -> UploadReport:
        async with Client(sandbox.client_id, sandbox.api_key, base_url=sandbox.url) as client:
            return await client.phones.upload(sandbox.add_group("y"), source, **options)

    return asyncio.run(upload())


def test_a_rejects_file_of_the_library(
    sandbox: SandboxThread, contacts: Path, rejects: Path
) -> None:
    """`report.to_rejects` writes the same file as `--rejects`."""
    source = read(contacts)
    assert uploaded(sandbox, source).to_rejects(rejects, source) == 2
    other = rejects.with_name("other.csv")
    run("upload", contacts, "-g", sandbox.add_group("x"), "--rejects", other, sandbox=sandbox)
    assert other.read_bytes() == rejects.read_bytes()


def test_a_journal_knows_what_was_left_out(doubtful: SandboxThread, rejects: Path) -> None:
    text = rejects.read_text(encoding="utf-8-sig")
    text += "x,9,duplicate,not_sent,the same,'0160333333,Dag,'0160333333\n"
    rejects.write_text(text + ",,,,,,Eva,0160444444\n", encoding="utf-8-sig")
    journal = rejects.with_suffix(".journal")
    report = uploaded(doubtful, read(rejects), journal=journal)
    opened = UploadReport.open(journal)
    for told in (report, opened):
        assert [(one.index, one.delivery.value) for one in told.failed] == [(0, "unknown")]
        assert [one.index for one in told.invalid] == [1]
        assert [one.index for one in told.skipped] == [2]
        assert [one.phone.phone for one in told.created] == ["0160444444"]
        assert told.group_id == doubtful.groups[-1].id


def test_a_row_that_is_invalid_besides_stores_no_number_twice_once_it_is_mended(
    sandbox: SandboxThread, tmp_path: Path
) -> None:
    """Whether the row that was created comes before it or after it."""
    group, long = sandbox.add_group("Kunden"), "x" * 40
    before, after, alone = "0160 0000001", "0160 0000002", "0160 0000003"
    contacts, rejects = tmp_path / "contacts.csv", tmp_path / "rejects.csv"
    rows = [
        ("+491600000001", "ok"),
        (before, long),
        (after, long),
        ("+491600000002", "ok"),
        (alone, long),
    ]
    contacts.write_text("\n".join(["Mobil;Nr", *map(";".join, rows)]), encoding="utf-8")
    words = ("-g", group, "--map", "callback_data=Nr", *OPTIONS)
    run("upload", contacts, *words, "--rejects", rejects, sandbox=sandbox)
    assert [row["outcome"] for row in rows_of(rejects)] == ["duplicate", "duplicate", "invalid"]
    rejects.write_text(rejects.read_text(encoding="utf-8").replace(long, "mended"))
    result = run("upload", rejects, *words, sandbox=sandbox)
    assert "1 created" in result.output
    assert sorted(phone.phone for phone in sandbox.phones(group)) == [
        "+491600000001",
        "+491600000002",
        "+491600000003",
    ]


def test_what_no_workbook_holds_is_written_as_csv(
    sandbox: SandboxThread, tmp_path: Path, contacts: Path
) -> None:
    """Who would have to upload the list again for its rejects would send it twice."""
    text = contacts.read_text().replace("Bea;", f"{'Bea' * 20_000};")
    contacts.write_text(text)
    rejects = tmp_path / "rejects.xlsx"
    group = sandbox.add_group("x")
    done = run("upload", contacts, "-g", group, "--rejects", rejects, sandbox=sandbox)
    assert done.exit_code == 1
    assert not rejects.exists()
    assert f"2 rows written to {rejects}.csv" in done.stderr.replace("\n", "")
    assert [row["line"] for row in rows_of(Path(f"{rejects}.csv"))] == ["3", "5"]
