"""What happened, for tests to judge by: the phones that were stored, the requests that came."""

from __future__ import annotations

import logging

from attrs import evolve, frozen
from msgspec import Struct

__all__ = ["Commit", "RequestLog", "RequestRecord"]

logger: logging.Logger = logging.getLogger("asyncsdk_sandbox")


class Commit(Struct, frozen=True, gc=False):  # 200,000 are logged in one test: no attrs here
    """One phone that came into a group."""

    at: float
    """Seconds by the sandbox's clock."""
    group_id: int
    """The group that it came into."""
    phone_id: int
    """The id that it was given."""
    phone: str
    """The number as it was sent, however the sandbox spells it in its store."""
    a: str | None
    """Column data as sent; likewise `b` to `e`."""
    b: str | None
    """Likewise."""
    c: str | None
    """Likewise."""
    d: str | None
    """Likewise."""
    e: str | None
    """Likewise."""
    callback_data: str | None
    """As sent."""
    request_no: int
    """The request that brought it, as in `RequestRecord.no`."""


@frozen
class RequestRecord:
    """One request, from its arrival on. It never holds the api key."""

    no: int
    """Counted from 1."""
    at: float
    """When its head arrived, in seconds by the sandbox's clock."""
    method: str
    """`GET`, `POST`, …"""
    path: str
    """Path and query as sent."""
    authorized: bool
    """Whether it came with the right client id and api key."""
    client_id: str | None
    """What it gave for a client id."""
    status: int | None = None
    """Status of the reply; None while there is none, or if no whole one was ever sent."""
    phones: int | None = None
    """How many phones the batch held; None if it was not looked at, or is no batch."""
    fault: str | None = None
    """Name of the fault that was injected."""


_METHOD, _PATH, _CLIENT_ID = 20, 500, 50
"""Characters of what a request says that are remembered."""

_KEPT = 50_000
"""Requests that are remembered at least: a sandbox may run for weeks, and be asked by anybody. Of
the longest ones twice as many take 90 MiB."""


class RequestLog:
    """The records in order of arrival, completed as the requests are answered.

    Of very many the first ones are forgotten.
    """

    def __init__(self) -> None:
        self.records: list[RequestRecord] = []
        self._forgotten = 0

    def open(
        self, *, at: float, method: str, path: str, authorized: bool, client_id: str | None
    ) -> int:
        """Note an arrival, and give it its number."""
        if len(self.records) >= 2 * _KEPT:
            del self.records[:_KEPT]
            self._forgotten += _KEPT
        no = self._forgotten + len(self.records) + 1
        known = None if client_id is None else client_id[:_CLIENT_ID]
        record = RequestRecord(no, at, method[:_METHOD], path[:_PATH], authorized, known)
        self.records.append(record)
        return no

    def close(self, no: int, *, status: int | None, phones: int | None, fault: str | None) -> None:
        """Complete a record with what became of the request."""
        place = no - 1 - self._forgotten
        if place < 0:
            return
        record = evolve(self.records[place], status=status, phones=phones, fault=fault)
        self.records[place] = record
        logger.debug(
            "%s %s: %s%s", record.method, record.path, status, f", {fault}" if fault else ""
        )
