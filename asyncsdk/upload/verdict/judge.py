"""What happens next to the rows of a request: the table of failures as code.

It decides and does nothing: the pipeline carries it out. Each row of a batch comes out in exactly
one place of the `Settlement`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve

from asyncsdk.errors import ApiError, ProtocolError
from asyncsdk.http.exchange import StaleConnectionError
from asyncsdk.models import Problem
from asyncsdk.results import Delivery, Outcome
from asyncsdk.upload.retry import (
    Verdict,
    backoff,
    verdict_of_error,
    verdict_of_status,
)
from asyncsdk.upload.verdict.settlement import Settlement, blame, conflicts, settle
from asyncsdk.wire.batch import decode_reply
from asyncsdk.wire.problems import problem_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from asyncsdk.config import OnUnknown, RetryPolicy
    from asyncsdk.http.exchange import Attempt, Reply
    from asyncsdk.ledger.entry import Entry
    from asyncsdk.upload.intake.batches import Batch, Batches
    from asyncsdk.upload.pace import Gate
    from asyncsdk.upload.retry import Budget

__all__ = ["Judge"]

_STALE_AT_ONCE = 100
"""Closed connections that one batch may find before they count as failures: a pool holds no more
than the concurrency, so this is only reached where something is badly wrong."""


@define(eq=False)
class Judge:
    """Applies the retry policy and `on_unknown` to replies and failures."""

    policy: RetryPolicy
    on_unknown: OnUnknown
    gate: Gate
    budget: Budget
    batches: Batches
    random: Random
    clock: Callable[[], float]
    """The event loop's time."""

    def reply(self, batch: Batch, reply: Reply, epoch: int) -> Settlement:
        """What a whole reply means for the rows of its batch.

        Args:
            batch: The rows that were sent.
            reply: What came back.
            epoch: The gate's epoch when the request was sent.
        """
        verdict = verdict_of_status(reply.status)
        if verdict is Verdict.PAUSE:
            return self._pause(batch, reply, epoch)
        if verdict is Verdict.DOUBT:
            problem = problem_of(reply.body, reply.status)
            return self.doubt([batch.because(problem, reply.status, reply.request_id)])
        self.gate.passed(epoch)
        if verdict is Verdict.ANSWERED:
            self.budget.give(self.clock())
            return self._answered(batch, reply)
        if verdict is Verdict.HALVE:
            return self._halve(batch, reply)
        if verdict is Verdict.BLAME:
            return self._blame(batch, reply)
        return self._stop(batch, reply.error(), Delivery.ANSWERED, reply.request_id)

    def error(self, batch: Batch, attempt: Attempt, error: Exception) -> Settlement:
        """What an exchange without a usable reply means for the rows of its batch."""
        verdict = verdict_of_error(error)
        if verdict is Verdict.AGAIN:
            batch.because(Problem("Not sent", str(error)))
            if isinstance(error, StaleConnectionError) and batch.stale < _STALE_AT_ONCE:
                batch.stale += 1
                return Settlement(again=[batch])
            return self._retry([batch], Delivery.NOT_SENT, free=True)
        if verdict is Verdict.DOUBT:
            return self.doubt([batch.because(Problem("Outcome unknown", str(error)))])
        answered = attempt.left and isinstance(error, (ApiError, ProtocolError))
        return self._stop(batch, error, Delivery.ANSWERED if answered else Delivery.NOT_SENT)

    def _answered(self, batch: Batch, reply: Reply) -> Settlement:
        try:
            found = settle(batch, decode_reply(reply.body), reply.request_id)
        except ProtocolError as error:
            problem = Problem("Outcome unknown", str(error))
            return self.doubt([batch.because(problem, reply.status, reply.request_id)])
        again, doubt = self._retry(found.again, Delivery.ANSWERED), self.doubt(found.doubt)
        return Settlement(
            [*found.entries, *again.entries, *doubt.entries],
            [*again.again, *doubt.again],
            doubt.doubt,
            max(again.pause, doubt.pause),
        )

    def _pause(self, batch: Batch, reply: Reply, epoch: int) -> Settlement:
        """408, 429, 503: everybody pauses; what the server asks for is a minimum."""
        streak = self.gate.refused(epoch)
        asked = reply.retry_after or 0.0
        batch.because(problem_of(reply.body, reply.status), reply.status, reply.request_id)
        if asked > self.policy.max_wait or self.gate.waited > self.policy.max_wait:
            return self._stop(batch, reply.error(), Delivery.ANSWERED, reply.request_id)
        pause = asked + backoff(self.policy, streak, self.random)
        self.gate.close(pause, self.clock(), f"HTTP {reply.status}")
        return self._retry([batch], Delivery.ANSWERED, wait=False)

    def _retry(
        self, batches: list[Batch], delivery: Delivery, *, wait: bool = True, free: bool = False
    ) -> Settlement:
        """Send rows again that were not processed, within the policy.

        Args:
            batches: The rows; each batch is counted a failure.
            delivery: How far they got, where they are given up.
            wait: Whether to back off here; not where the gate already pauses everybody.
            free: Whether it costs nothing of the budget, because nothing left.
        """
        found = Settlement()
        for batch in batches:
            batch.failures += 1
            if batch.failures >= self.policy.attempts:
                found.entries.append(batch.failed(delivery))
                continue
            found.again.append(batch)
            if wait:
                found.pause = max(found.pause, backoff(self.policy, batch.failures, self.random))
            if not free:
                found.pause = max(found.pause, self.budget.take(self.clock()))
        return found

    def doubt(self, batches: list[Batch]) -> Settlement:
        """Rows that may have been processed: `on_unknown` decides."""
        for batch in batches:
            batch.doubtful = True
        if self.on_unknown == "resend":
            return self._retry(batches, Delivery.UNKNOWN)
        if self.on_unknown == "reconcile":
            return Settlement(doubt=batches)
        return Settlement([batch.failed(Delivery.UNKNOWN) for batch in batches])

    def _halve(self, batch: Batch, reply: Reply) -> Settlement:
        """413: smaller batches from here on; a phone that is too large alone is at fault itself."""
        if len(batch) == 1:
            return self._culprit(batch, reply)
        self.batches.size = max(1, min(self.batches.size, len(batch) // 2))
        return Settlement(again=list(batch.halves()))

    def _blame(self, batch: Batch, reply: Reply) -> Settlement:
        """400, 422: rows that are named are at fault; unnamed, the culprits are searched for."""
        problem = problem_of(reply.body, reply.status)
        named = blame(batch, problem.violations)
        if not named:
            if len(batch) == 1:
                return self._culprit(batch, reply)
            return Settlement(again=list(batch.halves()))
        found = Settlement()
        for row, violations in sorted(named.items()):
            told = evolve(problem, detail="", violations=tuple(violations))
            found.entries.append(self._refused(batch.take([row]), told, reply))
        rest = [row for row in range(len(batch)) if row not in named]
        if rest:
            found.again.append(batch.take(rest))
        return found

    def _culprit(self, batch: Batch, reply: Reply) -> Settlement:
        """A refusal of one phone alone."""
        return Settlement([self._refused(batch, problem_of(reply.body, reply.status), reply)])

    def _refused(self, batch: Batch, problem: Problem, reply: Reply) -> Entry:
        """The account of one phone that is at fault, unless an unanswered request stored it."""
        batch.because(problem, reply.status, reply.request_id)
        if batch.doubtful and conflicts(reply.status, problem):
            return batch.failed(Delivery.UNKNOWN)
        return batch.entry(
            Outcome.INVALID,
            Delivery.ANSWERED,
            status=reply.status,
            problem=problem,
            request_id=reply.request_id,
        )

    def _stop(
        self, batch: Batch, error: Exception, delivery: Delivery, request_id: str | None = None
    ) -> Settlement:
        """No request of this upload can succeed."""
        answered = delivery is Delivery.ANSWERED
        status = getattr(error, "status", None) if answered else None
        told = error.problem if answered and isinstance(error, ApiError) else None
        batch.because(told or Problem("Upload stopped", str(error)), status, request_id)
        return Settlement([batch.failed(delivery)], stop=error)
