"""Requests that may be repeated: idempotent methods (RFC 9110 §9.2.2), by the same policy."""

from __future__ import annotations

import asyncio
from itertools import count
from random import Random
from typing import TYPE_CHECKING, TypeVar

from asyncsdk.errors import ApiError, AsyncSDKError
from asyncsdk.upload.retry import Verdict, backoff, verdict_of_error, verdict_of_status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncsdk.config import RetryPolicy

__all__ = ["patiently"]

T = TypeVar("T")

_PASSING = {Verdict.AGAIN, Verdict.PAUSE, Verdict.DOUBT}


async def patiently(
    policy: RetryPolicy, ask: Callable[[], Awaitable[T]], random: Random | None = None
) -> T:
    """What `ask` gives, asked again while it fails for a reason that passes.

    Raises:
        AsyncSDKError: The last failure, when it does not pass or the policy is used up.
    """
    random = random or Random()
    waited = 0.0
    for attempt in count(1):
        try:
            return await ask()
        except AsyncSDKError as error:
            api = isinstance(error, ApiError)
            verdict = verdict_of_status(error.status) if api else verdict_of_error(error)  # type: ignore[attr-defined]
            asked = (error.retry_after if isinstance(error, ApiError) else None) or 0.0
            pause = asked + backoff(policy, attempt, random)
            waited += pause
            over = attempt >= policy.attempts or waited > policy.max_wait
            if verdict not in _PASSING or over:
                raise
        await asyncio.sleep(pause)
    raise AssertionError  # count() does not end
