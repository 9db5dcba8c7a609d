"""The example notebook in a real kernel, also one that is interrupted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from asyncsdk.testing import SandboxThread

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebook.ipynb"
COUNT = 20_000


def of(sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch) -> NotebookClient:
    """The notebook, with the sandbox's credentials in its environment."""
    found = {
        "ASYNCSDK_BASE_URL": sandbox.url,
        "ASYNCSDK_CLIENT_ID": sandbox.client_id,
        "ASYNCSDK_API_KEY": sandbox.api_key,
        "GROUP": str(sandbox.add_group("people")),
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    return NotebookClient(notebook, timeout=60)


@pytest.fixture
def slow() -> Iterator[SandboxThread]:
    with SandboxThread(latency=0.3) as running:
        yield running


async def test_it_shows_progress_and_a_report(
    sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = of(sandbox, monkeypatch)
    await client.async_execute()
    assert len(sandbox.commits) == COUNT
    progress, report = _outputs(client, 3)
    assert "20,000 of 20,000 phones: 20,000 created" in progress["text/html"]
    assert "20,000" in report["text/html"]
    assert "'created_count': 20000" in _outputs(client, 5)[0]["text/plain"]


async def test_an_interrupted_kernel_leaves_the_account_reachable(
    slow: SandboxThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = of(slow, monkeypatch)
    cells = client.nb.cells
    async with client.async_setup_kernel():
        await client.async_execute_cell(cells[1], 1)
        running = asyncio.create_task(client.async_execute_cell(cells[3], 3))
        while len(slow.commits) < 5_000:  # noqa: ASYNC110 - the sandbox has no event for it
            await asyncio.sleep(0.01)
        kernel: Any = client.km
        await kernel.interrupt_kernel()
        with pytest.raises(CellExecutionError, match=r"KeyboardInterrupt|CancelledError"):
            await running
        await client.async_execute_cell(cells[5], 5)
        told = _outputs(client, 5)[0]["text/plain"]
    assert "'stopped_by': 'cancelled'" in told or "'stopped_by': 'error'" in told
    summary: dict[str, Any] = eval(told)  # noqa: S307 - a dictionary of our own
    rejected = summary["invalid_count"] + summary["failed_count"] + summary["skipped_count"]
    assert summary["submitted"] == summary["created_count"] + rejected
    assert summary["created_count"] <= len(slow.commits)
    assert len(slow.commits) <= summary["created_count"] + summary["unknown_count"]


def _outputs(client: NotebookClient, cell: int) -> list[dict[str, str]]:
    return [each["data"] for each in client.nb.cells[cell].outputs if "data" in each]
