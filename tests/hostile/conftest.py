from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk.testing import SandboxThread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    """`-v` sets up the logging of its process, which here is that of all the tests."""
    logger = logging.getLogger("asyncsdk")
    before = logger.handlers, logger.level, logger.propagate
    yield
    logger.handlers, level, logger.propagate = before
    logger.setLevel(level)


@pytest.fixture
def sandboxes() -> Iterator[Callable[..., SandboxThread]]:
    running: list[SandboxThread] = []

    def start(**options: Any) -> SandboxThread:
        running.append(SandboxThread(**options))
        running[-1].start()
        return running[-1]

    yield start
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def sandbox(sandboxes: Callable[..., SandboxThread]) -> SandboxThread:
    return sandboxes()


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    """Three good rows, one without a phone and one that the provider refuses."""
    path = tmp_path / "contacts.csv"
    rows = ["Name;Mobil", "Ann;+4915100000001", "Bea;", "Cem;+4915100000002", "Dag;nobody"]
    path.write_text("\n".join([*rows, "Eva;+4915100000003", ""]), encoding="utf-8")
    return path
