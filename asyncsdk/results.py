"""What became of one phone, and what stopped an upload before its end."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from asyncsdk.models import CreatedPhone, Phone, Problem, Violation

__all__ = ["IN_GROUP", "WOULD_BE_SENT", "Delivery", "Outcome", "PhoneResult", "StoppedBy"]


class Outcome(StrEnum):
    """The four fates of a phone."""

    CREATED = "created"
    """The server answered 2xx for this phone."""
    INVALID = "invalid"
    """This phone is at fault: sending it again unchanged cannot help."""
    FAILED = "failed"
    """Everything else; `PhoneResult.delivery` says whether it may be in the group all the same."""
    SKIPPED = "skipped"
    """Not sent because the caller asked for that; `PhoneResult.error` says why: its number came
    before in the list, the group holds it already, or it is a dry run that would have sent it."""


class Delivery(StrEnum):
    """How far a phone got."""

    ANSWERED = "answered"
    """The server said what it did with it."""
    NOT_SENT = "not_sent"
    """It certainly did not reach the group."""
    UNKNOWN = "unknown"
    """It was sent and no answer came: it may be in the group."""


class StoppedBy(StrEnum):
    """What stopped an upload before its end."""

    ERROR = "error"
    """Something that it could not go on with: see `UploadStopped.cause`."""
    STOP = "stop"
    """`Upload.stop` was called."""
    CANCELLED = "cancelled"
    """It was cancelled: by `Upload.cancel`, or with the task that waited for it."""
    DEADLINE = "deadline"
    """The option `deadline`."""
    STOP_WHEN = "stop_when"
    """The option `stop_when`: too many phones had failed."""
    CRASH = "crash"
    """Its process ended without a word: so says the journal that it left behind."""
    RUNNING = "running"
    """Nothing yet: its journal was read while it still ran."""


@frozen
class PhoneResult:
    """The account of one row of the source."""

    index: int
    """0-based position in the source."""
    phone: Phone
    """The phone as submitted."""
    outcome: Outcome
    """What became of it."""
    status: int | None = None
    """HTTP status of this phone, or None if no reply named one."""
    created: CreatedPhone | None = None
    """The phone as the provider stored it, if it was created."""
    error: Problem | None = None
    """Why it was not created, or not sent."""
    delivery: Delivery = Delivery.ANSWERED
    """How far it got."""
    attempts: int = 0
    """Requests that carried this phone."""
    request_id: str | None = None
    """`X-LOX24-REQUEST-ID` of the last reply about this phone."""
    number: str | None = None
    """The number as sent: the normal form, where normalising was asked for."""


_HELD = "in the group already"

IN_GROUP = Problem("Existing phone", _HELD, violations=(Violation("phone", _HELD, "existing"),))
"""Why a phone is skipped whose number the group holds."""

WOULD_BE_SENT = Problem("Would be sent", "a dry run sends nothing")
"""Why a dry run skips a phone that nothing is wrong with."""
