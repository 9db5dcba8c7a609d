"""A server that takes phones as fast as a process can, and answers as the provider and rivals do.

It runs in a process of its own (`Sink`), on uvloop and a bare protocol. What it does beyond that,
`Behaviour` says: a delay, a rate above which it answers 429, or one of the faults by which the
accounts of an uploader are tried.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec
from attrs import define, field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

Fault = Literal["none", "short", "silence", "busy"]
"""`short`: a reply leaves out the last 30 % of its items. `silence`: the first request is stored
and never answered. `busy`: every tenth item says 429 when it comes for the first time."""


@frozen
class Behaviour:
    """How the sink answers."""

    delay: float = 0.0
    """Seconds from the last byte of a request to the first of its reply."""
    rate: int | None = None
    """Requests it takes in any second; it answers 429 to the others."""
    fault: Fault = "none"


@define
class Log:
    """What the sink saw since it was last set up."""

    arrivals: list[float] = field(factory=list)
    """When the last byte of each bulk request came, by the monotonic clock."""
    stored: int = 0
    """Items stored, the same one as often as it came."""
    refused: int = 0
    """Requests answered 429."""


class _Row(msgspec.Struct, gc=False):
    phone: str
    a: str | None = None
    b: str | None = None
    c: str | None = None
    d: str | None = None
    e: str | None = None
    callback_data: str | None = None


class _Body(
    msgspec.Struct, gc=False, rename={"context": "@context", "iri": "@id", "kind": "@type"}
):
    context: str | msgspec.UnsetType
    iri: str | msgspec.UnsetType
    kind: str | msgspec.UnsetType
    id: str
    phone: str
    a: str | None
    b: str | None
    c: str | None
    d: str | None
    e: str | None
    callback_data: str | None
    subscribed_at: int | None = None
    unsubscribed_at: int | None = None
    unsubscribe_reason: int | None = None


class _Member(msgspec.Struct, gc=False):
    status: int
    body: _Body | dict[str, Any]


class _Collection(
    msgspec.Struct,
    rename={
        "context": "@context",
        "iri": "@id",
        "kind": "@type",
        "total": "hydra:totalItems",
        "member": "hydra:member",
    },
):
    context: str
    iri: str
    kind: str
    total: int
    member: list[_Member]


_rows = msgspec.json.Decoder(list[_Row]).decode
_lines = msgspec.json.Decoder().decode_lines
_encode = msgspec.json.Encoder().encode

_PLAIN = b"\r\naccept: application/json"
"""What the head of a request holds if plain JSON is asked for, in small letters."""

_OK = b'{"index":{"status":201}}'
_BUSY = b'{"index":{"status":429,"error":{"type":"es_rejected_execution_exception"}}}'


class _Bulk:
    """Items in, a reply out: one method for each dialect."""

    def __init__(self) -> None:
        self.fault: Fault = "none"
        self.log = Log()
        self._next_id = 500_000
        self._seen: set[str] = set()

    def provider(self, body: bytes, *, linked: bool = True) -> tuple[int, bytes]:
        """The provider: JSON-LD, or the plain JSON that is sent to those who ask for it."""
        rows = _rows(body)
        first = self._next_id + 1
        self._next_id += len(rows)
        body_of = _linked_phone if linked else _phone
        members = [_Member(201, body_of(id_, row)) for id_, row in enumerate(rows, first)]
        busy = self._busy([row.phone for row in rows])
        for i in busy:
            members[i] = _Member(429, {"@type": "hydra:Error", "hydra:description": "too busy"})
        self.log.stored += len(rows) - len(busy)
        members = members[: self._kept(len(members))]
        if not linked:
            return 201, _encode(members)
        reply = _Collection(
            "/contexts/Phone", "/groups/1/phones/batch", "hydra:Collection", len(members), members
        )
        return 201, _encode(reply)

    def search(self, body: bytes) -> tuple[int, bytes]:
        """Elasticsearch and OpenSearch: a line that says what to do, and a line with the item."""
        count = body.count(b"\n") // 2
        busy: set[int] = set()
        if self.fault == "busy":
            busy = self._busy([line["phone"] for line in _lines(body)[1::2]])
        self.log.stored += count - len(busy)
        items = [_BUSY if i in busy else _OK for i in range(count)] if busy else [_OK] * count
        told = b",".join(items[: self._kept(count)])
        errors = b"true" if busy else b"false"
        return 200, b'{"took":1,"errors":%s,"items":[%s]}' % (errors, told)

    def vectors(self, body: bytes) -> tuple[int, bytes]:
        """Pinecone: it answers with a count, never item by item."""
        vectors = msgspec.json.decode(body)["vectors"]
        count = len(vectors)
        busy = self._busy([vector["id"] for vector in vectors]) if self.fault == "busy" else ()
        self.log.stored += count - len(busy)
        return 200, b'{"upsertedCount":%d}' % self._kept(count - len(busy))

    def _kept(self, count: int) -> int:
        return count * 7 // 10 if self.fault == "short" else count

    def _busy(self, keys: list[str]) -> set[int]:
        if self.fault != "busy":
            return set()
        busy = {
            i for i, key in enumerate(keys) if int(key[-6:]) % 10 == 0 and key not in self._seen
        }
        self._seen.update(keys)
        return busy


def _phone(id_: int, row: _Row, *link: str) -> _Body:
    context, iri, kind = link or (msgspec.UNSET,) * 3
    return _Body(
        context,
        iri,
        kind,
        str(id_),
        row.phone,
        row.a,
        row.b,
        row.c,
        row.d,
        row.e,
        row.callback_data,
    )


def _linked_phone(id_: int, row: _Row) -> _Body:
    return _phone(id_, row, "/contexts/Phone", f"/phones/{id_}", "Phone")


class _Server:
    """What all connections share."""

    def __init__(self) -> None:
        self.set_up(Behaviour())

    def set_up(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.bulk = _Bulk()
        self.bulk.fault = behaviour.fault
        self._window: deque[float] = deque()

    def answer(self, path: bytes, head: bytes, body: bytes) -> tuple[int, bytes] | None:
        """Status and body of the reply; None to answer nothing."""
        if path.endswith(b"/_bulk"):
            handle: Callable[[bytes], tuple[int, bytes]] = self.bulk.search
        elif path.endswith(b"/vectors/upsert"):
            handle = self.bulk.vectors
        elif path.endswith(b"/phones/batch"):
            handle = partial(self.bulk.provider, linked=_PLAIN not in head)
        else:
            return 200, b'{"version":{"number":"9.0.0"},"tagline":"You Know, for Search"}'
        now = time.monotonic()
        log = self.bulk.log
        log.arrivals.append(now)
        if self._too_many(now):
            log.refused += 1
            return 429, b"{}"
        reply = handle(body)
        if self.behaviour.fault == "silence" and len(log.arrivals) == 1:
            return None
        return reply

    def _too_many(self, now: float) -> bool:
        rate, window = self.behaviour.rate, self._window
        if rate is None:
            return False
        while window and window[0] <= now - 1.0:
            window.popleft()
        if len(window) >= rate:
            return True
        window.append(now)
        return False


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with `Content-Length`, as all the uploaders speak it; no more of it than that."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._parts: list[bytes] = []
        self._size = 0
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size >= self._missing:
            self._take(b"".join(self._parts))

    def _take(self, data: bytes) -> None:
        while True:
            end = data.find(b"\r\n\r\n")
            head = data[:end].lower() if end >= 0 else b""
            mark = head.find(b"\r\ncontent-length:")
            length = int(head[mark + 17 :].split(b"\r\n", 1)[0]) if mark >= 0 else 0
            whole = end + 4 + length
            if end < 0 or len(data) < whole:
                self._parts, self._size = [data], len(data)
                self._missing = 0 if end < 0 else whole
                return
            self._reply(data.split(b" ", 2)[1], head, data[end + 4 : whole])
            data = data[whole:]

    def _reply(self, path: bytes, head: bytes, body: bytes) -> None:
        came = self._loop.time()
        answer = self._server.answer(path.split(b"?", 1)[0], head, body)
        if answer is None:
            return
        status, told = answer
        linked = path.endswith(b"/phones/batch") and _PLAIN not in head
        kind = b"application/ld+json" if linked else b"application/json"
        reply = (
            b"HTTP/1.1 %d OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
            b"X-Elastic-Product: Elasticsearch\r\nX-LOX24-REQUEST-ID: %s\r\n\r\n"
            % (status, kind, len(told), b"0123456789abcdef" * 2)
        ) + told
        delay = self._server.behaviour.delay
        if delay:
            self._loop.call_at(came + delay, self._write, reply)
        else:
            self._write(reply)

    def _write(self, reply: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(reply)  # type: ignore[attr-defined]


async def _serve(pipe: Connection, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    server = _Server()
    await loop.create_server(lambda: _Connection(server), sock=listener, backlog=1024)
    ended = loop.create_future()

    def ordered() -> None:
        try:
            order = pipe.recv()
        except EOFError:
            order = None
        if order is None:
            loop.remove_reader(pipe.fileno())
            ended.set_result(None)
        elif order == "log":
            pipe.send(server.bulk.log)
        else:
            server.set_up(order)
            pipe.send("set up")

    loop.add_reader(pipe.fileno(), ordered)
    await ended


def _run(pipe: Connection, listener: socket.socket) -> None:
    import uvloop  # noqa: PLC0415 - in the sink's own process only

    uvloop.run(_serve(pipe, listener))


class Sink:
    """The server in its process; use it with `with`."""

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_run, args=(theirs, listener), daemon=True)
        self._process.start()
        theirs.close()
        listener.close()
        self.set_up(Behaviour())
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send(None)
        self._process.join()

    def set_up(self, behaviour: Behaviour) -> None:
        """Behave like this from now on, and begin a new log."""
        self._pipe.send(behaviour)
        self._pipe.recv()

    def log(self) -> Log:
        """What was seen since it was set up."""
        self._pipe.send("log")
        log: Log = self._pipe.recv()
        return log
