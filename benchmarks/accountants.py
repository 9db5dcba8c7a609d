"""What each uploader says of its items."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk import Client
from benchmarks.contenders import BATCH, CONCURRENCY, KEY, actions, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Any

__all__ = ["ACCOUNTANTS", "Account"]


@frozen
class Account:
    """How many items an uploader speaks of, and how."""

    good: int = 0
    bad: int = 0
    unknown: int = 0
    raised: str = ""

    @property
    def total(self) -> int:
        return self.good + self.bad + self.unknown

    def __str__(self) -> str:
        parts = [
            f"{count:,} {name}"
            for name, count in (("good", self.good), ("bad", self.bad), ("unknown", self.unknown))
            if count
        ]
        if self.raised:
            parts.append(self.raised)
        return ", ".join(parts) or "nothing"


def _sdk_account(url: str, count: int, timeout: float) -> Account:
    async def upload() -> Account:
        async with Client(*KEY, base_url=url, timeout=timeout) as client:
            report = await client.phones.upload(1, phones(count), rate=None)
            bad = report.submitted - report.created_count - report.unknown_count
            return Account(report.created_count, bad, report.unknown_count)

    return asyncio.run(upload())


def _count(results: Iterator[tuple[bool, Any]]) -> Account:
    """A helper that tells an item at a time: what it had told counts, also if it raises."""
    good = bad = 0
    try:
        for stored, _ in results:
            good, bad = good + stored, bad + (not stored)
    except Exception as error:  # noqa: BLE001 - told in the table
        return Account(good, bad, raised=type(error).__name__)
    return Account(good, bad)


async def _acount(results: AsyncIterator[tuple[bool, Any]]) -> Account:
    good = bad = 0
    try:
        async for stored, _ in results:
            good, bad = good + stored, bad + (not stored)
    except Exception as error:  # noqa: BLE001 - told in the table
        return Account(good, bad, raised=type(error).__name__)
    return Account(good, bad)


_LENIENT = {"chunk_size": BATCH, "raise_on_error": False, "raise_on_exception": False}


def _elasticsearch_parallel_account(url: str, count: int, timeout: float) -> Account:
    from elasticsearch import Elasticsearch  # noqa: PLC0415
    from elasticsearch.helpers import parallel_bulk  # noqa: PLC0415

    with Elasticsearch(url, request_timeout=timeout, connections_per_node=CONCURRENCY) as client:
        return _count(parallel_bulk(client, actions(count), thread_count=CONCURRENCY, **_LENIENT))


def _elasticsearch_streaming_account(url: str, count: int, timeout: float) -> Account:
    from elasticsearch import AsyncElasticsearch  # noqa: PLC0415
    from elasticsearch.helpers import async_streaming_bulk  # noqa: PLC0415

    async def upload() -> Account:
        async with AsyncElasticsearch(url, request_timeout=timeout) as client:
            return await _acount(async_streaming_bulk(client, actions(count), **_LENIENT))

    return asyncio.run(upload())


def _opensearch_parallel_account(url: str, count: int, timeout: float) -> Account:
    from opensearchpy import OpenSearch  # noqa: PLC0415
    from opensearchpy.helpers import parallel_bulk  # noqa: PLC0415

    client = OpenSearch(url, timeout=timeout, pool_maxsize=CONCURRENCY)
    try:
        return _count(parallel_bulk(client, actions(count), thread_count=CONCURRENCY, **_LENIENT))
    finally:
        client.close()


def _opensearch_streaming_account(url: str, count: int, timeout: float) -> Account:
    from opensearchpy import AsyncOpenSearch  # noqa: PLC0415
    from opensearchpy.helpers import async_streaming_bulk  # noqa: PLC0415

    async def upload() -> Account:
        async with AsyncOpenSearch(url, timeout=timeout) as client:
            return await _acount(async_streaming_bulk(client, actions(count), **_LENIENT))

    return asyncio.run(upload())


def _pinecone_account(url: str, count: int, timeout: float) -> Account:
    from pinecone import AsyncIndex  # noqa: PLC0415

    async def upload() -> Account:
        async with AsyncIndex(host=url, api_key=KEY[1], timeout=timeout) as index:
            reply = await index.upsert(
                vectors=[(phone.phone, [1.0]) for phone in phones(count)],
                batch_size=BATCH,
                max_concurrency=CONCURRENCY,
                show_progress=False,
            )
            return Account(reply.upserted_count, reply.failed_item_count)

    try:
        return asyncio.run(upload())
    except Exception as error:  # noqa: BLE001 - told in the table
        return Account(raised=type(error).__name__)


ACCOUNTANTS: dict[str, Callable[[str, int, float], Account]] = {
    "asyncsdk": _sdk_account,
    "opensearch-py parallel_bulk": _opensearch_parallel_account,
    "opensearch-py async_streaming_bulk": _opensearch_streaming_account,
    "elasticsearch parallel_bulk": _elasticsearch_parallel_account,
    "elasticsearch async_streaming_bulk": _elasticsearch_streaming_account,
    "pinecone upsert": _pinecone_account,
}
