"""Rows as databases, data frames and people's own classes have them."""

from __future__ import annotations

import dataclasses
import enum
import sqlite3
from collections import OrderedDict, UserDict, namedtuple
from contextlib import ExitStack
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import msgspec
import numpy as np
import pydantic
import pytest

from asyncsdk import Phone
from asyncsdk.upload.intake.check import Checker
from asyncsdk.upload.intake.skipping import Skipping
from asyncsdk.wire.rows import decode_phones
from tests.parts import module

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.rig import Rig

pd = module("pandas")

QUERY = "SELECT phone, name AS a, id AS callback_data FROM people ORDER BY id"
OWN = "SELECT phone AS Mobil, name, id AS Kundennummer, 7 AS other FROM people ORDER BY id"
COLUMNS = {"phone": "Mobil", "a": "name", "callback_data": "Kundennummer"}
PEOPLE = [(i, f"+49160{i:07}", None if i % 3 else f"Name {i}") for i in range(250)]
PHONES = [Phone(phone, a=name, callback_data=str(i)) for i, phone, name in PEOPLE]

OPENED = ExitStack()
"""The databases of a test."""


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    with OPENED:
        yield


def sqlite(query: str) -> sqlite3.Cursor:
    connection = sqlite3.connect(":memory:")
    OPENED.callback(connection.close)
    connection.execute("CREATE TABLE people (id INTEGER, phone TEXT, name TEXT)")
    connection.executemany("INSERT INTO people VALUES (?, ?, ?)", PEOPLE)
    connection.row_factory = sqlite3.Row
    return connection.execute(query)


def sqlalchemy(query: str) -> Any:
    sa = module("sqlalchemy")
    engine = sa.create_engine("sqlite://", poolclass=module("sqlalchemy.pool").StaticPool)
    OPENED.callback(engine.dispose)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE people (id INTEGER, phone TEXT, name TEXT)"))
        insert = sa.text("INSERT INTO people VALUES (:i, :phone, :name)")
        connection.execute(
            insert, [dict(zip(("i", "phone", "name"), p, strict=True)) for p in PEOPLE]
        )
    return OPENED.enter_context(engine.connect()).execute(sa.text(query))


def records(query: str) -> Iterator[Any]:
    """Of asyncpg, as its connection makes them of what a server answers."""
    record = module("asyncpg.protocol.protocol")._create_record
    for row in sqlite(query):
        yield record({name: at for at, name in enumerate(row.keys())}, tuple(row))


async def arecords(query: str) -> AsyncIterator[Any]:
    for row in records(query):
        yield row


DATABASES: dict[str, Callable[[str], Any]] = {
    "sqlite3": sqlite,
    "sqlalchemy rows": sqlalchemy,
    "sqlalchemy mappings": lambda query: sqlalchemy(query).mappings(),
    "sqlalchemy list": lambda query: sqlalchemy(query).all(),
    "asyncpg": records,
    "asyncpg cursor": arecords,
    "pandas records": lambda query: pd.DataFrame(map(dict, sqlite(query))).to_dict("records"),
    "pandas series": lambda query: (
        r for _, r in pd.DataFrame(map(dict, sqlite(query))).iterrows()
    ),
    "pandas tuples": lambda query: pd.DataFrame(map(dict, sqlite(query))).itertuples(index=False),
    "mapping": lambda query: (UserDict(row) for row in sqlite(query)),
    "ordered": lambda query: (OrderedDict(row) for row in sqlite(query)),
}


@pytest.mark.parametrize("database", DATABASES)
async def test_rows_of_databases(database: str, rig: Rig) -> None:
    report = await rig.upload(DATABASES[database](QUERY), batch_size=100)
    assert [result.phone for result in report.created] == PHONES
    assert [commit.callback_data for commit in rig.sandbox.commits] == [str(i) for i in range(250)]


@pytest.mark.parametrize("database", DATABASES)
async def test_rows_with_columns_of_their_own(database: str, rig: Rig) -> None:
    report = await rig.upload(DATABASES[database](OWN), columns=COLUMNS, duplicates="skip")
    assert [result.phone for result in report.created] == PHONES


