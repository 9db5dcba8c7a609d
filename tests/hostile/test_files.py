"""Files of ours: for their owner alone, whole or not there, and nothing of others touched."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk.config import Journal
from asyncsdk.errors import ConfigurationError
from asyncsdk.files import check_writable, placing, replacing, working_folder
from tests.unit.samples import created_entry, failed_entry, invalid_entry, report_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


REPORT = report_of(failed_entry([2]), created_entry([0, 3]), invalid_entry([1, 4]))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


WRITERS: dict[str, Callable[[Path], Any]] = {
    ".csv": REPORT.to_csv,
    ".jsonl": REPORT.to_jsonl,
    ".parquet": REPORT.to_parquet,
    ".html": REPORT.to_html,
    "-rejects.csv": lambda path: REPORT.to_rejects(path, ["1", "2", "3"]),
    "-rejects.xlsx": lambda path: REPORT.to_rejects(path, ["1", "2", "3"]),
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("umask", [0, 0o22, 0o77])
def test_a_new_file_is_its_owners_alone(kind: str, umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        WRITERS[kind](tmp_path / f"report{kind}")
    finally:
        os.umask(before)
    assert {path.name: mode(path) for path in tmp_path.iterdir()} == {f"report{kind}": 0o600}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("bits", [0o600, 0o640, 0o644, 0o666])
def test_one_that_is_replaced_keeps_its_mode(kind: str, bits: int, tmp_path: Path) -> None:
    path = tmp_path / f"report{kind}"
    path.touch()
    path.chmod(bits)
    WRITERS[kind](path)
    assert path.stat().st_size
    assert mode(path) == bits


def test_one_that_is_replaced_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.touch(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    before = path.stat()
    REPORT.to_csv(path)
    after = path.stat()
    assert (after.st_uid, after.st_gid, mode(path)) == (before.st_uid, before.st_gid, 0o640)


def test_while_it_is_written_nobody_else_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.touch(0o666)
    path.chmod(0o666)
    with replacing(path) as file:
        file.write("+491711234567")
        file.flush()
        assert {mode(part) for part in tmp_path.iterdir() if part != path} == {0o600}


def test_the_umask_of_the_process_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> int:
        raise AssertionError

    monkeypatch.setattr(os, "umask", refuse)
    for kind, write in WRITERS.items():
        write(tmp_path / f"report{kind}")


def test_files_of_other_threads_keep_their_modes(tmp_path: Path) -> None:
    done = threading.Event()

    def touch() -> set[int]:
        found = set()
        while not done.is_set():
            other = tmp_path / "other"
            other.touch()
            found.add(mode(other))
            other.unlink()
        return found

    with ThreadPoolExecutor() as pool:
        modes = pool.submit(touch)
        for _ in range(200):
            with replacing(tmp_path / "report.csv") as file:
                file.write("x")
        done.set()
        assert len(modes.result()) == 1


KILLED = """
import os, signal, sys
from asyncsdk.files import placing, working_folder
with placing(sys.argv[1]) as place:
    place.write_text("+491711234567")
    with working_folder(place) as folder:
        open(folder + "/more", "w").write("+491711234568")
        print("there", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, path], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert len(list(path.parent.iterdir())) >= 2


@pytest.mark.parametrize("name", ["report.csv", "x" * 255])
def test_what_a_killed_process_left_is_removed_by_the_next(name: str, tmp_path: Path) -> None:
    killed(tmp_path / name)
    killed(tmp_path / "another")
    with replacing(tmp_path / "new") as file:
        file.write("x")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_look_whether_it_can_be_written_removes_it_too(tmp_path: Path) -> None:
    killed(tmp_path / "report.csv")
    check_writable(tmp_path / "report.csv")
    assert list(tmp_path.iterdir()) == []


def test_what_another_is_writing_stays(tmp_path: Path) -> None:
    with replacing(tmp_path / "one") as one:
        one.write("1")
        with replacing(tmp_path / "two") as two:
            two.write("2")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"one": "1", "two": "2"}


def test_many_write_in_one_folder(tmp_path: Path) -> None:
    def write(number: int) -> None:
        with replacing(tmp_path / f"{number % 8}") as file:
            file.write(str(number % 8))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(400)))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        str(number): str(number) for number in range(8)
    }


def test_what_is_swept_follows_no_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    place = tmp_path / "reports"
    place.mkdir()
    (place / ".asyncsdk-1.part").symlink_to(precious / "file")
    (place / ".asyncsdk-2.part").touch()
    (place / ".asyncsdk-2.work").symlink_to(precious)
    os.link(precious / "file", place / ".asyncsdk-3.part")
    os.mkfifo(place / ".asyncsdk-4.part")
    with replacing(place / "report.csv") as file:
        file.write("x")
    assert (precious / "file").read_text() == "mine"
    assert (place / "report.csv").read_text() == "x"


def test_a_device_gets_a_folder_elsewhere() -> None:
    with placing("/dev/null") as place, working_folder(place) as folder:
        assert Path(folder).is_dir()
    assert not Path(folder).exists()


@contextmanager
def foreign_link(target: Path) -> Iterator[Path]:
    with TemporaryDirectory(dir="/tmp") as name:
        link = Path(name) / "link"
        link.symlink_to(target)
        if os.geteuid() == 0:
            os.chown(link, 1234, 1234, follow_symlinks=False)
        yield link


def test_a_link_of_somebody_else_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    with foreign_link(target) as link:
        if os.geteuid() != 0:
            monkeypatch.setattr(os, "geteuid", lambda: 1235)
        with pytest.raises(PermissionError, match="another user"):
            REPORT.to_csv(link)
        with pytest.raises(PermissionError, match="another user"):
            check_writable(link)
        with pytest.raises(ConfigurationError, match="another user"):
            Journal(link)
    assert target.read_text() == "mine"


@pytest.mark.parametrize("bits", [0o400, 0o1600, -1, True, "600", 0o4600])
def test_no_mode_of_a_journal(bits: Any) -> None:
    with pytest.raises(ConfigurationError, match="mode must be permissions"):
        Journal("a", mode=bits)
