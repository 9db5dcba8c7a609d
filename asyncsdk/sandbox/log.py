"""What happened, for tests to judge by: the phones that were stored, the requests that came."""

from __future__ import annotations

import logging

from attrs import evolve, frozen
from msgspec import Struct

__all__ = ["Commit", "RequestLog", "RequestRecord"]

logger = logging.getLogger("asyncsdk_sandbox")


class Commit(Struct, frozen=True, gc=False):  # 200,000 are logged in one test: no attrs here
    """One phone that came into a group."""

    at: float
    """Seconds by the sandbox's clock."""
    group_id: int
    phone_id: int
    phone: str
    """The number as it was sent, however the sandbox spells it in its store."""
    a: str | None
    b: str | None
    c: str | None
    d: str | None
    e: str | None
    callback_data: str | None
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


class RequestLog:
    """The records in order of arrival, completed as the requests are answered."""

    def __init__(self) -> None:
        self.records: list[RequestRecord] = []

    def open(
        self, *, at: float, method: str, path: str, authorized: bool, client_id: str | None
    ) -> int:
        """Note an arrival, and give it its number."""
        no = len(self.records) + 1
        self.records.append(RequestRecord(no, at, method, path, authorized, client_id))
        return no

    def close(self, no: int, *, status: int | None, phones: int | None, fault: str | None) -> None:
        """Complete a record with what became of the request."""
        record = self.records[no - 1]
        self.records[no - 1] = evolve(record, status=status, phones=phones, fault=fault)
        logger.debug(
            "%s %s: %s%s", record.method, record.path, status, f", {fault}" if fault else ""
        )
