"""A journal from somebody else: our error, in little memory and time, whatever is in it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import stat
import zlib
from array import array
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from asyncsdk import Client, UploadReport
from asyncsdk.config import Journal
from asyncsdk.errors import ConfigurationError, JournalError
from tests.cli.kit import run
from tests.hostile.child import bounded
from tests.rig import connected, phones

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncsdk.testing import SandboxThread

    Attack = Callable[[sqlite3.Connection], object]

BOMB = zlib.compress(b"[" + b"{}," * (1 << 20) + b"{}]", 9)
ZEROS = zlib.compressobj(9)
HUGE = b"".join([*(ZEROS.compress(bytes(1 << 20)) for _ in range(2048)), ZEROS.flush()])
DEEP = json.dumps({"detail": 1}).replace("1", "[" * 100_000)


def sql(text: str, *values: object) -> Attack:
    return lambda file: file.execute(text, values)


def script(text: str) -> Attack:
    return lambda file: file.executescript(text)


def view(table: str, columns: str, values: str) -> Attack:
    """In the place of a table, of rows without end."""
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
    parts = [f"DROP TABLE {table};", f"CREATE VIEW {table}({columns}) AS", endless]
    return script(" ".join([*parts, f"SELECT {values} FROM n"]))


RUN = "id, elapsed, requests, retries, throttled, batches, bytes, complete, stopped_by, history"

ATTACKS: dict[str, Attack] = {
    "reply that inflates": sql("UPDATE entry SET members = ?", BOMB),
    "reply of 2 GiB": sql("UPDATE entry SET members = ?", HUGE),
    "indices of 2 GiB": sql("UPDATE entry SET indices = ?", HUGE),
    "reply cut off": sql("UPDATE entry SET members = substr(members, 1, 20)"),
    "reply that is none": sql("UPDATE entry SET members = ?", zlib.compress(b"7")),
    "reply of one": sql("UPDATE entry SET members = ?", zlib.compress(b"[{}]")),
    "reply as text": sql("UPDATE entry SET members = 'x'"),
    "indices that fall": sql("UPDATE entry SET indices = ?", zlib.compress(array("q", [9, 1]))),
    "indices of odd bytes": sql("UPDATE entry SET indices = ?", zlib.compress(b"abc")),
    "phones that are none": sql("UPDATE batch SET phones = ?", b"[" + b"1," * 5000 + b"1]"),
    "phones nested": sql("UPDATE batch SET phones = ?", b"[" * 100_000),
    "phones too few": sql("UPDATE batch SET phones = ?", b'[{"phone":"1"}]' + b" " * 5000),
    "phones as number": sql("UPDATE batch SET phones = 7"),
    "no phones": sql("DELETE FROM batch"),
    "problem nested": sql("UPDATE entry SET problem = ?", DEEP),
    "problem as blob": sql("UPDATE entry SET problem = x'00ff'"),
    "id as blob": sql("UPDATE entry SET request_id = x'00ff'"),
    "rows negative": sql("UPDATE entry SET rows = -5"),
    "rows without end": sql("UPDATE entry SET rows = 1 << 62, last = 1 << 62"),
    "rows as text": sql("UPDATE entry SET rows = 'many'"),
    "rows more": sql("UPDATE entry SET rows = rows - 1"),
    "counts that do not agree": sql("DELETE FROM entry WHERE id = 1"),
    "counts twice": sql("UPDATE chunk SET rows = rows * 2"),
    "first beyond last": sql("UPDATE entry SET first = last + 1"),
    "outcome unknown": sql("UPDATE entry SET outcome = 'perhaps'"),
    "delivery unknown": sql("UPDATE entry SET delivery = NULL"),
    "status as text": sql("UPDATE entry SET status = 'ok'"),
    "attempts of 60 bits": sql("UPDATE entry SET attempts = 1 << 60"),
    "kept twice": sql("UPDATE entry SET kept = 2"),
    "elapsed without end": sql("UPDATE run SET elapsed = 9e999"),
    "throttled as text": sql("UPDATE run SET throttled = 'long'"),
    "requests without end": sql("UPDATE run SET requests = 9e300"),
    "stopped by nobody": sql("UPDATE run SET complete = 0, stopped_by = 'nobody'"),
    "group as text": sql("UPDATE meta SET value = 'x' WHERE key = 'group'"),
    "group as blob": sql("UPDATE meta SET value = x'ff' WHERE key = 'group'"),
    "notes as number": sql("INSERT OR REPLACE INTO meta VALUES ('notes', 7)"),
    "log as text": sql("INSERT OR REPLACE INTO meta VALUES ('log', 'xxxxxxxx')"),
    "key as blob": sql("INSERT INTO meta VALUES (x'ff', 7)"),
    "digest as text": sql("UPDATE chunk SET digest = 'x'"),
    "state unknown": sql("INSERT INTO held VALUES (1, 9, NULL, 0, 0, NULL, NULL, NULL)"),
    "held nothing": sql("INSERT INTO held VALUES (1 << 40, 0, NULL, 0, 0, NULL, NULL, NULL)"),
    "no run": sql("DELETE FROM run"),
    "view of entries": view("entry", "id, outcome, rows", "x, 'created', 1"),
    "view of runs": view("run", RUN, "x, 1, 1, 1, 1, 1, 1, 1, 1, 1"),
    "view of meta": view("meta", "key, value", "'log', x"),
    "view more": script("CREATE VIEW more AS SELECT * FROM entry"),
    "trigger": script(
        "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM meta; DELETE FROM entry; END"
    ),
    "table more": script("CREATE TABLE more (x)"),
    "index more": script("CREATE INDEX more ON entry (rows)"),
    "table otherwise": script("DROP TABLE held; CREATE TABLE held (batch)"),
    "table generated": script(
        "DROP TABLE chunk; CREATE TABLE chunk "
        "(first INTEGER PRIMARY KEY, rows INTEGER AS (first), digest INTEGER)"
    ),
    "virtual table": script("DROP TABLE chunk; CREATE VIRTUAL TABLE chunk USING fts5(first, rows)"),
    "table gone": script("DROP TABLE batch"),
    "version of the future": script("PRAGMA user_version = 99"),
    "another program's": script("PRAGMA application_id = 7"),
}
COURSES: dict[str, dict[str, object]] = {
    "no width": {"width": 0.0},
    "width below nothing": {"width": -1},
    "width without end": {"width": 10**400},
    "slots without end": {"slots": [{}] * 20_000},
    "slots of nothing": {"slots": [{"settled": -1}]},
    "slots as text": {"slots": "x"},
    "latencies": {"latencies": [1] * 10_000},
    "latencies below nothing": {"latencies": [-5]},
}
for name, course in COURSES.items():
    told = json.dumps({"width": 0.1, "slots": [{}], "latencies": [1], **course})
    ATTACKS[f"course: {name}"] = sql("UPDATE run SET history = ?", told)
ATTACKS["course: not a number"] = sql(
    "UPDATE run SET history = ?", '{"width": NaN, "slots": [], "latencies": []}'
)

READ = """
from asyncsdk import JournalError, UploadReport
for path in sys.argv[1:]:
    try:
        report = UploadReport.open(path)
        list(report.created), list(report.failed), list(report.invalid), list(report.skipped)
        report.to_html("/dev/null")
        print(path, "is read")
    except JournalError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A journal of an upload that ended."""
    path = tmp_path_factory.mktemp("journal") / "upload.journal"

    async def upload() -> None:
        async with connected() as rig:
            await rig.upload([*phones(40), ""], journal=path, batch_size=10)

    asyncio.run(upload())
    return path.read_bytes()


def attacked(attack: Attack, whole: bytes, path: Path) -> Path:
    path.write_bytes(whole)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        attack(file)
    return path


def test_none_is_read(whole: bytes, tmp_path: Path) -> None:
    """In one process for all of them, so that what one leaves in memory counts, too."""
    paths = [
        attacked(attack, whole, tmp_path / f"{at}.journal")
        for at, attack in enumerate(ATTACKS.values())
    ]
    told = bounded(READ, *paths).splitlines()
    read = [list(ATTACKS)[at] for at, line in enumerate(told) if line.endswith("is read")]
    assert read == []
    assert len(told) == len(paths)
    (tmp_path / "whole").write_bytes(whole)
    assert bounded(READ, tmp_path / "whole").endswith("is read\n")


@pytest.mark.parametrize("name", ATTACKS)
def test_none_is_a_traceback_of_a_command(name: str, whole: bytes, tmp_path: Path) -> None:
    path = attacked(ATTACKS[name], whole, tmp_path / "a.journal")
    for command in ("report", "retry", "resume"):
        done = run(command, path)
        assert done.exit_code in {1, 2}, done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)


@pytest.mark.parametrize("name", ATTACKS)
async def test_nothing_is_sent_of_one(name: str, whole: bytes, tmp_path: Path) -> None:
    path = attacked(ATTACKS[name], whole, tmp_path / "a.journal")
    async with connected() as rig:
        with suppress(JournalError):  # what was answered is not looked at again
            await rig.upload([*phones(40), ""], journal=path, batch_size=10)
        assert not rig.batches


def _cycle(raw: bytearray, size: int, page: int) -> None:
    """Have an inner page of a tree lead to itself, many times over."""
    at = (page - 1) * size
    cells, place = 400, (size - 8).to_bytes(2, "big")
    head = bytes([5, 0, 0]) + cells.to_bytes(2, "big") + place + bytes(1)
    leads = page.to_bytes(4, "big")
    inner = (head + leads + place * cells).ljust(size - 8, b"\0")
    raw[at : at + size] = inner + leads + b"\1\0\0\0"


def test_a_tree_without_end(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    path.write_bytes(whole)
    with closing(sqlite3.connect(path)) as file:
        roots = [row[0] for row in file.execute("SELECT rootpage FROM sqlite_master")]
        ((size,),) = file.execute("PRAGMA page_size").fetchall()
    paths = []
    for root in roots:
        raw = bytearray(whole)
        _cycle(raw, size, root)
        paths.append(tmp_path / f"{root}.journal")
        paths[-1].write_bytes(raw)
    assert "is read" not in bounded(READ, *paths)


def test_chopped_and_scrambled(whole: bytes, tmp_path: Path) -> None:
    paths = []
    for at in range(24):
        raw = bytearray(whole)
        for place in range(at * 37, len(raw), 4001):
            raw[place] ^= 0x55
        paths += [tmp_path / f"{at}.scrambled", tmp_path / f"{at}.chopped"]
        paths[-2].write_bytes(raw)
        paths[-1].write_bytes(whole[: len(whole) * at // 24])
    assert len(bounded(READ, *paths).splitlines()) == len(paths)


def test_a_batch_too_large_to_be_read_again_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="batch_size must be at most 500,000"):
        Client(1, "k").phones.upload(7, [], journal="a", batch_size=500_001)
    assert Journal("a").mode == 0o600


@pytest.mark.parametrize(
    "command",
    [
        7,
        [],
        {"files": "x"},
        {"files": [7]},
        {"files": ["a.csv"], "rejects": "/etc/passwd"},
        {"files": ["a.csv"], "journal": "/etc/passwd"},
        {"files": ["a.csv"], "group": "8"},
        {"files": ["a.csv"], "batch_size": "x"},
        {"files": ["a.csv"], "columns": {"x": 1}},
        {"files": ["a.csv"], "unheard": 1},
        {"batch_size": 1},
    ],
)
def test_a_command_that_is_none_is_not_resumed(
    command: object, whole: bytes, tmp_path: Path
) -> None:
    notes = json.dumps({"upload": command})
    attack = sql("INSERT OR REPLACE INTO meta VALUES ('notes', ?)", notes)
    path = attacked(attack, whole, tmp_path / "a.journal")
    done = run("resume", path)
    assert done.exit_code == 2, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert UploadReport.open(path).submitted == 41


def given_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on it belongs to somebody else; who is not root becomes somebody else himself."""
    if os.geteuid() == 0:
        os.chown(path, 1234, 1234)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 1235)


