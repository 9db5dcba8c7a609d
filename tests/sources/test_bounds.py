"""What a file asks for has bounds, and so has what reads it."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import resource
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.sources import read
from asyncsdk.sources.apart import process
from asyncsdk.sources.apart.process import Bounds, apart
from asyncsdk.sources.opening import open_input
from asyncsdk.sources.pipes import opened_pipe
from tests.effort import effort

from .hostile import BOMBS, outside
from .lists import WRITERS

MEMORY = 400 << 20
SMALL = [["Name", "Mobil"], ["Ann", "0160111111"], ["Bea", "0160222222"]]

READING = """
import resource, sys
from asyncsdk.errors import SourceError
from asyncsdk.sources import read
for path in sys.argv[2:]:
    try:
        print(read(path, max_bytes=int(sys.argv[1])).count(), "rows")
    except SourceError as error:
        print(str(error)[:600].replace("\\n", " "))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
# Its own peak: what `getrusage` says begins with that of whoever started it.
status = open("/proc/self/status").read()
print(status.split("VmHWM:")[1].split()[0])
"""


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (200, 200))
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


UNPACKS = (
    *("gigabyte-cell", "gigabyte-text", "gigabyte-lines", "gigabyte-cards", "gigabyte.html"),
    *("gigabyte.xml", "gigabyte.zip", "endless-array", "blanks", "rows.csv"),
)
"""Those of which more is unpacked than may be; others end before."""


TOGETHER = 6
"""Files that are read by one process: most of the time is spent to start it."""
GROUPS = [list(BOMBS)[at : at + TOGETHER] for at in range(0, len(BOMBS), TOGETHER)]


@pytest.mark.parametrize("names", GROUPS, ids=",".join)
def test_no_file_takes_what_it_asks_for(names: list[str], tmp_path: Path) -> None:
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.write_bytes(BOMBS[path.name]())
    most = effort(1 << 24, 1 << 26)
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", READING, str(most), *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=bounded,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    *said, child, peak = done.stdout.splitlines()
    assert int(peak) << 10 < MEMORY, said
    assert int(child) << 10 < MEMORY, said
    for path, told in zip(paths, said, strict=True):
        assert told.startswith(str(path)) or told.endswith("rows")
        if path.name.startswith(UNPACKS):
            assert f"unpacks to more than {most:,} bytes" in told
            assert "larger max_bytes (--max-bytes)" in told
        if "of memory" in told:
            assert f"a larger max_bytes (--max-bytes, now {most}) allows more memory" in told


@pytest.mark.parametrize("name", outside(""))
async def test_nothing_outside_of_a_file_is_read(name: str, tmp_path: Path) -> None:
    """Neither another file nor what a server has."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        writer.close()

    secret, path = tmp_path / "secret", tmp_path / name
    secret.write_text("0160999999")
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for url in (secret.as_uri(), f"http://127.0.0.1:{port}/x.dtd"):
            path.write_bytes(outside(url)[name])
            said = await asyncio.to_thread(bounded_reading, path)
            assert "0160999999" not in said
    assert not asked


def bounded_reading(path: Path) -> str:
    """What is read of a file, or why it is not."""
    try:
        return str(list(read(path, columns={"phone": 1})))
    except SourceError as error:
        return str(error)


APART = ["list.xlsx", "list.xls", "list.ods", "list.parquet", "list.arrow", "list.arrows"]
"""What is read by a process of its own."""
TABLE = [["Name", "Mobil"], *(["Ann", f"0160{at:07}"] for at in range(30_000))]


def small(name: str, folder: Path) -> Path:
    path: Path = WRITERS[name]([["Name", "Mobil"], ["Ann", "0160111111"]], folder / name)
    return path


