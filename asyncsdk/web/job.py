"""A job: one list on its way into a group, as frozen values fit for JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from attrs import Factory, frozen

from asyncsdk.config import Duplicates, Existing

__all__ = [
    "ACTIVE",
    "Check",
    "Choices",
    "Count",
    "Doubt",
    "Job",
    "JobProgress",
    "JobState",
    "Undo",
]


class JobState(StrEnum):
    """How far a job is."""

    DRAFT = "draft"
    """The list is there; what it holds may be looked at and chosen."""
    CHECKING = "checking"
    """It is being checked, or waits for that."""
    CHECKED = "checked"
    """What would be sent is known: it may be started."""
    RUNNING = "running"
    """It is being sent, or waits for that, whatever becomes of the worker that does it."""
    STOPPING = "stopping"
    """It is to stop: what is under way is waited for."""
    STOPPED = "stopped"
    """It was stopped, or could not go on: `Job.reason` says why. It may go on."""
    DONE = "done"
    """It came to its end; that every phone was created, it does not say."""
    UNDOING = "undoing"
    """What it created is being deleted."""
    UNDO_STOPPING = "undo_stopping"
    """Deleting is to stop: what is under way is waited for."""
    UNDO_STOPPED = "undo_stopped"
    """Deleting could not go on; it may be asked for once more."""
    UNDONE = "undone"
    """Deleting came to its end; `Job.undo` says what was deleted."""


ACTIVE = frozenset(
    {
        *(JobState.CHECKING, JobState.RUNNING, JobState.STOPPING),
        *(JobState.UNDOING, JobState.UNDO_STOPPING),
    }
)
"""The states in which some worker is to do something."""


@frozen(kw_only=True)
class Choices:
    """How a list is read, and what is sent of it.

    The words are those of `asyncsdk.sources.read` and of `client.phones.upload`.
    """

    columns: dict[str, str] = Factory(dict)
    """Fields of a phone to columns: `{"phone": "Mobil", "a": "Anrede"}`."""
    country: str | None = None
    """The column that says in which country each phone is."""
    sheet: tuple[str, ...] = ()
    """Names of sheets; `*` for all."""
    hidden: Literal["skip", "send"] = "skip"
    """What to do with hidden rows of a spreadsheet."""
    format: str | None = None
    """What the file is, if not as found."""
    delimiter: str | None = None
    """Of CSV, the character between cells; None: as found."""
    encoding: str | None = None
    """Of text files, as Python names it; None: as found."""
    header: bool | None = None
    """Whether the first row names the columns; None: as found."""
    skip_lines: int = 0
    """Lines above the table."""
    normalize: str | None = None
    """The region of numbers that do not say their country, such as `DE`; None: sent as they are."""
    bare: Literal["national", "international"] | None = None
    """What numbers without `+` and without a leading 0 are in this list."""
    mobile_only: bool = False
    """Whether a number that no mobile phone can have is invalid."""
    duplicates: Duplicates = "send"
    """What to do with a number that came before in the list."""
    existing: Existing = "send"
    """What to do with a number that the group holds."""
    send_unknown: bool = False
    """Of a rejects file, whether phones that may be in the group are sent, too."""


@frozen
class Count:
    """So many rows of one kind, in words."""

    text: str
    """What kind."""
    count: int
    """How many."""
    outcome: str = ""
    """`invalid`, `skipped`, `failed`; empty where there are several."""


@frozen
class Doubt:
    """Something that looks wrong with numbers that are sent as they are."""

    text: str
    """What looks wrong."""
    count: int
    """In how many rows."""
    line: int
    """Where the first of them stands."""


@frozen(kw_only=True)
class Check:
    """What a dry run found."""

    rows: int
    """Rows of the list."""
    would_be_sent: int
    """Those that may be sent."""
    invalid: int
    """Those that are at fault."""
    skipped: int
    """Not to be sent because the choices say so: duplicates."""
    doubtful: int
    """May be in the group already; such rows of a rejects file are left out."""
    requests: int
    """Requests that it takes."""
    bytes: int
    """Bytes of their bodies."""
    seconds_at_least: float
    """How long it takes at the account's rate at least."""
    survey: dict[str, int] | None = None
    """Counts of mobiles, landlines and so on; None where numbers are sent as they are."""
    countries: dict[str, int] = Factory(dict)
    """Phones by region, the most frequent first."""
    reasons: tuple[Count, ...] = ()
    """Why rows would not be sent, the most frequent first."""
    doubts: tuple[Doubt, ...] = ()
    """What looks wrong with numbers that would be sent as they are."""