@pytest.mark.parametrize("database", ["sqlite3", "sqlalchemy rows", "asyncpg"])
async def test_a_single_row_is_no_list_of_them(database: str, rig: Rig) -> None:
    row = next(iter(DATABASES[database](QUERY)))
    with pytest.raises(ValueError, match="not a single"):
        rig.upload(row)


async def test_a_journal_knows_such_rows_again(rig: Rig, tmp_path: Any) -> None:
    for _ in range(2):
        report = await rig.upload(sqlite(QUERY), journal=tmp_path / "journal", batch_size=100)
        assert report.created_count == 250
    assert len(rig.stored) == 250


@dataclasses.dataclass
class Contact:
    phone: str
    callback_data: int
    a: str | None = None


@attrs.define
class Frozen:
    phone: str
    callback_data: int


class Model(pydantic.BaseModel):
    phone: str
    callback_data: int
    a: str | None = None


class Struct(msgspec.Struct):
    phone: str
    callback_data: int


class Named(NamedTuple):
    phone: str
    callback_data: int


Older = namedtuple("Older", "phone callback_data")  # noqa: PYI024


class Lazy:
    """A row that asks for its values when they are wanted."""

    def __init__(self, phone: str, callback_data: int) -> None:
        self._values = {"phone": phone, "callback_data": callback_data}

    def keys(self) -> Iterator[str]:
        return iter(self._values)

    def __getitem__(self, name: str) -> object:
        return self._values[name]


@pytest.mark.parametrize("kind", [Contact, Frozen, Model, Struct, Named, Older, Lazy, Phone, dict])
async def test_objects_with_the_names_of_the_fields(kind: Any, rig: Rig) -> None:
    report = await rig.upload([kind(phone=f"+49{i}", callback_data=i) for i in range(120)])
    expected = [Phone(f"+49{i}", callback_data=str(i)) for i in range(120)]
    assert [result.phone for result in report.created] == expected


