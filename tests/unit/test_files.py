from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from asyncsdk.files import replacing


def write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text)


def test_a_file_is_replaced_once_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    write(path, "old")
    with replacing(path) as file:
        file.write("new")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"
    assert [found.name for found in tmp_path.iterdir()] == ["report.csv"]


def test_nothing_is_left_of_a_file_that_failed(tmp_path: Path) -> None:
    def fail() -> None:
        with replacing(tmp_path / "report.csv") as file:
            file.write("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_device_stays_a_device() -> None:
    write(Path("/dev/null"), "x")
    assert Path("/dev/null").is_char_device()


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_text, encoding="utf-8")
        write(pipe, "through")
        assert read.result() == "through"
    assert pipe.is_fifo()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "real.csv")
    write(link, "x")
    assert link.is_symlink()
    assert (tmp_path / "real.csv").read_text(encoding="utf-8") == "x"


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "no" / "report.csv"
    with pytest.raises(FileNotFoundError) as told:
        write(path, "x")
    assert told.value.filename == str(path)
