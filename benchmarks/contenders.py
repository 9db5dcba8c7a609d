"""Who is measured: the SDK, the limit, the script a user would write, and the rivals.

Each contender uploads the same phones from a generator and returns how many items it reports as
stored. Each is given its items in the form that costs it least.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from asyncsdk import Client, Phone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

BATCH = 1000
CONCURRENCY = 8
KEY = ("1234567", "benchmark")

_NAMES = ("Anna", "Björn", "Chiara", "Dilek", "Emil", "Fatma", "Gustav", "Hanna")
_CITIES = ("Berlin", "Köln", "Roma", "Izmir", "Wien", "Ankara", "Malmö", "Bern")


def rows(count: int) -> Iterator[tuple[str, str, str]]:
    """A number and two columns each."""
    for i in range(count):
        yield f"+49160{i:08d}", _NAMES[i & 7], _CITIES[i & 7]


def phones(count: int) -> Iterator[Phone]:
    """Phones, made as they are drawn."""
    for row in _rows(count):
        yield Phone(*row)


def mappings(count: int) -> Iterator[dict[str, str]]:
    """Rows of four fields as a database gives them, made as they are drawn."""
    for number, a, b in _rows(count):
        yield {"phone": number, "a": a, "b": b, "callback_data": number}


def draw(_: str, count: int) -> int:
    """Draw the rows, and nothing else: what is no uploader's doing."""
    drawn = 0
    for batch in _batches(count):
        drawn += len(batch)
    return drawn


def _rows(count: int) -> Iterable[tuple[str, str, str]]:
    """Those that were made before the clock runs, if they were."""
    return _ready_rows.get(count) or rows(count)


def _batches(count: int) -> Iterator[list[dict[str, str]]]:
    source = mappings(count)
    while batch := list(islice(source, BATCH)):
        yield batch


# -- the SDK, and the limit ------------------------------------------------------------------


def sdk(
    url: str, count: int, *, batch: int = BATCH, concurrency: int = CONCURRENCY, **options: Any
) -> int:
    """The SDK with the default report."""

    async def upload() -> int:
        async with Client(*KEY, base_url=url, rate=None) as client:
            report = await client.phones.upload(
                1,
                mappings(count),
                **({"rate": None, "batch_size": batch, "concurrency": concurrency} | options),
            )
            return report.created_count

    return asyncio.run(upload())


class _Status(msgspec.Struct, gc=False):
    status: int


def limit(url: str, count: int) -> int:
    """What any uploader has to do: post bodies, and read the statuses.

    The bodies are ready-made: `have_bodies` makes them before the clock runs. Nothing is drawn,
    checked, encoded, matched or kept.
    """
    return _post(url, ((body, b"") for body in _ready_bodies[count]), _statuses)


def limit_encoding(url: str, count: int) -> int:
    """The same with rows that are drawn and encoded as they are, which nobody is spared."""
    return _post(url, ((_encode(batch), b"") for batch in _batches(count)), _statuses)


def _statuses(_: bytes, __: bytes, reply: bytes) -> int:
    return len(_decode_statuses(reply))


_encode = msgspec.json.Encoder().encode
_decode_statuses = msgspec.json.Decoder(list[_Status]).decode

_Text = Annotated[str, msgspec.Meta(max_length=1530)]


