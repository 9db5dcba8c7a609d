"""Groups by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncsdk.errors import ConfigurationError

if TYPE_CHECKING:
    from asyncsdk.client import Client
    from asyncsdk.models import Group

__all__ = ["group_named", "groups_of"]


async def groups_of(client: Client) -> list[Group]:
    """The groups of the account that are not deleted."""
    return [group async for group in client.groups.list() if group.deleted_at is None]


async def group_named(client: Client, name: str) -> Group | None:
    """The group with this name; None where there is none.

    Raises:
        ConfigurationError: Several have it.
    """
    found = [group for group in await groups_of(client) if group.name == name]
    if len(found) > 1:
        ids = ", ".join(str(group.id) for group in found)
        msg = f"several groups are named {name!r}: give one of the ids {ids}"
        raise ConfigurationError(msg)
    return found[0] if found else None
