"""A stand-in for the provider in your own tests: the sandbox, and pytest fixtures that serve it.

In your `conftest.py`:

    pytest_plugins = ["asyncsdk.testing"]

and in a test, whichever plugin runs your coroutines, or none:

    async def test_signup(lox24_sandbox):
        group_id = lox24_sandbox.add_group("newsletter")
        await signup(base_url=lox24_sandbox.url, ...)
        assert [commit.phone for commit in lox24_sandbox.commits] == ["+4915112345678"]

PYTEST_DONT_REWRITE: there is no assert in here, and a `conftest.py` may import what it likes from
this module and name it as a plugin besides, without pytest warning that it came too late.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from asyncsdk.sandbox import (
    FAULTS,
    STYLES,
    Commit,
    Fault,
    Faults,
    ReplyStyle,
    RequestLimit,
    RequestRecord,
    Sandbox,
    SandboxThread,
    StoredPhone,
)

try:
    import pytest
except ImportError as _error:  # pragma: no cover - the tests need pytest to see this
    _msg = "asyncsdk.testing needs pytest: install it with `pip install pytest`"
    raise ImportError(_msg) from _error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "FAULTS",
    "STYLES",
    "Commit",
    "Fault",
    "Faults",
    "ReplyStyle",
    "RequestLimit",
    "RequestRecord",
    "Sandbox",
    "SandboxThread",
    "StoredPhone",
    "lox24_sandbox",
    "lox24_sandbox_factory",
]


@pytest.fixture
def lox24_sandbox_factory() -> Iterator[Callable[..., SandboxThread]]:
    """Makes sandboxes with the options of `Sandbox`; they stop when the test ends."""
    with ExitStack() as running:

        def factory(**options: Any) -> SandboxThread:
            return running.enter_context(SandboxThread(**options))

        yield factory


@pytest.fixture
def lox24_sandbox(lox24_sandbox_factory: Callable[..., SandboxThread]) -> SandboxThread:
    """A sandbox with the default options, in a thread of its own."""
    return lox24_sandbox_factory()
