from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from asyncsdk.testing import SandboxThread

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread() as running:
        yield running


@pytest.fixture
def environment(sandbox: SandboxThread) -> dict[str, str]:
    return {
        "ASYNCSDK_BASE_URL": sandbox.url,
        "ASYNCSDK_CLIENT_ID": sandbox.client_id,
        "ASYNCSDK_API_KEY": sandbox.api_key,
    }
