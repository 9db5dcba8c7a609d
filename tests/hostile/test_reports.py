"""A report from somebody else is read, or is no report: nothing else, in little memory and time."""

from __future__ import annotations

import csv
import json
import os
from typing import TYPE_CHECKING

import pytest

from asyncsdk.export.rows import COLUMNS
from tests.cli.kit import run
from tests.hostile.child import bounded
from tests.parts import module
from tests.unit.samples import created_entry, failed_entry, invalid_entry, report_of

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.testing import SandboxThread

REPORT = report_of(failed_entry([2]), created_entry([0, 3]), invalid_entry([1, 4]))
CELLS = {
    "index": ["x", "-1", "9" * 5000, str(1 << 63), "1e9", "", "NaN", "\u0661x"],
    "outcome": ["x", "", "CREATED", "unread"],
    "status": ["x", "-1", "9" * 5000, str(1 << 70)],
    "id": ["x", "-1", str(1 << 63)],
    "delivery": ["", "x"],
    "attempts": ["x", "-1", "9" * 30],
    "group": ["x", "9" * 5000],
    "duplicate_of": ["x", "9" * 5000],
}
LINES = [
    "7",
    "null",
    "[]",
    "{}",
    "[" * 100_000,
    '{"a":' * 50_000,
    '{"index": 1e999, "outcome": "created"}',
    '{"index": 1, "outcome": "unread"}',
    '{"outcome": "unread", "index": [1]}',
    '{"index": true, "outcome": "failed", "phone": {"phone": 7}}',
    '{"index": 1, "outcome": "failed", "phone": "x", "group": {}}',
    '{"index": 1, "outcome": "created", "created": {"id": 1e30, "phone": "1"}}',
    "\ud800",
]


PLACES = [("csv", c, cell) for c in CELLS for cell in CELLS[c]]
PLACES += [("parquet", c, CELLS[c][0]) for c in CELLS]


@pytest.mark.parametrize(("kind", "column", "cell"), PLACES)
def test_cells(kind: str, column: str, cell: str, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    REPORT.to_csv(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[1 if column == "id" else 0][column] = cell
    if kind == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    else:
        path = tmp_path / "report.parquet"
        module("polars").DataFrame(rows).write_parquet(path)
    _told(path)


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_lines(line: str, tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    REPORT.to_jsonl(path)
    path.write_bytes(path.read_bytes() + line.encode(errors="surrogatepass") + b"\n")
    _told(path)


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 9999, b"PAR1" * 99, b"\xff\xfe\x00", b'"' * 300]
)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_files(kind: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"report.{kind}"
    path.write_bytes(content)
    _told(path)


def _told(path: Path) -> None:
    for words in (["report", path], ["retry", path, "-g", "7"]):
        done = run(*words)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code in {0, 1, 2}, done.output


LARGE = """
from pathlib import Path
from asyncsdk import SourceError
from asyncsdk.export.load import SavedReport
path = Path(sys.argv[1])
with path.open("wb") as file:
    file.write(sys.argv[2].encode())
    file.truncate(3 << 30)
try:
    sum(1 for _ in SavedReport(path))
except SourceError as error:
    print(error)
"""


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_line_without_end(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"report.{kind}"
    try:
        assert "is no report" in bounded(LARGE, path, ",".join(COLUMNS) + '\n"')
    finally:
        path.unlink()


def test_a_pipe_that_nobody_writes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "report.csv")
    monkeypatch.setattr("asyncsdk.sources.pipes.opened_pipe.__defaults__", (0.01,))
    _told(tmp_path / "report.csv")


def test_rows_of_several_groups_are_not_sent_to_the_last(
    sandbox: SandboxThread, tmp_path: Path
) -> None:
    groups = [sandbox.add_group("one"), sandbox.add_group("two")]
    path = tmp_path / "report.jsonl"
    REPORT.to_jsonl(path)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows = [row | {"delivery": "not_sent"} for row in rows if row["outcome"] == "failed"]
    for known in ([groups[0], groups[1]], [groups[0], None]):
        lines = [
            json.dumps(row | ({} if group is None else {"group": group}))
            for group in known
            for row in rows
        ]
        path.write_text("\n".join(lines))
        for words in ([], ["-g", groups[0]]):
            done = run("retry", path, *words, sandbox=sandbox)
            assert done.exit_code == 2, done.output
            assert "several groups" in done.output
            assert str(groups[0]) in done.output
    assert not sandbox.commits
    path.write_text("\n".join(json.dumps(row | {"group": groups[1]}) for row in rows))
    run("retry", path, sandbox=sandbox)
    assert {commit.group_id for commit in sandbox.commits} == {groups[1]}


@pytest.mark.parametrize(
    "words", [["--group"], ["-g", "7", "--rate"], ["-g", "7", "--concurrency"]]
)
@pytest.mark.parametrize("value", ["9" * 5000, "9" * 19, f"1-{'9' * 5000}", f"{'9' * 5000}/min"])
def test_5000_digits_are_usage(
    words: list[str], value: str, sandbox: SandboxThread, tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text("+491711234567\n")
    done = run("upload", tmp_path / "list.csv", *words, value, sandbox=sandbox)
    assert done.exit_code == 2, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert len(done.output) < 2000 or words == ["--group"]
    assert not sandbox.commits


def test_columns_of_5000_digits(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("Mobil\n+491711234567\n")
    for column in ("9" * 5000, f"Mobil#{'9' * 5000}"):
        done = run("check", tmp_path / "list.csv", "--map", f"phone={column}")
        assert done.exit_code == 2
        assert "there is no column" in done.output
