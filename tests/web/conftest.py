from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk.testing import SandboxThread
from tests.rig import client_at
from tests.web.app import application
from tests.web.serving import Server, ServerHere

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


@pytest.fixture
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread() as running:
        yield running


@pytest.fixture
def serve(sandbox: SandboxThread, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Serves the page by processes of its own, with these options."""
    with ExitStack() as running:

        def start(workers: int = 1, **options: Any) -> Server:
            return running.enter_context(Server(sandbox, tmp_path / "uploads", workers, **options))

        yield start


@pytest.fixture
async def here(sandbox: SandboxThread, tmp_path: Path) -> AsyncIterator[Callable[..., ServerHere]]:
    """Serves the page in the event loop of the test, with these options."""
    servers: list[ServerHere] = []

    def client() -> Any:
        return client_at(sandbox.url, client_id=sandbox.client_id, api_key=sandbox.api_key)

    def make(**options: Any) -> ServerHere:
        app = application(tmp_path / "uploads", client, **{"look_every": 0.5, **options})
        servers.append(ServerHere(app))
        return servers[-1]

    yield make
    for server in servers:
        await server.end()
