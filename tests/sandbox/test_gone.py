"""What becomes of a sandbox that nobody needs any more."""

from __future__ import annotations

import gc
import weakref

from asyncsdk.sandbox import Sandbox
from tests.rig import client_of, numbers


async def test_a_sandbox_that_is_gone_keeps_nothing_of_what_it_stored() -> None:
    async with Sandbox() as sandbox, client_of(sandbox) as client:
        report = await client.phones.upload(sandbox.add_group("people"), numbers(10))
        assert report.ok
        await client.me()
    stored = weakref.ref(sandbox._store)
    del sandbox, client
    gc.collect()
    assert stored() is None
