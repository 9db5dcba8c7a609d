"""The group that is uploaded into, by its id or its name."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import define
from yarl import URL

from asyncsdk.cli.connecting import client_from_env
from asyncsdk.cli.shown import fail, plain, stderr
from asyncsdk.client import Client
from asyncsdk.config import EXPOSED, is_exposed
from asyncsdk.errors import AsyncSDKError, ConfigurationError, NotFoundError
from asyncsdk.models import FIELDS
from asyncsdk.workflow.groups import group_named

_DIGITS = 18
"""Of an id: it has 63 bits."""
_LISTED = "'asyncsdk groups list' shows them all"

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asyncsdk.models import Group

__all__ = ["Destination", "check_credentials", "find_group", "in_context"]


@define
class Destination:
    """A group, which is asked for only where something about it must be known."""

    name: str
    """What was typed: an id or a name."""
    create: bool = False
    """Whether to create it if no group has that name."""
    group_id: int | None = None
    """Its id, once that is known."""
    title: str = ""
    """Its name, once that is known."""

    def __attrs_post_init__(self) -> None:
        if self.name.isascii() and self.name.isdecimal():
            self.group_id = _id_in(self.name)
        else:
            self.title = self.name

    @property
    def label(self) -> str:
        """What it is called in a sentence."""
        if self.group_id is None or self.name == str(self.group_id):
            return self.name
        return f"{self.name!r} ({self.group_id})"

    async def columns(self, targets: Iterable[str]) -> dict[str, str]:
        """What the group calls its columns, if one of the targets is no field of a phone.

        Raises:
            ConfigurationError: No group has that name, and none is to be created.
        """
        if self.group_id is not None and set(targets) <= set(FIELDS):
            return {}
        check_credentials()
        async with client_from_env() as client:
            group = await self._find(client)
        if group is None:
            return {}
        self.group_id, self.title = group.id, group.name or self.title
        return group.columns

    async def id(self, client: Client) -> int:
        """Its id; it is created here, if it is to be."""
        if self.group_id is None:
            group = await self._find(client) or await client.groups.create(self.name)
            self.group_id = group.id
        return self.group_id

    async def learn(self, client: Client) -> None:
        """Its name, if that is not known: a page has it in its head. It does without, too."""
        if not self.title:
            with suppress(AsyncSDKError):
                group = await self._find(client)
                self.title = "" if group is None else group.name or ""

    async def _find(self, client: Client) -> Group | None:
        if self.group_id is not None:
            return await client.groups.get(self.group_id)
        return await find_group(client, self.name, missing_ok=self.create)


def check_credentials() -> None:
    """End the command before it begins if it cannot log in: all that is missing is named."""
    names = ("ASYNCSDK_CLIENT_ID", "ASYNCSDK_API_KEY")
    if missing := [name for name in names if not os.environ.get(name, "").strip()]:
        variables = "variable" if len(missing) == 1 else "variables"
        fail(f"set the environment {variables} {' and '.join(missing)}")
    _warn_if_exposed(os.environ.get("ASYNCSDK_BASE_URL", "").strip())


def _warn_if_exposed(url: str) -> None:
    """Say it as commands do, and not a second time as Python does."""
    with suppress(ValueError):  # what is no URL is told when the client is made
        if is_exposed(URL(url)):
            stderr().print(plain(EXPOSED.format(url), "yellow"), soft_wrap=True)
            warnings.filterwarnings("ignore", ".* is not encrypted", UserWarning)


def in_context(error: BaseException, destination: Destination | None) -> str:
    """What an error says; of a group that is not there also which, and where to look."""
    if isinstance(error, NotFoundError) and destination is not None:
        return f"there is no group {destination.label} in this account ({_LISTED}): {error}"
    return str(error)


def _id_in(name: str) -> int:
    """The id in a text of digits; one that no group can have ends the command."""
    if len(name) > _DIGITS:
        fail(f"a group's id has at most {_DIGITS} digits, not {len(name):,}")
    return int(name)


async def find_group(client: Client, name: str, *, missing_ok: bool = False) -> Group | None:
    """The group with this id or name.

    Raises:
        ConfigurationError: Several have that name, or none has and that is not ok.
    """
    if name.isascii() and name.isdecimal():
        try:
            return await client.groups.get(_id_in(name))
        except NotFoundError as error:
            raise ConfigurationError(in_context(error, Destination(name))) from error
    group = await group_named(client, name)
    if group is None and not missing_ok:
        msg = f"no group is named {name!r}: {_LISTED}"
        raise ConfigurationError(msg)
    return group
