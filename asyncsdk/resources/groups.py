"""Groups of phones."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from asyncsdk.errors import ConfigurationError, OutcomeUnknownError
from asyncsdk.http.exchange import Attempt, Request
from asyncsdk.models import COLUMNS, Group
from asyncsdk.resources.base import Resource
from asyncsdk.validators import whole_number
from asyncsdk.wire.export import ExportDecoder, steps_of
from asyncsdk.wire.resources import decode_object
from asyncsdk.words import is_text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from asyncsdk.models import CreatedPhone

__all__ = ["GroupsResource"]

_WRITABLE = {"name": 50, "description": 255} | {f"name_{column}": 50 for column in COLUMNS}
"""The fields that may be written, and the characters they may have."""


class GroupsResource(Resource):
    """The account's groups.

    Every method raises `ApiError` (see `asyncsdk.errors` for its types) on a refusal and
    `TransportError` where no reply came; all but `create` are repeated while that may help.
    """

    async def create(self, name: str, **fields: str | None) -> Group:
        """Create a group.

        Args:
            name: 1 to 50 characters.
            **fields: `description` (at most 255 characters) and the names of the columns,
                `name_a` to `name_e` (at most 50 each).

        Raises:
            ConfigurationError: A field is unknown or too long.
        """
        body = _checked({"name": name, **fields})
        return decode_object((await self._ask("POST", "/groups", body)).body, Group)

    async def get(self, group_id: int) -> Group:
        """One group."""
        return decode_object((await self._ask("GET", _path(group_id))).body, Group)

    def list(self) -> AsyncIterator[Group]:
        """All groups, page after page: `async for group in client.groups.list()`."""
        return self._list("/groups", Group)

    async def update(self, group_id: int, **fields: str | None) -> Group:
        """Change the fields given, as for `create`; the others stay.

        Raises:
            ConfigurationError: A field is unknown or too long.
        """
        return decode_object(
            (await self._ask("PUT", _path(group_id), _checked(fields))).body, Group
        )

    async def delete(self, group_id: int) -> None:
        """Delete a group together with its phones."""
        await self._delete(_path(group_id))

    async def export(self, group_id: int) -> AsyncGenerator[CreatedPhone, None]:
        """The group's phones from its CSV export, as a stream.

        The export has no subscription data: those fields are None.

        Raises:
            OutcomeUnknownError: It broke off, or may have: it has fewer phones than the group, and
                nothing says that it is whole.
        """
        async with aclosing(self.export_once(group_id, Attempt())) as phones:
            async for phone in phones:
                yield phone

    async def export_once(
        self, group_id: int, attempt: Attempt
    ) -> AsyncGenerator[CreatedPhone, None]:
        """As `export`; the attempt is kept up to date, for whoever makes another."""
        decoder, known = ExportDecoder(), 0
        request = Request("GET", f"{_path(group_id)}/file/csv", accept="text/csv")
        async with aclosing(self._requests.stream(request, attempt=attempt)) as pieces:
            async for piece in pieces:
                for step in steps_of(piece):
                    for phone in decoder.feed(step):
                        known += phone.id is not None
                        yield phone
                    await asyncio.sleep(0)  # a large group is read for seconds
        for phone in decoder.close():
            known += phone.id is not None
            yield phone
        if attempt.open_ended or not (known or decoder.empty):
            await self._confirm(group_id, known)

    async def _confirm(self, group_id: int, known: int) -> None:
        """Do nothing if a group has no more phones than its export, which may be cut off, or none.

        Raises:
            OutcomeUnknownError: It has more, or does not say how many.
        """
        count = (await self.get_once(group_id, Attempt())).count_items
        if count is None or known < count:
            has = "does not say how many it has" if count is None else f"has {count:,}"
            msg = f"the export ended after {known:,} phones, and the group {has}: read it again"
            raise OutcomeUnknownError(msg)

    async def get_once(self, group_id: int, attempt: Attempt) -> Group:
        """As `get`, with one request."""
        reply = await self._once(Request("GET", _path(group_id)), attempt)
        return decode_object(reply.body, Group)


def _path(group_id: int) -> str:
    return f"/groups/{whole_number('group_id', group_id)}"


def _checked(fields: dict[str, str | None]) -> dict[str, str | None]:
    for name, value in fields.items():
        if name not in _WRITABLE:
            msg = f"a group has no field {name!r} to write; it has {', '.join(_WRITABLE)}"
            raise ConfigurationError(msg)
        longest = _WRITABLE[name]
        text = isinstance(value, str) and len(value) <= longest and (value or name != "name")
        if not text and (value is not None or name == "name"):
            low = 1 if name == "name" else 0
            msg = f"a group's {name} must be a text of {low} to {longest} characters"
            raise ConfigurationError(msg)
        if value is not None and not is_text(value):
            msg = f"a group's {name} has a lone surrogate, which is no character: leave it out"
            raise ConfigurationError(msg)
    return fields
