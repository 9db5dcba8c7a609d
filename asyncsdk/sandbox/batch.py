"""The batch operation: rows go into the store, members come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from asyncsdk.models import Violation
from asyncsdk.sandbox.problems import Refusal
from asyncsdk.sandbox.rules import Row

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from asyncsdk.sandbox.replies import Member, Replies
    from asyncsdk.sandbox.store import GroupRecord, Receipt, Store

__all__ = ["Batch", "MemberOrder", "whole_batch_refusal"]

MemberOrder = Literal["kept", "reversed", "shuffled"]
"""In which order a batch reply lists its members."""

_DUPLICATE = "This phone number is already in the group."
_TAKEN = Violation("phone", _DUPLICATE, "23bd9dbf-6b9b-41cd-a99e-4844bcf3077f")


class Batch:
    """Does the batch operation.

    Args:
        store: Where the phones go.
        replies: Makes the members.
        invalid_status: What a row that breaks a rule is answered, 422 or 400.
        refused_status: What a duplicate that the store refuses is answered, 409 or 422.
        order: The order of the members in the reply.
        chance: Shuffles them.
    """

    def __init__(
        self,
        store: Store,
        replies: Replies,
        *,
        invalid_status: int,
        refused_status: int,
        order: MemberOrder,
        chance: random.Random,
    ) -> None:
        if order not in get_args(MemberOrder):
            msg = f"order must be one of {get_args(MemberOrder)}, not {order!r}"
            raise ValueError(msg)
        self._store = store
        self._replies = replies
        self._invalid_status = invalid_status
        self._refused_status = refused_status
        self._order = order
        self._chance = chance

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
                refusal = Refusal(self._invalid_status, violations=tuple(row))
                members.append(self._replies.bad_member(refusal))
            elif index in spoilt:
                members.append(self._spoil(group, row, receipt, *spoilt[index]))
            else:
                members.append(self._put(group, row, receipt))
        return self._ordered(members)

    def _put(self, group: GroupRecord, row: Row, receipt: Receipt) -> Member:
        status, phone = self._store.put(group, row, receipt)
        if status == 409:  # noqa: PLR2004 - a status
            return self._replies.bad_member(self.duplicate())
        return self._replies.member(status, phone)

    def _spoil(
        self,
        group: GroupRecord,
        row: Row,
        receipt: Receipt,
        status: int,
        stored: bool,  # noqa: FBT001 - half of a pair
    ) -> Member:
        if stored:
            self._store.put(group, row, receipt)
        return self._replies.bad_member(Refusal(status))

    def duplicate(self) -> Refusal:
        """What is said of a number that the group already holds."""
        return Refusal(self._refused_status, violations=(_TAKEN,))

    def _ordered(self, members: list[Member]) -> list[Member]:
        if self._order == "reversed":
            members.reverse()
        elif self._order == "shuffled":
            self._chance.shuffle(members)
        return members


def whole_batch_refusal(
    rows: Sequence[Row | list[Violation]], *, status: int, template: str | None
) -> Refusal | None:
    """Why the whole batch is refused if one bad row is enough; None if there is none.

    Args:
        rows: Good rows, and the violations of bad ones.
        status: 422 or 400.
        template: How a `propertyPath` names row `i` and its `field`, as in "[{i}].{field}"; None:
            the rows are not named.
    """
    found = [
        Violation(_path(template, i, violation.path), violation.message, violation.code)
        for i, row in enumerate(rows)
        if not isinstance(row, Row)
        for violation in row
    ]
    return Refusal(status, violations=tuple(found)) if found else None


def _path(template: str | None, index: int, field: str) -> str:
    return "" if template is None else template.format(i=index, field=field)
