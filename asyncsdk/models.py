"""The provider's resources as frozen values.

Fields and limits follow the provider's page "Create Phones by the batch" and its neighbours.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Any

from attrs import field, fields, frozen

from asyncsdk.words import visible

__all__ = [
    "COLUMNS",
    "FIELDS",
    "LIMIT",
    "LIMITS",
    "Account",
    "CreatedPhone",
    "Group",
    "Located",
    "Phone",
    "Problem",
    "UnsubscribeReason",
    "Violation",
    "Withheld",
]

COLUMNS = ("a", "b", "c", "d", "e")
"""The names of a phone's free columns."""

LIMIT = "limit"
"""Under this name the metadata of a field says how many characters it takes at most."""

_COLUMN = {LIMIT: 1530}


@frozen
class Phone:
    """A phone to be put into a group.

    Its fields are what is sent, in this order and with these limits: the rows of the wire and the
    local rules are made of them. The limits are checked when it is uploaded, not here: a bad row
    must reach the report.
    """

    phone: str = field(metadata={LIMIT: 30})
    """The number; at most 30 characters."""
    a: str | None = field(default=None, metadata=_COLUMN)
    """Column data of at most 1530 characters; likewise `b` to `e`."""
    b: str | None = field(default=None, metadata=_COLUMN)
    """Likewise."""
    c: str | None = field(default=None, metadata=_COLUMN)
    """Likewise."""
    d: str | None = field(default=None, metadata=_COLUMN)
    """Likewise."""
    e: str | None = field(default=None, metadata=_COLUMN)
    """Likewise."""
    callback_data: str | None = field(default=None, metadata={LIMIT: 36})
    """Sent back to your endpoint with a delivery, e.g. a message id; at most 36 characters."""


FIELDS = tuple(each.name for each in fields(Phone))
"""The names of all the fields that are sent, in the order of `Phone`."""

LIMITS: dict[str, int] = {each.name: each.metadata[LIMIT] for each in fields(Phone)}
"""How many characters each of them takes at most."""


class UnsubscribeReason(IntEnum):
    """Why a phone was unsubscribed. Numbers the provider may add later survive as `UNKNOWN_<n>`."""

    NEVER_SUBSCRIBED = 1
    """'I never subscribed'."""
    TOO_MANY_MESSAGES = 2
    """'Too many messages'."""
    NOT_INTERESTED = 3
    """'I am not interested'."""
    CONTENT_INCOMPREHENSIBLE = 4
    """'Content is incomprehensible'."""
    DISLIKES_COMPANY = 5
    """`I don't like your company`."""
    OTHER = 6
    """Another one."""

    @classmethod
    def _missing_(cls, value: object) -> UnsubscribeReason | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member

    def __reduce_ex__(self, _: object) -> tuple[object, ...]:
        return type(self), (self.value,)  # some versions of Python pickle by the name


@frozen
class CreatedPhone:
    """A phone as the provider holds it."""

    id: int | None
    """The provider's id of this phone, as used in `/phones/{id}`; None if the reply named none."""
    phone: str | None
    """The number as the provider stored it, which may be another spelling of the one sent."""
    a: str | None = None
    """Column data; likewise `b` to `e`."""
    b: str | None = None
    """Likewise."""
    c: str | None = None
    """Likewise."""
    d: str | None = None
    """Likewise."""
    e: str | None = None
    """Likewise."""
    callback_data: str | None = None
    """As it was sent."""
    subscribed_at: datetime | None = None
    """When the phone was subscribed by a link (UTC)."""
    unsubscribed_at: datetime | None = None
    """When the phone was unsubscribed by a link (UTC)."""
    unsubscribe_reason: UnsubscribeReason | None = None
    """Why it was unsubscribed, if it was."""


@frozen
class Group:
    """A group of phones."""

    id: int
    """The provider's id of this group."""
    name: str
    """1 to 50 characters."""
    description: str | None = None
    """At most 255 characters."""
    name_a: str | None = None
    """What the group calls column `a`, at most 50 characters; likewise `name_b` to `name_e`."""
    name_b: str | None = None
    """Likewise."""
    name_c: str | None = None
    """Likewise."""
    name_d: str | None = None
    """Likewise."""
    name_e: str | None = None
    """Likewise."""
    deleted_at: datetime | None = None
    """When it was deleted (UTC); None while it is there."""
    count_items: int | None = None
    """How many phones it holds; None if the reply did not say."""

    @property
    def columns(self) -> dict[str, str]:
        """What it calls its columns: their names to the fields `a` to `e`, where it has any."""
        named = ((getattr(self, f"name_{column}"), column) for column in COLUMNS)
        return {name: column for name, column in named if name}


@frozen
class Account:
    """The account that the credentials belong to."""

    id: int
    """The client id."""
    currency: str | None = None
    """Of the balance, such as `EUR`."""
    balance_amount: float | None = None
    """What is left, in that currency."""
    balance_changed_at: datetime | None = None
    """When that changed last (UTC)."""
    is_text_deleted: bool | None = None
    """Whether the provider deletes the texts of messages."""
    services: tuple[Any, ...] = ()
    """What the account may use, as the provider says it."""
    groups: dict[str, Any] = field(factory=dict)
    """What the provider says of its groups."""


@frozen
class Violation:
    """One rule that the input breaks."""

    path: str
    """The field, or of a batch the row and the field (`[3].phone`); may be empty."""
    message: str
    """What is wrong, in words."""
    code: str | None = None
    """The rule's machine-readable name, where there is one."""
    duplicate_of: int | None = None
    """The index of the first row with the same number, if that is the rule."""

    def __str__(self) -> str:
        return visible(f"{self.path}: {self.message}" if self.path else self.message)


@frozen
class Problem:
    """Why a request or a phone was refused, in the words of who refused it."""

    title: str = ""
    """A short name for the kind of problem."""
    detail: str = ""
    """What is wrong this time."""
    type: str | None = None
    """A URI or name of the kind of problem, where the reply had one."""
    status: int | None = None
    """HTTP status that the problem itself names, where it does."""
    violations: tuple[Violation, ...] = ()
    """The single rules that were broken."""

    @property
    def duplicate_of(self) -> int | None:
        """The index of the first row with the same number, if the phone was skipped for that."""
        found = (violation.duplicate_of for violation in self.violations)
        return next((index for index in found if index is not None), None)

    @property
    def in_group(self) -> bool:
        """Whether the phone was skipped because the group holds its number already."""
        return any(violation.code == "existing" for violation in self.violations)

    def __str__(self) -> str:
        reason = self.detail or "; ".join(map(str, self.violations))
        if self.title and reason and self.title not in reason:
            return visible(f"{self.title}: {reason}")
        return visible(reason or self.title or "no reason given")


@frozen
class Located(Phone):
    """A phone whose list says in which country it is."""

    country: str = field(default="", kw_only=True)
    """As the list has it: `AT`, `Österreich`, `+43`; empty where the row does not say."""


@frozen
class Withheld(Located):
    """A phone that its source holds back: an upload accounts for it, and does not send it."""

    problem: Problem = field(default=Problem(), kw_only=True)
    """Why."""
    doubtful: bool = field(default=False, kw_only=True)
    """Whether it may be in the group: it is then failed with delivery unknown."""
    duplicate: bool = field(default=False, kw_only=True)
    """Whether another row has its number: it is then skipped, and else invalid."""
