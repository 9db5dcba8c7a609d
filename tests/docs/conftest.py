from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from docs.site import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("documentation") / "site"
    build(folder)
    return folder


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """What a page sets up of the logs is undone."""
    root, ours = logging.getLogger(), logging.getLogger("asyncsdk")
    before = root.level, ours.level, list(root.handlers)
    yield
    root.setLevel(before[0])
    ours.setLevel(before[1])
    root.handlers[:] = before[2]
