from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk.testing import SandboxThread
from tests.web.serving import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread() as running:
        yield running


@pytest.fixture
def serve(sandbox: SandboxThread, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Serves the page with these options."""
    with ExitStack() as running:

        def start(workers: int = 1, **options: Any) -> Server:
            return running.enter_context(Server(sandbox, tmp_path / "uploads", workers, **options))

        yield start
