"""Values that are made for every upload, every request, or every row."""

from __future__ import annotations

from typing import Any

import pytest
from rich.pretty import pretty_repr

from asyncsdk.http.exchange import Reply, Request
from asyncsdk.ledger.account import UploadAccount
from asyncsdk.ledger.run import Run
from asyncsdk.models import Problem
from asyncsdk.results import Delivery, Outcome
from asyncsdk.upload.assembly import Order
from asyncsdk.upload.batch import Batch
from asyncsdk.upload.intake.batches import Chunk
from asyncsdk.upload.intake.pieces import Piece, Rejection, joined
from asyncsdk.upload.verdict.decision import Decision, Pause
from asyncsdk.upload.verdict.settlement import Settlement
from asyncsdk.upload.verdict.table import Table
from asyncsdk.upload.worker import Post
from asyncsdk.value import Value
from asyncsdk.wire.batch import BatchReply
from asyncsdk.wire.rows import Row, decode_rows, encode_rows

NUMBERS = [f"+49160{i:07}" for i in range(3)]
ROWS = [Row(number) for number in NUMBERS]
PIECE = Piece(range(3), ROWS)
CHECKED = joined([PIECE])
BATCH = Batch(indices=range(3), body=CHECKED.body, numbers=CHECKED.texts, key=7)
ENTRY = BATCH.entry(Outcome.CREATED, Delivery.ANSWERED, members=CHECKED.body)
ORDER: dict[str, Any] = dict.fromkeys(Order.__struct_fields__, NUMBERS)

SAMPLES: tuple[Value, ...] = (
    Request("POST", "/groups/1/phones/batch", CHECKED.body),
    Reply(201, CHECKED.body),
    PIECE,
    CHECKED,
    Rejection(0, ROWS[0], Problem(NUMBERS[0]), NUMBERS[0]),
    Chunk(0, CHECKED.body, [BATCH], [ENTRY]),
    BATCH,
    ENTRY,
    BatchReply(CHECKED.body, NUMBERS),
    Settlement([ENTRY], [BATCH]),
    Decision([ENTRY], [BATCH], pause=Pause(1.0, NUMBERS[0])),
    Pause(1.0, NUMBERS[0]),
    Run(),
    Order(**ORDER),
    Post(NUMBERS, Request("POST", NUMBERS[0]), NUMBERS),  # type: ignore[arg-type]
    Table(NUMBERS, "report", NUMBERS),  # type: ignore[arg-type]
    *UploadAccount(Run(), lambda _: NUMBERS)._parts,  # type: ignore[arg-type, return-value]
)


def test_each_kind_is_here() -> None:
    ours = {kind for kind in Value.__subclasses__() if kind.__module__.startswith("asyncsdk.")}
    assert set(map(type, SAMPLES)) == ours


@pytest.mark.parametrize("value", SAMPLES, ids=lambda value: type(value).__name__)
def test_nothing_of_it_is_shown(value: Value) -> None:
    shown = f"{value!r} {value} {[value]} {pretty_repr(value)}"
    assert "49160" not in shown
    assert type(value).__name__ in shown


@pytest.mark.parametrize("value", SAMPLES, ids=lambda value: type(value).__name__)
def test_it_does_not_change(value: Value) -> None:
    name = value.__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(value, name, None)
    other = value.changed(**{name: None})
    assert getattr(other, name) is None
    assert getattr(value, name) is not None
    assert type(other) is type(value)


def test_rows_are_decoded_when_they_are_asked_for() -> None:
    batch = BATCH.changed(attempts=1)
    assert "rows" not in batch.__dict__
    assert batch.changed(attempts=2).rows == batch.rows == ROWS
    part = batch.take([0, 2])
    assert part.rows == decode_rows(part.body) == [ROWS[0], ROWS[2]]
    assert part.changed(attempts=3).rows == part.rows
    assert part.numbers == encode_rows([NUMBERS[0], NUMBERS[2]])
    assert (part.key, part.attempts, list(part.indices)) == (0, 1, [0, 2])
    assert batch.rows == ROWS
