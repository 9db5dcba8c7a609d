"""What happens next to the rows of a request: the table of failures as code. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from asyncsdk.errors import ApiError, ProtocolError
from asyncsdk.http.certainty import (
    StaleConnectionError,
    Verdict,
    verdict_of_error,
    verdict_of_status,
)
from asyncsdk.models import FIELDS, Problem
from asyncsdk.pace.retry import backoff, outage_pause, pause_for, pause_reason
from asyncsdk.results import Delivery, Outcome
from asyncsdk.upload.verdict.decision import Decision, Pause
from asyncsdk.upload.verdict.settlement import blame, conflicts, settle
from asyncsdk.value import Value
from asyncsdk.wire.batch import decode_reply
from asyncsdk.wire.problems import few_violations, problem_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from asyncsdk.config import OnUnknown, RetryPolicy
    from asyncsdk.http.exchange import Attempt, Reply
    from asyncsdk.ledger.entry import Entry
    from asyncsdk.upload.batch import Batch

__all__ = ["Table"]

_STALE_AT_ONCE = 10
"""Closed connections that one batch may find before everybody pauses: a pool may hold some, and a
proxy that dies looks like one."""


class Table(Value, frozen=True, eq=False):
    """Applies the retry policy and `on_unknown` to replies and failures.

    Args:
        policy: How often, and how patiently, rows are sent.
        on_unknown: What becomes of rows that may have been processed.
        random: For the jitter.
    """

    policy: RetryPolicy
    on_unknown: OnUnknown
    random: Random

    def reply(self, batch: Batch, reply: Reply, *, streak: int, waited: float) -> Decision:
        """What a whole reply means for the rows of its batch.

        Args:
            batch: The rows that were sent.
            reply: What came back.
            streak: The pauses in a row that a refusal for now makes.
            waited: Seconds of pause since the last success.
        """
        verdict = verdict_of_status(reply.status)
        match verdict:
            case Verdict.ANSWERED:
                found = self._answered(batch, reply)
            case Verdict.PAUSE:
                found = self._pause(_refused(batch, reply), reply, streak, waited)
            case Verdict.AGAIN:
                found = self._retry([_refused(batch, reply)], Delivery.ANSWERED)
            case Verdict.DOUBT:
                found = self.doubt([_refused(batch, reply)])
            case Verdict.HALVE:
                found = self._halve(batch, reply)
            case Verdict.BLAME:
                found = self._blame(batch, reply)
            case _:
                found = self.stop(batch, reply.error(), Delivery.ANSWERED, reply.request_id)
        return found

    def failure(
        self, batch: Batch, attempt: Attempt, error: Exception, *, waited: float
    ) -> Decision:
        """What an exchange without a usable reply means for the rows of its batch.

        Args:
            batch: The rows.
            attempt: How far the request came.
            error: What it ended with.
            waited: Seconds since the last success, or since an outage began.
        """
        verdict = verdict_of_error(error)
        if verdict is Verdict.DOUBT:
            return self.doubt([batch.because(Problem("Outcome unknown", str(error)))])
        unsent = batch.because(Problem("Not sent", str(error)))
        if verdict is Verdict.OUTAGE:
            return self._outage(unsent, error, attempt.streak, waited)
        if isinstance(error, StaleConnectionError):
            if batch.stale < _STALE_AT_ONCE:
                return Decision(again=[unsent.changed(stale=batch.stale + 1)])
            return self._outage(unsent.changed(stale=0), error, attempt.streak, waited)
        answered = attempt.left and isinstance(error, (ApiError, ProtocolError))
        return self.stop(batch, error, Delivery.ANSWERED if answered else Delivery.NOT_SENT)

    def doubt(self, batches: Sequence[Batch]) -> Decision:
        """Rows that may have been processed: `on_unknown` decides."""
        doubtful = [batch.changed(doubtful=True) for batch in batches]
        if self.on_unknown == "resend":
            return self._retry(doubtful, Delivery.UNKNOWN)
        if self.on_unknown == "reconcile":
            return Decision(doubt=doubtful)
        return Decision([batch.failed(Delivery.UNKNOWN) for batch in doubtful])

    def missing(self, batches: Sequence[Batch]) -> Decision:
        """Rows that are certainly not in the group, although they were sent."""
        certain = [batch.changed(doubtful=False) for batch in batches]
        return self._retry(certain, Delivery.NOT_SENT, free=True, wait=False)

    def _answered(self, batch: Batch, reply: Reply) -> Decision:
        try:
            found = settle(batch, decode_reply(reply.body), reply.request_id)
        except ProtocolError as error:
            problem = Problem("Outcome unknown", str(error))
            return self.doubt([batch.because(problem, reply.status, reply.request_id)])
        if not found.again and not found.doubt:
            return Decision(found.entries)
        again, doubt = self._retry(found.again, Delivery.ANSWERED), self.doubt(found.doubt)
        return Decision(
            [*found.entries, *again.entries, *doubt.entries],
            [*again.again, *doubt.again],
            doubt.doubt,
            max(again.backoff, doubt.backoff),
            again.tokens + doubt.tokens,
        )

    def _pause(self, batch: Batch, reply: Reply, streak: int, waited: float) -> Decision:
        """408, 429, 503: everybody pauses; what the server asks for is a minimum."""
        seconds = pause_for(
            self.policy, asked=reply.retry_after, streak=streak, waited=waited, random=self.random
        )
        error = reply.error()
        if seconds is None:
            return self.stop(batch, error, Delivery.ANSWERED, reply.request_id)
        found = self._retry([batch], Delivery.ANSWERED, wait=False)
        return found.changed(pause=Pause(seconds, pause_reason(error)))

    def _outage(self, batch: Batch, error: Exception, streak: int, waited: float) -> Decision:
        """No connection: everybody waits, and that uses up no attempts."""
        seconds = outage_pause(self.policy, streak=streak, waited=waited, random=self.random)
        if seconds is None:
            return self.stop(batch, error, Delivery.NOT_SENT)
        return Decision(again=[batch], pause=Pause(seconds, pause_reason(error)))

    def _retry(
        self,
        batches: Sequence[Batch],
        delivery: Delivery,
        *,
        wait: bool = True,
        free: bool = False,
    ) -> Decision:
        """Send rows again, within the policy: the law for all that is sent more than once.

        Args:
            batches: The rows; each batch is counted a failure.
            delivery: How far they got, where they are given up.
            wait: Whether to back off here; not where everybody pauses anyway.
            free: Whether it costs nothing of the budget, because nothing left.
        """
        failed = [batch.changed(failures=batch.failures + 1) for batch in batches]
        again = [batch for batch in failed if batch.failures < self.policy.attempts]
        given_up = [batch for batch in failed if batch.failures >= self.policy.attempts]
        pauses = [backoff(self.policy, batch.failures, self.random) for batch in again if wait]
        return Decision(
            [batch.failed(delivery) for batch in given_up],
            again,
            backoff=max(pauses, default=0.0),
            tokens=0 if free else len(again),
        )

    def _halve(self, batch: Batch, reply: Reply) -> Decision:
        """413: smaller batches from here on; a phone that is too large alone is at fault itself."""
        if len(batch) == 1:
            return self._culprit(batch, reply).changed(refusal=reply.error())
        return Decision(again=batch.halves(), size=max(1, len(batch) // 2))

    def _blame(self, batch: Batch, reply: Reply) -> Decision:
        """400, 422: rows that are named are at fault; unnamed, the culprits are searched for."""
        problem = problem_of(reply.body, reply.status)
        named = blame(batch, problem.violations)
        if not named and len(batch) > 1:
            return Decision(again=batch.halves(), refusal=reply.error())
        if not named:
            found = self._culprit(batch, reply)
            return found if _names_field(problem) else found.changed(refusal=reply.error())
        entries = []
        for row, violations in sorted(named.items()):
            reason = few_violations(evolve(problem, detail="", violations=tuple(violations)))
            entries.append(self._refused(batch.take([row]), reason, reply))
        rest = [row for row in range(len(batch)) if row not in named]
        return Decision(entries, [batch.take(rest)] if rest else ())

    def _culprit(self, batch: Batch, reply: Reply) -> Decision:
        """A refusal of one phone alone."""
        return Decision([self._refused(batch, _problem(reply), reply)])

    def _refused(self, batch: Batch, problem: Problem, reply: Reply) -> Entry:
        """The account of one phone that is at fault, unless an unanswered request stored it."""
        refused = batch.because(problem, reply.status, reply.request_id)
        if batch.doubtful and conflicts(reply.status, problem):
            return refused.failed(Delivery.UNKNOWN)
        return refused.entry(
            Outcome.INVALID,
            Delivery.ANSWERED,
            status=reply.status,
            problem=problem,
            request_id=reply.request_id,
        )

    def stop(
        self, batch: Batch, error: Exception, delivery: Delivery, request_id: str | None = None
    ) -> Decision:
        """No request of this upload can succeed."""
        answered = delivery is Delivery.ANSWERED
        status = getattr(error, "status", None) if answered else None
        known = error.problem if answered and isinstance(error, ApiError) else None
        reason = known or Problem("Upload stopped", str(error))
        return Decision([batch.because(reason, status, request_id).failed(delivery)], stop=error)


def _refused(batch: Batch, reply: Reply) -> Batch:
    """A batch with what a refusal of all of it says."""
    return batch.because(_problem(reply), reply.status, reply.request_id)


def _names_field(problem: Problem) -> bool:
    """Whether it says which field of a phone is wrong: then it is no fault of the request."""
    return any(violation.path in FIELDS for violation in problem.violations)


def _problem(reply: Reply) -> Problem:
    """What a refusal says, as it is kept."""
    return few_violations(problem_of(reply.body, reply.status))
