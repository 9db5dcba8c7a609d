"""An upload that has ended is gone with its last reference: no rows wait for the collector."""

from __future__ import annotations

import gc
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.rig import phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from tests.rig import Rig

PHONES = phones(25)
OURS = tuple(f"asyncsdk.{room}." for room in ("upload", "ledger", "sources", "report", "wire"))


def listed() -> Any:
    return PHONES


async def lazily() -> AsyncIterator[Any]:
    for phone in PHONES:
        yield phone


def generated() -> Iterator[Any]:
    yield from PHONES


SOURCES: tuple[Callable[[], Any], ...] = (listed, lazily, generated)
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "told": {"on_progress": id},
    "limited": {"deadline": 60.0},
    "lingering": {"linger": 0.01},
    "reconciling": {"on_unknown": "reconcile"},
    "skipping": {"duplicates": "skip", "existing": "skip"},
    "dry": {"dry_run": True},
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", OPTIONS)
async def test_an_upload(kind: str, source: Callable[[], Any], rig: Rig) -> None:
    async def once() -> None:
        await rig.upload(source(), batch_size=10, **OPTIONS[kind])

    assert not await left_over(once)


@pytest.mark.parametrize("source", SOURCES)
async def test_one_that_is_iterated(source: Callable[[], Any], rig: Rig) -> None:
    async def once() -> None:
        async for _ in rig.upload(source(), batch_size=10):
            pass

    assert not await left_over(once)


async def test_one_that_is_stopped(rig: Rig) -> None:
    async def once() -> None:
        upload = rig.upload(lazily(), batch_size=10)
        upload.start()
        await upload.stop()

    assert not await left_over(once)


async def left_over(once: Callable[[], Awaitable[None]]) -> Counter[str]:
    """What of an upload only the collector takes away; servers of other tests are there, too."""
    await once()  # what is made once is made
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await once()
        gc.collect()
        kinds = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.garbage)
        return Counter(kind for kind in kinds if kind.startswith(OURS))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
