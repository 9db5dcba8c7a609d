from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integrations.redis_server import RedisServer
from tests.leaping import LeapingLoop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pytest_asyncio_loop_factories() -> dict[str, type[LeapingLoop]]:
    """No test waits for real."""
    return {"leaping": LeapingLoop}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where a state may be."""
    return tmp_path / "state"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server
