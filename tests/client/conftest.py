from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.leaping import LeapingLoop
from tests.rig import Rig, connected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def pytest_asyncio_loop_factories() -> dict[str, type[LeapingLoop]]:
    """No test waits for real."""
    return {"leaping": LeapingLoop}


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A sandbox and a client of it."""
    async with connected() as rig:
        yield rig
