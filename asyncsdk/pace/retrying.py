"""Requests that are made again while they fail for a reason that passes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from attrs import frozen

from asyncsdk.errors import ApiError, AsyncSDKError
from asyncsdk.http.certainty import Verdict, verdict_of_error
from asyncsdk.http.exchange import Attempt
from asyncsdk.pace.retry import backoff, outage_pause, pause_for, pause_reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from asyncsdk.config import RetryPolicy
    from asyncsdk.pace.gate import Gate

__all__ = ["Retrying"]

T = TypeVar("T")


@frozen
class Retrying:
    """The retry law for single requests; batches have it in `upload.verdict`.

    Args:
        policy: How often, and how patiently.
        gate: Pauses all requests of the client where the server asks for that.
        random: For the jitter.
        patient: Whether an outage is waited for as long as the policy allows, and uses up no
            attempts.
    """

    policy: RetryPolicy
    gate: Gate
    random: Random
    patient: bool = False

    async def call(self, ask: Callable[[Attempt], Awaitable[T]], *, idempotent: bool) -> T:
        """What `ask` gives.

        Args:
            ask: Makes one request, and keeps the attempt it is given up to date.
            idempotent: Whether it may be made again, too, where it may have been processed
                (RFC 9110 §9.2.2).

        Raises:
            AsyncSDKError: The last failure, when it does not pass or the policy is used up.
        """
        made, failures, waited = 0, 0, 0.0
        began = asyncio.get_running_loop().time()
        while True:
            attempt = Attempt(resends=made)
            made += 1
            try:
                return await ask(attempt)
            except AsyncSDKError as error:
                verdict = verdict_of_error(error)
                failures += not (self.patient and verdict is Verdict.OUTAGE)
                if verdict in {Verdict.PAUSE, Verdict.OUTAGE}:  # others wait for the same
                    now = asyncio.get_running_loop().time()
                    waited = max(waited, self.gate.waited(now, began))
                pause = self._pause(error, attempt, failures, waited, idempotent=idempotent)
                if pause is None:
                    raise
                waited += pause
            await asyncio.sleep(pause)

    def _pause(
        self,
        error: AsyncSDKError,
        attempt: Attempt,
        failures: int,
        waited: float,
        *,
        idempotent: bool,
    ) -> float | None:
        """Seconds until the next attempt; None where there is to be none.

        A refusal for now and an outage are everybody's, whether there is another attempt or not.
        """
        verdict = verdict_of_error(error)
        if verdict in {Verdict.PAUSE, Verdict.OUTAGE}:
            pause = self._pause_of_all(error, attempt.streak, waited)
            if pause is not None:
                self.gate.close(pause, asyncio.get_running_loop().time(), pause_reason(error))
        elif verdict is Verdict.AGAIN or (idempotent and verdict is Verdict.DOUBT):
            pause = backoff(self.policy, failures, self.random)
            if waited + pause > self.policy.max_wait:
                pause = None
        else:
            pause = None
        return None if failures >= self.policy.attempts else pause

    def _pause_of_all(self, error: AsyncSDKError, streak: int, waited: float) -> float | None:
        if isinstance(error, ApiError):
            asked = error.retry_after
            return pause_for(
                self.policy, asked=asked, streak=streak, waited=waited, random=self.random
            )
        return outage_pause(self.policy, streak=streak, waited=waited, random=self.random)