@frozen(kw_only=True)
class JobProgress:
    """How far an upload is; the fields are those of `asyncsdk.Progress`."""

    read: int = 0
    """Rows read."""
    total: int | None = None
    """Rows that the list has, once that is known."""
    created: int = 0
    """Phones that the provider created."""
    invalid: int = 0
    """Phones at fault."""
    failed: int = 0
    """Phones that were not created for another reason."""
    skipped: int = 0
    """Phones that were not to be sent."""
    unknown: int = 0
    """Those of the failed that may be in the group all the same."""
    in_flight: int = 0
    """Phones in requests that are under way."""
    requests: int = 0
    """Requests begun."""
    retries: int = 0
    """Those of them that carried phones once more."""
    throttled: float = 0.0
    """Seconds that all requests paused."""
    elapsed: float = 0.0
    """Seconds since the start."""
    rate: float = 0.0
    """Phones settled per second."""
    paused: float = 0.0
    """Seconds that all requests still pause because the server asked for it."""
    paused_by: str = ""
    """Why they pause."""
    phase: str = "uploading"
    """What it does: a value of `asyncsdk.progress.Phase`, or `checking`."""
    sought: int = 0
    """Phones without an answer that are looked up in the group, or were last."""
    found: int | None = None
    """How many of them are there."""
    seconds_left: float | None = None
    """How long the rest takes at this rate; None where nobody knows."""
    complete: bool = False
    """Whether the upload came to its end."""

    @property
    def settled(self) -> int:
        """Rows whose fate is known."""
        return self.created + self.invalid + self.failed + self.skipped


@frozen(kw_only=True)
class Undo:
    """The account of deleting what a job created."""

    total: int
    """Phones that it created and whose ids are known."""
    deleted: int = 0
    """That were deleted."""
    gone: int = 0
    """That were not there any more."""
    failed: int = 0
    """That could not be deleted: they are in the group still."""
    without_id: int = 0
    """That were created without the server telling their ids: they are in the group still."""
    seconds_at_least: float = 0.0
    """How long the rest takes at the account's rate at least."""
    reasons: tuple[Count, ...] = ()
    """Why some could not be deleted."""

    @property
    def settled(self) -> int:
        """Those whose fate is known."""
        return self.deleted + self.gone + self.failed


@frozen(kw_only=True)
class Job:
    """One list on its way into a group."""

    id: str
    """Nobody guesses it."""
    owner: str
    """Whose it is."""
    name: str
    """What the list's owner calls the file; no path."""
    size: int
    """Bytes of the file."""
    created: float
    """When it came, in unix seconds; likewise `started` and `ended`."""
    state: JobState = JobState.DRAFT
    """How far it is."""
    version: int = 0
    """Grows with each change."""
    group_id: int | None = None
    """The group that it goes to; None where that is not chosen, or to be created."""
    group_name: str = ""
    """Its name, as far as it is known; with no id that of a group to be created."""
    choices: Choices = Factory(Choices)
    """How its list is read, and what is sent of it."""
    check: Check | None = None
    """What a dry run found with these choices."""
    progress: JobProgress | None = None
    """How far it is, or came."""
    undo: Undo | None = None
    """The account of deleting what it created, if that was asked for."""
    reason: str = ""
    """Why it could not be checked, or stopped."""
    started: float | None = None
    """When it was started first."""
    ended: float | None = None
    """When it ended last."""
    waits_for: str = ""
    """What keeps it from going on: `worker`, or `group` while another job sends into its group."""
    tries: int = 0
    """Workers that took it up since it last got on."""

    @property
    def active(self) -> bool:
        """Whether some worker is to do something for it."""
        return self.state in ACTIVE