class Number(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (10**30, "1" + "0" * 30),
        (-5, "-5"),
        (Number.ONE, "1"),
        (4916012345678.0, "4916012345678"),
        (np.int64(5), "5"),
        (np.uint8(5), "5"),
        (np.float64(5), "5"),
        (np.str_("x"), "x"),
        (Decimal("4916012345678.00"), "4916012345678"),
        (Decimal("1E+3"), "1000"),
        (None, None),
        (float("nan"), None),
        (np.float32("nan"), None),
        (np.float64("nan"), None),
        (Decimal("NaN"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (np.datetime64("NaT", "s"), None),
    ],
)
@pytest.mark.parametrize("kind", [dict, Phone, UserDict])
@pytest.mark.parametrize("skip", [True, False])
def test_whole_numbers_are_texts_and_nothing_is_none(
    value: object, text: str | None, kind: Any, *, skip: bool
) -> None:
    checked = Checker(skipping=Skipping() if skip else None).check(
        0, [kind(phone="+491", callback_data=value)]
    )
    assert decode_phones(checked.body) == [Phone("+491", callback_data=text)]
    checked = Checker(skipping=Skipping() if skip else None).check(0, [kind(phone=value)])
    if text is None:
        assert str(checked.rejected[0].problem) == "Invalid phone: phone: is required"
    elif len(text) <= 30:
        assert checked.numbers == [text]


@pytest.mark.parametrize(
    "value",
    [
        *(True, np.bool_(True), 1.5, 2.0**60, float("inf"), np.float32(5.0), Fraction(4, 2)),
        *(Decimal("1.5"), Decimal("1E+999999"), Decimal("Infinity"), 1j, b"x", np.zeros(3)),
        *(pd.Timestamp(0), ["x"], {"x": 1}),
    ],
)
@pytest.mark.parametrize("kind", [dict, Phone, UserDict])
def test_other_values_are_no_texts(value: object, kind: Any) -> None:
    rows = ["+490", kind(phone="+491", a=value), "+492"]
    checked = Checker().check(0, rows)
    assert checked.numbers == ["+490", "+492"]
    (violation,) = checked.rejected[0].problem.violations
    assert violation.path == "a"
    assert violation.message == f"must be a text, not {type(value).__name__}"


class Cancelled(BaseException):
    """As asyncio's: no Exception."""


class Trap:
    """A row that fails when its values are read."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.error, self.where = error, where

    def keys(self) -> list[str]:
        if self.where == "keys":
            raise self.error
        return ["phone"]

    def __getitem__(self, name: str) -> object:
        raise self.error


class Property:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    @property
    def _mapping(self) -> object:
        raise self.error


@dataclasses.dataclass
class Field:
    error: BaseException
    phone: str = dataclasses.field(init=False)

    def __getattribute__(self, name: str) -> Any:
        if name == "phone":
            raise self.error
        return super().__getattribute__(name)


class Held(Phone):
    @property
    def phone(self) -> str:
        raise Cancelled


class Key:
    """A key that passes for one of a phone's until it is compared."""

    def __hash__(self) -> int:
        return hash("phone")

    def __eq__(self, other: object) -> bool:
        raise Cancelled

    def __repr__(self) -> str:
        raise Cancelled


class Unequal(float):
    def __ne__(self, other: object) -> bool:
        raise Cancelled


class Meta(type):
    """Its classes cannot be kept in a set."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(cls, other: object) -> bool:
        raise Cancelled


class Odd(metaclass=Meta):
    pass


class Word(str):
    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        raise Cancelled


WORST: list[Any] = [
    {Key(): "+49"},
    {"phone": "+49", "a": Unequal(1)},
    Phone("+49", a=Unequal(1)),  # type: ignore[arg-type]
    Odd(),
]


@pytest.mark.parametrize("worst", range(len(WORST)))
@pytest.mark.parametrize(
    "others", [lambda i: {"phone": f"+49{i}"}, lambda i: Phone(f"+49{i}"), str]
)
@pytest.mark.parametrize("columns", [None, {"phone": "phone"}])
@pytest.mark.parametrize("at", [0, 70])
async def test_nor_does_any_other(
    worst: int, others: Any, columns: dict[str, str] | None, at: int, rig: Rig
) -> None:
    source = [others(i) for i in range(150)]
    source.insert(at, WORST[worst])
    report = await rig.upload(source, batch_size=50, columns=columns, duplicates="skip")
    assert (report.submitted, report.created_count) == (151, 150)
    assert [result.index for result in report.invalid] == [at]


async def test_a_hundred_of_them_are_a_hundred(rig: Rig) -> None:
    report = await rig.upload([row for row in WORST[1:3] for _ in range(100)])
    assert (report.submitted, report.invalid_count) == (200, 200)


def test_a_text_of_a_kind_of_its_own_is_taken_as_a_text() -> None:
    rows = ["+491", Word("+492"), {"phone": Word("+493"), "a": Word("x")}, Phone(Word("+494"))]
    assert Checker().check(0, rows).numbers == ["+491", "+492", "+493", "+494"]


@pytest.mark.parametrize("error", [ValueError(), KeyError("x"), Cancelled(), GeneratorExit()])
@pytest.mark.parametrize("columns", [None, {"phone": "phone"}])
async def test_foreign_code_in_a_row_costs_that_row_alone(
    error: BaseException, columns: dict[str, str] | None, rig: Rig
) -> None:
    held: Any = Held.__new__(Held)
    traps = [Trap(error, "keys"), Trap(error, "value"), Property(error), Field(error), held]
    source: list[Any] = [f"+49{i}" for i in range(200)]
    source[50:50] = traps
    source[0:0] = traps
    report = await rig.upload(source, batch_size=64, columns=columns)
    assert (report.submitted, report.created_count, report.invalid_count) == (210, 200, 10)
    assert [r.index for r in report.invalid] == [*range(5), *range(55, 60)]
    assert all("cannot be read" in str(result.error) for result in report.invalid)


def test_an_interrupt_within_a_row_is_no_fault_of_the_row() -> None:
    with pytest.raises(KeyboardInterrupt):
        Checker().check(0, [Trap(KeyboardInterrupt(), "keys")])
