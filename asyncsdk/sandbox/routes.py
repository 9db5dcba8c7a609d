"""The provider's operations."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from aiohttp import web

from asyncsdk.models import COLUMNS, FIELDS
from asyncsdk.sandbox.export import csv_chunks
from asyncsdk.sandbox.frontdoor import BATCH, CALL, RefusedError
from asyncsdk.sandbox.problems import Refusal
from asyncsdk.sandbox.rules import (
    Row,
    group_violations,
    phone_violations,
    read_object,
    read_rows,
)
from asyncsdk.sandbox.store import Receipt
from asyncsdk.sandbox.weak import weakly_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncsdk.models import Violation
    from asyncsdk.sandbox.batch import Batch
    from asyncsdk.sandbox.replies import Replies
    from asyncsdk.sandbox.store import GroupRecord, Store, StoredPhone
    from asyncsdk.sandbox.tamper import Tamper

__all__ = ["GROUP_FIELDS", "Routes"]

GROUP_FIELDS = ("name", "description", *(f"name_{column}" for column in COLUMNS))
"""The fields of a group that can be written."""

T = TypeVar("T")

_NOT_FOUND = Refusal(404, "Resource not found")


class Routes:
    """One handler an operation.

    Args:
        account_id: The id of the account that `/me` shows.
        store: The groups and phones.
        replies: Words the replies.
        batch: Does the batch operation.
        tamper: Spoils it where a fault says so.
        clock: Seconds, for the commit log.
        page_size: Groups on a page.
        phones_page_size: Phones on a page; None: all are on one.
    """

    def __init__(
        self,
        *,
        account_id: int,
        store: Store,
        replies: Replies,
        batch: Batch,
        tamper: Tamper,
        clock: Callable[[], float],
        page_size: int,
        phones_page_size: int | None,
    ) -> None:
        self._account_id = account_id
        self._store = store
        self._replies = replies
        self._batch = batch
        self._tamper = tamper
        self._clock = clock
        self._page_size = page_size
        self._phones_page_size = phones_page_size

    def table(self) -> list[web.RouteDef]:
        """Which path leads to which handler."""
        group, phone = r"/groups/{id:\d+}", r"/phones/{id:\d+}"
        return [
            web.get("/me", weakly_bound(self.me)),
            web.get("/groups", weakly_bound(self.list_groups)),
            web.post("/groups", weakly_bound(self.create_group)),
            web.get(group, weakly_bound(self.read_group)),
            web.put(group, weakly_bound(self.update_group)),
            web.delete(group, weakly_bound(self.delete_group)),
            web.get(f"{group}/phones", weakly_bound(self.list_phones)),
            web.post(f"{group}/phones", weakly_bound(self.create_phone)),
            web.post(f"{group}/phones/batch", weakly_bound(self.create_batch), name=BATCH),
            web.get(f"{group}/file/csv", weakly_bound(self.export)),
            web.put(phone, weakly_bound(self.update_phone)),
            web.delete(phone, weakly_bound(self.delete_phone)),
        ]

    async def me(self, _request: web.Request) -> web.Response:
        """The account."""
        account = {
            "id": self._account_id,
            "currency": "EUR",
            "balance_amount": 100.0,
            "balance_changed_at": 1735689600,
            "is_text_deleted": False,
            "services": [],
            "groups": {},
        }
        return self._replies.one(account)

    # groups

    async def list_groups(self, request: web.Request) -> web.Response:
        """One page of the groups."""
        return self._page(
            request, "/groups", self._store.live_groups(), self._page_size, self._replies.group
        )

    async def create_group(self, request: web.Request) -> web.Response:
        """A new group."""
        fields = _writable(read_object(await request.read()), GROUP_FIELDS)
        self._insist(group_violations(fields))
        record = self._store.add_group(fields)
        return self._replies.one(self._replies.group(record), 201)

    async def read_group(self, request: web.Request) -> web.Response:
        """A group."""
        return self._replies.one(self._replies.group(self._group(request)))

    async def update_group(self, request: web.Request) -> web.Response:
        """A group, changed in the fields that are given."""
        record = self._group(request)
        fields = _writable(read_object(await request.read()), GROUP_FIELDS)
        self._insist(group_violations({"name": record.group.name, **fields}))
        self._store.update_group(record, fields)
        return self._replies.one(self._replies.group(record))

    async def delete_group(self, request: web.Request) -> web.Response:
        """No group any more, and none of its phones."""
        self._store.delete_group(self._group(request))
        return web.Response(status=204)

    # phones

    async def list_phones(self, request: web.Request) -> web.Response:
        """The phones of a group."""
        record = self._group(request)
        phones = list(record.phones.values())
        size = self._phones_page_size or len(phones) or 1
        iri = f"/groups/{record.group.id}/phones"
        return self._page(request, iri, phones, size, self._replies.phone)

    async def create_phone(self, request: web.Request) -> web.Response:
        """A single new phone."""
        record = self._group(request)
        fields = _writable(read_object(await request.read()), FIELDS)
        self._insist(phone_violations(fields))
        row = msgspec.convert(fields, Row)
        status, phone = self._store.put(record, row, self._receipt(request))
        if status == HTTPStatus.CONFLICT:
            raise RefusedError(self._batch.duplicate())
        return self._replies.one(self._replies.phone(phone), status)

    async def create_batch(self, request: web.Request) -> web.Response:
        """The mission: many new phones."""
        record, call = self._group(request), request[CALL]
        rows = read_rows(await request.read())
        call.phones = len(rows)
        refusal = self._batch.refusal(rows)
        if refusal:
            raise RefusedError(refusal)
        spoilt = self._tamper.spoilt_rows(call.fault, len(rows))
        members = self._batch.take(record, rows, self._receipt(request), spoilt)
        members = self._tamper.members(call.fault, members)
        iri = f"/groups/{record.group.id}/phones/batch"
        return self._replies.collection(iri, members, status=201)

    async def export(self, request: web.Request) -> web.StreamResponse:
        """A group as a CSV file."""
        chunks = csv_chunks(self._group(request))
        if request[CALL].fault:  # faults want the reply in one piece
            return web.Response(body=b"".join(chunks), content_type="text/csv", charset="utf-8")
        reply = web.StreamResponse(headers={"Content-Type": "text/csv; charset=utf-8"})
        await reply.prepare(request)
        for chunk in chunks:
            await reply.write(chunk)
        await reply.write_eof()
        return reply

    async def update_phone(self, request: web.Request) -> web.Response:
        """A phone, changed in the fields that are given."""
        phone = self._phone(request)
        fields = _writable(read_object(await request.read()), FIELDS)
        self._insist(phone_violations({"phone": phone.phone, **fields}))
        changed = self._store.update_phone(phone, fields)
        return self._replies.one(self._replies.phone(changed))

    async def delete_phone(self, request: web.Request) -> web.Response:
        """No phone any more."""
        self._store.delete_phone(self._phone(request))
        return web.Response(status=204)

    # what they share

    def _group(self, request: web.Request) -> GroupRecord:
        record = self._store.group(int(request.match_info["id"]))
        if record is None:
            raise RefusedError(_NOT_FOUND)
        return record

    def _phone(self, request: web.Request) -> StoredPhone:
        phone = self._store.phone(int(request.match_info["id"]))
        if phone is None:
            raise RefusedError(_NOT_FOUND)
        return phone

    def _receipt(self, request: web.Request) -> Receipt:
        return Receipt(self._clock(), request[CALL].no)

    def _insist(self, violations: list[Violation]) -> None:
        if violations:
            status = self._batch.rules.invalid_status
            raise RefusedError(Refusal(status, violations=tuple(violations)))

    def _page(
        self,
        request: web.Request,
        iri: str,
        things: list[T],
        size: int,
        body: Callable[[T], object],
    ) -> web.Response:
        """The page of a list that the query asks for."""
        asked = request.query.get("page", "1")
        number = max(1, int(asked)) if asked.isdecimal() else 1
        last = max(1, -(-len(things) // size))
        view = _view(iri, number, last) if last > 1 else None
        shown = [body(thing) for thing in things[(number - 1) * size : number * size]]
        return self._replies.collection(iri, shown, total=len(things), view=view)


def _writable(given: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


def _view(iri: str, number: int, last: int) -> dict[str, str]:
    pages = {"first": 1, "last": last}
    if number > 1:
        pages["previous"] = number - 1
    if number < last:
        pages["next"] = number + 1
    return {name: f"{iri}?page={page}" for name, page in pages.items()}