@pytest.mark.parametrize("linked", [False, True])
def test_a_journal_of_another_user_is_looked_at_and_not_resumed(
    *,
    linked: bool,
    sandbox: SandboxThread,
    contacts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    group, journal = sandbox.add_group("Kunden"), tmp_path / "k.journal"
    words = ("upload", contacts, "-g", group, "--journal", journal, "--deadline", "1e-6")
    assert run(*words, sandbox=sandbox).exit_code == 4
    requests = len(sandbox.requests)
    named = tmp_path / "link.journal" if linked else journal
    if linked:
        named.symlink_to(journal)
    given_away(journal, monkeypatch)
    refused = run("resume", named, sandbox=sandbox)
    assert refused.exit_code == 2
    assert "belongs to another user" in " ".join(refused.output.split())
    assert len(sandbox.requests) == requests
    assert run("report", named).exit_code == 1
    monkeypatch.undo()
    copy = tmp_path / "copy.journal"
    shutil.copy(journal, copy)
    assert run("resume", copy, sandbox=sandbox).exit_code == 1
    assert len(sandbox.phones(group)) == 3


@pytest.mark.parametrize("bits", [0o600, 0o644, 0o666])
@pytest.mark.parametrize("folder", [0o755, 0o777])
async def test_one_that_cannot_be_made_ours_is_one_error(bits: int, folder: int) -> None:
    with TemporaryDirectory(dir="/tmp") as name:
        journal = Path(name) / "k.journal"
        async with connected() as rig:
            await rig.upload(phones(20), journal=journal, batch_size=10)
            requests = len(rig.sandbox.requests)
            os.chmod(journal, bits)  # noqa: PTH101 - beside the next one
            os.chmod(name, folder)  # noqa: PTH101 - a text
            if os.geteuid() != 0:  # ours it is, and stays
                assert (await rig.upload(phones(20), journal=journal)).ok
                return
            os.chown(journal, 1234, 1234)
            os.seteuid(65534)
            try:
                with pytest.raises(JournalError, match=r"read-only|another user|Give another"):
                    await rig.upload(phones(20), journal=journal)
            finally:
                os.seteuid(0)
            assert len(rig.sandbox.requests) == requests
            assert stat.S_IMODE(journal.stat().st_mode) == bits
