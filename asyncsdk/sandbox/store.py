"""The groups and phones that the sandbox holds."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec
from attrs import define, evolve, field
from msgspec import Struct

from asyncsdk.models import Group
from asyncsdk.sandbox.log import Commit

if TYPE_CHECKING:
    from asyncsdk.sandbox.rules import Row

__all__ = ["DuplicatePolicy", "GroupRecord", "Receipt", "Store", "StoredPhone", "digits"]

DuplicatePolicy = Literal["store", "merge", "refuse"]
"""What becomes of a number that the group already holds: stored twice, overwritten, or refused."""


class StoredPhone(Struct, frozen=True, gc=False):  # kept by the hundred thousand
    """A phone in a group."""

    id: int
    """As in `/phones/{id}`."""
    group_id: int
    """The group that it is in."""
    phone: str
    """The number as the store spells it."""
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
    subscribed_at: int | None = None
    """Unix seconds; likewise `unsubscribed_at`."""
    unsubscribed_at: int | None = None
    """Likewise."""
    unsubscribe_reason: int | None = None
    """A number from 1 to 6."""


@define
class GroupRecord:
    """A group and the phones in it, in the order in which they came."""

    group: Group
    phones: dict[int, StoredPhone] = field(factory=dict)
    by_number: dict[str, int] = field(factory=dict)
    """Ids by the digits of the number; kept only where duplicates matter."""


class Receipt(Struct, frozen=True):
    """When a phone came, and with which request."""

    at: float
    request_no: int


def digits(number: str) -> str:
    """A number without its spelling: `0049 160-1` and `+491601` are the same."""
    bare = "".join(filter(str.isdigit, number))
    return bare.removeprefix("00")


class Store:
    """Groups, phones, and the log of every phone that was stored."""

    def __init__(self, *, duplicates: DuplicatePolicy = "store", reformats: bool = False) -> None:
        if duplicates not in get_args(DuplicatePolicy):
            msg = f"duplicates must be one of {get_args(DuplicatePolicy)}, not {duplicates!r}"
            raise ValueError(msg)
        self.commits: list[Commit] = []
        self._duplicates = duplicates
        self._reformats = reformats
        self._groups: dict[int, GroupRecord] = {}
        self._phones: dict[int, StoredPhone] = {}
        self._group_ids = itertools.count(7001)
        self._phone_ids = itertools.count(500_001)

    # groups

    def add_group(self, fields: dict[str, Any]) -> GroupRecord:
        """Create a group of fields that are valid."""
        record = GroupRecord(Group(id=next(self._group_ids), **fields))
        self._groups[record.group.id] = record
        return record

    def group(self, group_id: int) -> GroupRecord | None:
        """The group, unless there is none or it was deleted."""
        record = self._groups.get(group_id)
        return None if record is None or record.group.deleted_at else record

    def live_groups(self) -> list[GroupRecord]:
        """All the groups that were not deleted."""
        return [record for record in self._groups.values() if not record.group.deleted_at]

    def all_groups(self) -> list[Group]:
        """All the groups there ever were, with their counts."""
        records = list(self._groups.values())  # at one stroke: the asker may be another thread
        return [evolve(record.group, count_items=len(record.phones)) for record in records]

    def update_group(self, record: GroupRecord, fields: dict[str, Any]) -> None:
        """Change the given fields of a group."""
        record.group = evolve(record.group, **fields)

    def delete_group(self, record: GroupRecord) -> None:
        """Delete a group and the phones in it."""
        for phone_id in record.phones:
            del self._phones[phone_id]
        record.phones.clear()
        record.by_number.clear()
        record.group = evolve(record.group, deleted_at=datetime.now(UTC))

    # phones

    def hold(self, record: GroupRecord, number: str) -> None:
        """Put a phone into a group that came there some other way: no request did, so no log."""
        phone = StoredPhone(next(self._phone_ids), record.group.id, self._spell(number))
        self._phones[phone.id] = record.phones[phone.id] = phone
        if self._duplicates != "store":
            record.by_number.setdefault(digits(number), phone.id)

    def phones(self, group_id: int) -> list[StoredPhone]:
        """What a group holds, in the order in which it came."""
        record = self._groups.get(group_id)
        return list(record.phones.values()) if record else []

    def phone(self, phone_id: int) -> StoredPhone | None:
        """The phone of this id."""
        return self._phones.get(phone_id)

    def put(self, record: GroupRecord, row: Row, receipt: Receipt) -> tuple[int, StoredPhone]:
        """Take a valid phone in as the duplicate policy says.

        Returns:
            201 and the new phone, 200 and the phone that it was merged into, or 409 and the phone
            that stands in its way.
        """
        if self._duplicates == "store":
            return 201, self._insert(record, row, receipt)
        key = digits(row.phone)
        held = record.by_number.get(key)
        if held is None:
            phone = self._insert(record, row, receipt)
            record.by_number[key] = phone.id
            return 201, phone
        if self._duplicates == "refuse":
            return 409, record.phones[held]
        return 200, self.update_phone(self._phones[held], msgspec.structs.asdict(row))

    def update_phone(self, phone: StoredPhone, fields: dict[str, Any]) -> StoredPhone:
        """Change the given fields of a phone."""
        record = self._groups[phone.group_id]
        if "phone" in fields:
            fields = {**fields, "phone": self._spell(fields["phone"])}
            self._forget(record, phone)
            record.by_number[digits(fields["phone"])] = phone.id
        changed = msgspec.structs.replace(phone, **fields)
        self._phones[phone.id] = record.phones[phone.id] = changed
        return changed

    def delete_phone(self, phone: StoredPhone) -> None:
        """Take a phone out of its group."""
        record = self._groups[phone.group_id]
        self._forget(record, phone)
        del self._phones[phone.id], record.phones[phone.id]

    def _insert(self, record: GroupRecord, row: Row, receipt: Receipt) -> StoredPhone:
        group_id, phone_id = record.group.id, next(self._phone_ids)
        a, b, c, d, e, callback = row.a, row.b, row.c, row.d, row.e, row.callback_data
        number = self._spell(row.phone)
        phone = StoredPhone(phone_id, group_id, number, a, b, c, d, e, callback)
        self._phones[phone_id] = record.phones[phone_id] = phone
        commit = Commit(
            receipt.at, group_id, phone_id, row.phone, a, b, c, d, e, callback, receipt.request_no
        )
        self.commits.append(commit)
        return phone

    def _spell(self, number: str) -> str:
        return f"+{digits(number)}" if self._reformats else number

    @staticmethod
    def _forget(record: GroupRecord, phone: StoredPhone) -> None:
        key = digits(phone.phone)
        if record.by_number.get(key) == phone.id:
            del record.by_number[key]
