"""Every piece of code of every page does what the page says, in a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import PAGES, pieces
from tests.docs.running import PageRun

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("page", [page for page in PAGES if list(pieces(page))])
def test_what_a_page_shows_runs(page: str, tmp_path: Path) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    with PageRun(page, folder) as run:
        run.run()
    assert run.ran > 0