def children(of: int) -> list[int]:
    """The processes that a process started."""
    tasks = Path(f"/proc/{of}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text(encoding="ascii").split()]


def own_child() -> int:
    (child,) = children(os.getpid())
    return child


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A file whose messages are more than a pipe holds: its child waits for us."""
    path: Path = WRITERS["list.parquet"](TABLE, tmp_path / "list.parquet")
    return path


def messages_of(path: Path, patience: float = 60.0) -> Any:
    bounds = Bounds(max_bytes=1 << 32, patience=patience)
    return apart("tables", "polars", open_input(path, 0), {"format": "parquet"}, bounds)


@pytest.mark.parametrize("cause", ["SIGABRT", "SIGKILL", "SIGTERM", "SIGSEGV"])
def test_the_death_of_a_child_is_one_error_that_says_what_to_do(table: Path, cause: str) -> None:
    with messages_of(table) as messages:
        assert next(messages) == TABLE[0]
        os.kill(own_child(), signal.Signals[cause])
        with pytest.raises(SourceError, match=f"{cause}.*save it as CSV.*max_bytes") as caught:
            list(messages)
    assert (caught.value.path, caught.value.line) == (str(table), 1)


def test_a_child_that_says_nothing_is_given_up(table: Path) -> None:
    """It cannot even start in that time."""
    with (
        pytest.raises(SourceError, match=r"took more than 0\.001 seconds: .*save it as CSV"),
        messages_of(table, patience=0.001) as messages,
    ):
        list(messages)
    assert children(os.getpid()) == []


def test_a_consumer_may_take_its_time(table: Path) -> None:
    with messages_of(table) as messages:
        next(messages)
        with messages_of(table) as others:
            assert len(list(others)) == 4, "while the first one waits"
        assert sum(len(columns[0]) for columns in messages) == 30_000


@pytest.mark.parametrize("name", APART)
def test_nothing_is_left_of_a_reading(name: str, tmp_path: Path) -> None:
    rows = iter(read(small(name, tmp_path)))
    next(rows)
    rows.close()  # type: ignore[attr-defined]
    assert children(os.getpid()) == []


def test_whoever_is_interrupted_leaves_no_child(table: Path) -> None:
    with pytest.raises(KeyboardInterrupt), messages_of(table) as messages:
        next(messages)
        raise KeyboardInterrupt
    assert children(os.getpid()) == []


PARENT = """
import os, sys
from asyncsdk.sources.apart.process import Bounds, apart
from asyncsdk.sources.opening import open_input
source, bounds = open_input(sys.argv[1], 0), Bounds(max_bytes=1 << 32)
with apart("tables", "polars", source, {"format": "parquet"}, bounds) as messages:
    next(messages)
    print("reading", flush=True)
    sys.stdin.read()
"""


def test_a_child_does_not_outlive_its_parent(table: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", PARENT, str(table)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        (child,) = children(parent.pid)
        watched = os.pidfd_open(child)
        os.kill(child, signal.SIGSTOP)  # it does nothing by itself
        parent.kill()
    os.kill(child, signal.SIGCONT)
    assert select.select([watched], [], [], 30)[0], "it goes on"
    os.close(watched)


@pytest.mark.parametrize("name", ["list.xlsx", "list.parquet"])
async def test_threads_may_read_at_the_same_time(name: str, tmp_path: Path) -> None:
    path = small(name, tmp_path)

    async def numbers() -> list[str]:
        source = await asyncio.to_thread(read, path)
        return [phone.phone async for phone in source]

    assert await asyncio.gather(*(numbers() for _ in range(4))) == [["0160111111"]] * 4


UNGUARDED = """
import sys
from asyncsdk.sources import read
print("started")
print([phone.phone for phone in read(sys.argv[1])])
"""


@pytest.mark.parametrize("name", ["list.xlsx", "list.parquet"])
def test_a_script_without_a_guard_runs_once(name: str, tmp_path: Path) -> None:
    """Nor do modules beside it stand for those of Python."""
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED, encoding="utf-8")
    (tmp_path / "zlib.py").write_text("raise SystemExit('not this one')", encoding="utf-8")
    (tmp_path / "signal.py").write_text("raise SystemExit('nor this')", encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-P", str(script), str(small(name, tmp_path))],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.stdout == "started\n['0160111111']\n", done.stderr


def test_a_program_that_has_no_python_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small("list.xlsx", tmp_path)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(SourceError, match=r"multiprocessing\.set_executable, or save it as CSV"):
        read(path)
    monkeypatch.delattr(sys, "frozen")
    monkeypatch.setattr(process, "python", lambda: str(tmp_path / "none"))
    with pytest.raises(SourceError, match="no process can be started to read it"):
        read(path)


def test_the_key_is_not_in_the_child(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCSDK_API_KEY", "kept-from-the-child")
    with messages_of(table) as messages:
        next(messages)
        environment = Path(f"/proc/{own_child()}/environ").read_bytes()
    assert b"PATH=" in environment
    assert b"kept-from-the-child" not in environment


@pytest.mark.parametrize("name", ["list.csv", "list.json", "list.xlsx", "list.parquet"])
@pytest.mark.parametrize("pipe", [False, True])
def test_what_unpacks_to_too_much_says_how_to_allow_it(
    name: str, *, pipe: bool, tmp_path: Path
) -> None:
    rows = [["Name", "Mobil"], *(["Ann", f"0160{at * 7919 % 10_000_000:07}"] for at in range(2000))]
    writer = WRITERS.get(name) or WRITERS["list.tsv"]
    raw = gzip.compress(writer(rows, tmp_path / name).read_bytes())

    def opened() -> Any:
        held = io.BytesIO(raw)
        if pipe:
            held.seekable = lambda: False  # type: ignore[method-assign]
        return held

    with pytest.raises(SourceError, match=r"unpacks to more than 5,000 bytes.*larger max_bytes"):
        read(opened(), max_bytes=5000).count()
    assert read(opened(), max_bytes=1 << 22).count() == 2000


@pytest.mark.parametrize("size", [0, -1])
def test_there_is_no_such_bound(size: int) -> None:
    with pytest.raises(ConfigurationError, match="max_bytes must be a whole number"):
        read(io.BytesIO(b"Mobil\n0160111111\n"), max_bytes=size)


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "list"
    os.mkfifo(path)
    return path


def test_a_pipe_that_nobody_writes_to_does_not_hold(fifo: Path) -> None:
    with pytest.raises(SourceError, match=r"nobody has written to for 0\.05 seconds") as caught:
        opened_pipe(fifo, 0.05)
    assert caught.value.path == str(fifo)


PIPED = ["list.tsv", "list.jsonl", "list.json", "list.xlsx", "list.ods", "list.xls"]
PIPED += ["list.parquet", "list.arrow", "list.arrows"]


@pytest.mark.parametrize(
    ("name", "packed"),
    [*((name, False) for name in PIPED), ("list.xlsx", True), ("list.parquet", True)],
)
def test_a_named_pipe_is_read_once(name: str, *, packed: bool, fifo: Path, tmp_path: Path) -> None:
    raw = small(name, tmp_path).read_bytes()
    raw = gzip.compress(raw) if packed else raw
    writer = threading.Thread(target=fifo.write_bytes, args=(raw,))
    writer.start()
    source = read(fifo)
    assert [phone.phone for phone in source] == ["0160111111"]
    assert source.path == str(fifo)
    writer.join()


@pytest.mark.parametrize("name", ["list.xlsx", "list.parquet"])
def test_a_pipe_whose_writer_gives_up_is_one_error(name: str, fifo: Path, tmp_path: Path) -> None:
    raw = small(name, tmp_path).read_bytes()
    for part in (b"", raw[:10], raw[: len(raw) // 2]):
        writer = threading.Thread(target=fifo.write_bytes, args=(part,))
        writer.start()
        with pytest.raises(SourceError):
            read(fifo)
        writer.join()


STDIN = """
from asyncsdk.errors import SourceError
from asyncsdk.sources import read
try:
    print([phone.phone for phone in read("-")])
except SourceError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["list.xlsx", "list.parquet"])
def test_standard_input_is_any_format(name: str, tmp_path: Path) -> None:
    raw = small(name, tmp_path).read_bytes()
    for given, said in (
        (raw, "['0160111111']\n"),
        (raw[:5], None),
        (b"", "<stdin>, line 1: is empty\n"),
    ):
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", STDIN], input=given, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert said is None or done.stdout.decode() == said
