"""The groups that a user may send into, and the one of a job."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.errors import AsyncSDKError
from asyncsdk.web.errors import GroupRefusedError, JobError, NotNowError
from asyncsdk.workflow.groups import group_named, groups_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from asyncsdk.client import Client
    from asyncsdk.models import Group
    from asyncsdk.web.job import Job
    from asyncsdk.web.storage import Storage

__all__ = ["Destinations", "check_group"]

_PAUSE = 0.05
"""Seconds between two tries for the right to make a group."""


def check_group(
    group_id: int | None, group_name: str | None, allowed: Collection[int] | None
) -> None:
    """Do nothing if a user may use this group, or make one of this name.

    Args:
        group_id: Its id, if it is said by that.
        group_name: Its name, if that.
        allowed: The ids of those that are theirs to use; None for all, and new ones.

    Raises:
        GroupRefusedError: They may not.
    """
    if allowed is None:
        return
    if group_name or (group_id is not None and group_id not in allowed):
        msg = "this group is not yours to use: choose one of those that are shown"
        raise GroupRefusedError(msg)


@frozen
class Destinations:
    """The groups of an account."""

    client: Client
    storage: Storage

    async def usable(self, allowed: Collection[int] | None) -> list[Group]:
        """Those that a user may use; None: all."""
        found = await groups_of(self.client)
        return [group for group in found if allowed is None or group.id in allowed]

    async def of(self, job: Job, allowed: Collection[int] | None) -> Group:
        """The group of a job that is to be started, which is made if it is to be.

        Raises:
            NotNowError: None is chosen.
            GroupRefusedError: This user may not use it.
            JobError: It is not there, or cannot be made.
        """
        if job.group_id is None and not job.group_name:
            msg = "no group is chosen"
            raise NotNowError(msg)
        check_group(job.group_id, job.group_name if job.group_id is None else None, allowed)
        try:
            if job.group_id is not None:
                return await self.client.groups.get(job.group_id)
            return await self._named(job.group_name)
        except AsyncSDKError as error:
            msg = f"the group cannot be used: {error}"
            raise JobError(msg) from error

    async def _named(self, name: str) -> Group:
        """The group with this name, which is made if there is none, by one process at a time."""
        while (lease := await asyncio.to_thread(self.storage.naming)) is None:
            await asyncio.sleep(_PAUSE)
        try:
            return await group_named(self.client, name) or await self.client.groups.create(name)
        finally:
            lease.release()
