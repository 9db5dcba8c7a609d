from __future__ import annotations

from tests.leaping import LeapingLoop


def pytest_asyncio_loop_factories() -> dict[str, type[LeapingLoop]]:
    """No test waits for real."""
    return {"leaping": LeapingLoop}