class _Row(msgspec.Struct, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    phone: Annotated[str, msgspec.Meta(min_length=1, max_length=30)]
    a: _Text | None = None
    b: _Text | None = None
    c: _Text | None = None
    d: _Text | None = None
    e: _Text | None = None
    callback_data: Annotated[str, msgspec.Meta(max_length=36)] | None = None


class _Echo(msgspec.Struct, gc=False):
    phone: str


class _Member(msgspec.Struct, gc=False):
    status: int
    body: _Echo


_decode_members = msgspec.json.Decoder(list[_Member]).decode


def limit_accounting(url: str, count: int) -> int:
    """The same with an account of every phone, by the shortest way that Python has.

    Each row is checked for its limits. Each reply is compared with what was sent, number by number,
    and is looked through for copies of a number. Rows and replies are kept, for a report. Things
    can go one way only: no reply is late, lost, refused or in another order, and nobody stops it.
    """
    kept: list[tuple[bytes, bytes]] = []

    def batches() -> Iterator[tuple[bytes, bytes]]:
        source = mappings(count)
        while rows := [*_checked(source), *_checked(source)]:
            yield _encode(rows), _encode([row.phone for row in rows])

    def account(body: bytes, numbers: bytes, reply: bytes) -> int:
        echoes = [member.body.phone for member in _decode_members(reply)]
        if _encode(echoes) != numbers or len(set(echoes)) != len(echoes):
            msg = "this reply is beyond it"
            raise ValueError(msg)
        kept.append((body, reply))
        return len(echoes)

    return _post(url, batches(), account)


def _checked(source: Iterator[dict[str, str]]) -> list[_Row]:
    """Half a batch: with more at once the garbage collector would come."""
    return msgspec.convert(list(islice(source, BATCH // 2)), list[_Row])


def _post(
    url: str,
    batches: Iterator[tuple[bytes, bytes]],
    account: Callable[[bytes, bytes, bytes], int],
) -> int:
    """Post bodies.

    Args:
        url: The server.
        batches: The bodies, and the numbers in them.
        account: Takes both of a batch, and its reply; returns how many phones were stored.
    """
    import aiohttp  # noqa: PLC0415

    async def upload() -> int:
        stored = 0

        async def worker(session: aiohttp.ClientSession) -> None:
            nonlocal stored
            for body, numbers in batches:
                async with session.post(
                    f"{url}/groups/1/phones/batch",
                    data=body,
                    headers={"Content-Type": "application/json", "Accept": "application/json"},
                ) as response:
                    reply = await response.read()
                stored += account(body, numbers, reply)

        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(worker(session) for _ in range(CONCURRENCY)))
        return stored

    return asyncio.run(upload())


_ready_rows: dict[int, list[tuple[str, str, str]]] = {}
_ready_bodies: dict[int, list[bytes]] = {}


def have_rows(count: int) -> None:
    """Make the texts before the clock runs: they come from a database or a file, not from us."""
    _ready_rows[count] = list(rows(count))


def have_bodies(count: int) -> None:
    """Make the bodies for `limit`: the very bytes that the SDK sends."""
    _ready_bodies[count] = [msgspec.json.encode(batch) for batch in _batches(count)]


# -- one phone at a time ---------------------------------------------------------------------


def bare_posts(url: str, count: int) -> int:
    """A POST of one phone with bare aiohttp, one after the other."""
    import aiohttp  # noqa: PLC0415

    async def upload() -> int:
        stored = 0
        async with aiohttp.ClientSession() as session:
            for _ in range(count):
                async with session.post(
                    f"{url}/groups/1/phones/batch",
                    data=b'[{"phone":"+4916000000000"}]',
                    headers={"Content-Type": "application/json", "Accept": "application/json"},
                ) as response:
                    await response.read()
                stored += response.ok
        return stored

    return asyncio.run(upload())


def small_uploads(url: str, count: int) -> int:
    """An upload of one phone, one after the other."""

    async def upload() -> int:
        stored = 0
        async with Client(*KEY, base_url=url, rate=None) as client:
            for _ in range(count):
                report = await client.phones.upload(1, ["+4916000000000"])
                stored += report.created_count
        return stored

    return asyncio.run(upload())


def sender(url: str, count: int, callers: int = 200) -> int:
    """Phones of many callers through one sender."""

    async def upload() -> int:
        async with Client(*KEY, base_url=url, rate=None) as client:
            async with client.phones.sender(1, linger=0.01) as open_sender:

                async def caller(numbers: range) -> None:
                    for number in numbers:
                        await open_sender.add(f"+49160{number:08}")

                turns = (range(at, count, callers) for at in range(callers))
                await asyncio.gather(*map(caller, turns))
            return open_sender.report.created_count

    return asyncio.run(upload())


# -- the script a user would write -----------------------------------------------------------


async def _script(
    url: str, count: int, options: Callable[[list[dict[str, str]]], Any], read: Callable[..., Any]
) -> int:
    """The leanest plain script: the four fields in a dict, and the reply as it comes."""
    import aiohttp  # noqa: PLC0415

    results: list[tuple[dict[str, str], int, Any]] = []
    places = asyncio.Semaphore(CONCURRENCY)

    async def send(session: aiohttp.ClientSession, batch: list[dict[str, str]]) -> None:
        async with (
            places,
            session.post(f"{url}/groups/1/phones/batch", **options(batch)) as response,
        ):
            reply = await read(response)
        for phone, member in zip(batch, reply["hydra:member"], strict=True):
            results.append((phone, member["status"], member["body"]))

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(send(session, batch) for batch in _batches(count)))
    return sum(200 <= status < 300 for _, status, _ in results)


def script_aiohttp(url: str, count: int) -> int:
    """aiohttp, `json=` and `resp.json()`."""
    return asyncio.run(
        _script(
            url,
            count,
            lambda batch: {"json": batch},
            lambda response: response.json(content_type=None),
        )
    )


def script_orjson(url: str, count: int) -> int:
    """The same with orjson both ways."""
    import orjson  # noqa: PLC0415

    async def read(response: Any) -> Any:
        return orjson.loads(await response.read())

    headers = {"Content-Type": "application/json"}
    return asyncio.run(
        _script(url, count, lambda batch: {"data": orjson.dumps(batch), "headers": headers}, read)
    )


def script_httpx(url: str, count: int) -> int:
    """The plain script with httpx."""
    import httpx  # noqa: PLC0415

    async def upload() -> int:
        results: list[tuple[dict[str, str], int, Any]] = []
        places = asyncio.Semaphore(CONCURRENCY)

        async def send(client: httpx.AsyncClient, batch: list[dict[str, str]]) -> None:
            async with places:
                response = await client.post(f"{url}/groups/1/phones/batch", json=batch)
            for phone, member in zip(batch, response.json()["hydra:member"], strict=True):
                results.append((phone, member["status"], member["body"]))

        async with httpx.AsyncClient(timeout=60) as client:
            await asyncio.gather(*(send(client, batch) for batch in _batches(count)))
        return sum(200 <= status < 300 for _, status, _ in results)

    return asyncio.run(upload())


# -- the rivals ------------------------------------------------------------------------------


def actions(count: int) -> Iterator[dict[str, Any]]:
    """The phones as the search engines' helpers take them."""
    for number, a, b in _rows(count):
        yield {"_index": "phones", "phone": number, "a": a, "b": b}


def _told(results: Any) -> int:
    return sum(good for good, _ in results)


def elasticsearch_parallel(url: str, count: int, timeout: float = 60.0) -> int:
    from elasticsearch import Elasticsearch  # noqa: PLC0415
    from elasticsearch.helpers import parallel_bulk  # noqa: PLC0415

    with Elasticsearch(url, request_timeout=timeout, connections_per_node=CONCURRENCY) as client:
        return _told(
            parallel_bulk(client, actions(count), thread_count=CONCURRENCY, chunk_size=BATCH)
        )


def elasticsearch_streaming(url: str, count: int, timeout: float = 60.0) -> int:
    from elasticsearch import AsyncElasticsearch  # noqa: PLC0415
    from elasticsearch.helpers import async_streaming_bulk  # noqa: PLC0415

    async def upload() -> int:
        async with AsyncElasticsearch(url, request_timeout=timeout) as client:
            stream = async_streaming_bulk(client, actions(count), chunk_size=BATCH)
            return sum([good async for good, _ in stream])

    return asyncio.run(upload())


def opensearch_parallel(url: str, count: int, timeout: float = 60.0) -> int:
    from opensearchpy import OpenSearch  # noqa: PLC0415
    from opensearchpy.helpers import parallel_bulk  # noqa: PLC0415

    client = OpenSearch(url, timeout=timeout, pool_maxsize=CONCURRENCY)
    try:
        return _told(
            parallel_bulk(client, actions(count), thread_count=CONCURRENCY, chunk_size=BATCH)
        )
    finally:
        client.close()


def opensearch_streaming(url: str, count: int, timeout: float = 60.0) -> int:
    from opensearchpy import AsyncOpenSearch  # noqa: PLC0415
    from opensearchpy.helpers import async_streaming_bulk  # noqa: PLC0415

    async def upload() -> int:
        async with AsyncOpenSearch(url, timeout=timeout) as client:
            stream = async_streaming_bulk(client, actions(count), chunk_size=BATCH)
            return sum([good async for good, _ in stream])

    return asyncio.run(upload())


def pinecone(url: str, count: int, timeout: float = 60.0) -> int:
    """A vector with one dimension, the rest of the phone as its metadata. It takes lists only."""
    from pinecone import AsyncIndex  # noqa: PLC0415

    async def upload() -> int:
        async with AsyncIndex(host=url, api_key=KEY[1], timeout=timeout) as index:
            reply = await index.upsert(
                vectors=[(number, [1.0], {"a": a, "b": b}) for number, a, b in _rows(count)],
                batch_size=BATCH,
                max_concurrency=CONCURRENCY,
                show_progress=False,
            )
            stored: int = reply.upserted_count
            return stored

    return asyncio.run(upload())


SCRIPTS: dict[str, Callable[[str, int], int]] = {
    "script: aiohttp": script_aiohttp,
    "script: aiohttp and orjson": script_orjson,
    "script: httpx": script_httpx,
}
RIVALS: dict[str, Callable[[str, int], int]] = {
    "opensearch-py parallel_bulk": opensearch_parallel,
    "opensearch-py async_streaming_bulk": opensearch_streaming,
    "elasticsearch parallel_bulk": elasticsearch_parallel,
    "elasticsearch async_streaming_bulk": elasticsearch_streaming,
    "pinecone upsert": pinecone,
}


def quiet() -> None:
    """Let nobody speak: log lines would be measured too."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
