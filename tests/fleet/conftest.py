from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.leaping import LeapingLoop

if TYPE_CHECKING:
    from pathlib import Path


def pytest_asyncio_loop_factories() -> dict[str, type[LeapingLoop]]:
    """No test waits for real."""
    return {"leaping": LeapingLoop}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where a state may be."""
    return tmp_path / "state"
