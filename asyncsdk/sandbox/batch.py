"""The batch operation: rows go into the store, members come out."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, get_args

from attrs import field, frozen
from attrs.validators import in_

from asyncsdk.models import Violation
from asyncsdk.sandbox.problems import Refusal
from asyncsdk.sandbox.rules import Row

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from asyncsdk.sandbox.replies import Member, Replies
    from asyncsdk.sandbox.store import GroupRecord, Receipt, Store

__all__ = ["Batch", "BatchRules", "MemberOrder"]

MemberOrder = Literal["kept", "reversed", "shuffled"]
"""In which order a batch reply lists its members."""

_DUPLICATE = "This phone number is already in the group."
_TAKEN = Violation("phone", _DUPLICATE, "23bd9dbf-6b9b-41cd-a99e-4844bcf3077f")


@frozen
class BatchRules:
    """What is not known of the provider's batches."""

    invalid_status: int = 422
    """What a broken rule is answered, 422 or 400."""
    refused_status: int = 409
    """What a duplicate that the store refuses is answered, 409 or 422."""
    max_batch: int | None = None
    """Largest batch in phones."""
    whole_batch_errors: bool = False
    """Whether one bad row makes the whole batch be refused."""
    row_paths: str | None = "[{i}].{field}"
    """How the `propertyPath` of such a refusal names row `i` and its `field`; None: not at all."""
    order: MemberOrder = field(default="kept", validator=in_(get_args(MemberOrder)))
    """The order of the members in the reply."""


class Batch:
    """Does the batch operation.

    Args:
        store: Where the phones go.
        replies: Makes the members.
        rules: How it goes about it.
        chance: Shuffles the members, where they are to be.
    """

    def __init__(
        self, store: Store, replies: Replies, rules: BatchRules, chance: random.Random
    ) -> None:
        self.rules = rules
        self._store = store
        self._replies = replies
        self._chance = chance

    def refusal(self, rows: Sequence[Row | list[Violation]]) -> Refusal | None:
        """Why the batch is refused as a whole, if it is."""
        rules = self.rules
        if rules.max_batch is not None and len(rows) > rules.max_batch:
            return Refusal(413, f"At most {rules.max_batch} phones at a time.")
        if not rules.whole_batch_errors:
            return None
        found = [
            Violation(_path(rules.row_paths, i, broken.path), broken.message, broken.code)
            for i, row in enumerate(rows)
            if not isinstance(row, Row)
            for broken in row
        ]
        return Refusal(rules.invalid_status, violations=tuple(found)) if found else None

    def take(
        self,
        group: GroupRecord,
        rows: Sequence[Row | list[Violation]],
        receipt: Receipt,
        spoilt: dict[int, tuple[int, bool]],
    ) -> list[Member]:
        """Store the good rows, and say of each row what became of it.

        Args:
            group: Where they go.
            rows: Good rows, and the violations of bad ones.
            receipt: When and with which request they came.
            spoilt: Rows that are to fail by their index: with which status, and whether they are
                stored all the same.
        """
        members = []
        for index, row in enumerate(rows):
            if not isinstance(row, Row):
                refusal = Refusal(self.rules.invalid_status, violations=tuple(row))
                members.append(self._replies.bad_member(refusal))
            elif index in spoilt:
                members.append(self._spoil(group, row, receipt, spoilt[index]))
            else:
                members.append(self._put(group, row, receipt))
        return self._ordered(members)

    def _put(self, group: GroupRecord, row: Row, receipt: Receipt) -> Member:
        status, phone = self._store.put(group, row, receipt)
        if status == HTTPStatus.CONFLICT:
            return self._replies.bad_member(self.duplicate())
        return self._replies.member(status, phone)

    def _spoil(
        self, group: GroupRecord, row: Row, receipt: Receipt, fault: tuple[int, bool]
    ) -> Member:
        status, stored = fault
        if stored:
            self._store.put(group, row, receipt)
        return self._replies.bad_member(Refusal(status))

    def duplicate(self) -> Refusal:
        """What is said of a number that the group already holds."""
        return Refusal(self.rules.refused_status, violations=(_TAKEN,))

    def _ordered(self, members: list[Member]) -> list[Member]:
        if self.rules.order == "reversed":
            members.reverse()
        elif self.rules.order == "shuffled":
            self._chance.shuffle(members)
        return members


def _path(template: str | None, index: int, name: str) -> str:
    return "" if template is None else template.format(i=index, field=name)
