"""The account that the credentials belong to."""

from __future__ import annotations

from asyncsdk.models import Account
from asyncsdk.resources.base import Resource
from asyncsdk.wire.resources import decode_object

__all__ = ["AccountResource"]


class AccountResource(Resource):
    """`/me`."""

    async def get(self) -> Account:
        """The account."""
        return decode_object((await self._ask("GET", "/me")).body, Account)
