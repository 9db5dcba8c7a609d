"""Which column of a list holds what."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.columns import resolve
from asyncsdk.errors import SourceError
from asyncsdk.models import FIELDS
from asyncsdk.sources.rejects import own_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

__all__ = [
    "NO_PHONES",
    "ColumnChoice",
    "NoPhonesError",
    "choose_columns",
    "looks_like_phone",
    "name_rank",
]

# Parts of names that phone columns have in the common languages, without accents. A mobile phone
# can be sent a message for certain, so its column is preferred; the last ones could be anything.
_MOBILE = (
    "mobil|movil|movel|handy|celular|cellul|cell ?phone|natel|gsm|portable|whatsapp|matkapuhelin"
    "|komork|cep tel|мобил|сотов|κινητο"
)
_PHONE = "telefo|telefo|telepho|telef|phone|rufnummer|rufnr|msisdn|puhelin|телефон|τηλεφωνο"
_RANKS = (
    (3, re.compile(_MOBILE)),
    (2, re.compile(rf"{_PHONE}|\b(?:tel|tlf|tfno|fono|fon|cell|cel|gsm|sms)\b")),
    (1, re.compile(r"\b(?:nummer|number|numero|num|nr)\b")),
)
_OTHER = re.compile(
    r"fax|automobil|immobil|"
    r"(?:\b|telefon|mobil|handy|phone)(?:typ|type|tipo|art|vorwahl|prefix|land|country|code"
    r"|provider|anbieter|carrier|datum|date|vertrag|opt|optin|consent|einwilligung)\b"
)

_INVISIBLE = re.compile(r"[\s'\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_DIALLED = re.compile(r"[+0-9()/.,;\-\u2010-\u2015]+")
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{2,4}")
_MIN_DIGITS = 6
_MAX_DIGITS = 30
_FULL_DIGITS = 8
_MIN_SHARE = 0.25
_MOST = 8
"""Columns that are listed where none looks like phones."""

NO_PHONES = "no column looks like phones"


@frozen
class ColumnChoice:
    """The column that a field is read from."""

    column: str
    """Its name, or its number in a file without a header."""
    position: int
    """0-based."""
    reason: str
    """Why it was chosen, as shown before anything is sent."""


def choose_columns(
    found: Sequence[str],
    rows: Sequence[Sequence[str]],
    columns: Mapping[str, str | int] | None = None,
    *,
    path: str | None = None,
    line: int | None = None,
    names: Mapping[str, str] | None = None,
) -> dict[str, ColumnChoice]:
    """The column of each field; that of the phone is recognised where it is not given.

    Args:
        found: The names of the columns that there are.
        rows: Some of the data.
        columns: Fields to column names, or to 1-based column numbers.
        path: The file, for the errors.
        line: The line of the names, for the errors.
        names: What the group calls its columns: their names to the fields `a` to `e`.

    Raises:
        ConfigurationError: There is no such field, or one is named twice.
        SourceError: There is no such column, or no column looks like phones.
    """
    wanted = resolve(columns or {}, names or {})
    try:
        return _chosen(found, rows, wanted)
    except _NoColumnError as error:
        raise SourceError(str(error), path=path, line=line) from None
    except _NoPhonesError:
        listed = _listed(found, _MOST)
        msg = f"{NO_PHONES}: name it, such as columns={{'phone': {found[0]!r}}}; {listed}"
        unknown = NoPhonesError(msg, path=path, line=line)
        unknown.found = listed
        raise unknown from None


class NoPhonesError(SourceError):
    """No column looks like phones: which one it is must be said.

    Attributes:
        found: The columns that there are.
    """

    found: str = ""


class _NoColumnError(Exception):
    """There is no such column."""


class _NoPhonesError(Exception):
    """No column looks like phones."""


def _chosen(
    columns: Sequence[str], rows: Sequence[Sequence[str]], wanted: Mapping[str, str | int]
) -> dict[str, ColumnChoice]:
    chosen: dict[str, ColumnChoice] = {}
    for field, column in wanted.items():
        position = _position(columns, field, column)
        chosen[field] = ColumnChoice(columns[position], position, "as asked for")
    if "phone" not in chosen:
        taken = {choice.position for choice in chosen.values()}
        chosen["phone"] = _phone_column(columns, rows, taken)
    return {field: chosen[field] for field in FIELDS if field in chosen}


def name_rank(name: str) -> int:
    """How much a column's name promises phones: 0 nothing, 1 perhaps, 2 phones, 3 mobile phones."""
    plain = _plain(name)
    if _OTHER.search(plain):
        return 0
    return next((rank for rank, pattern in _RANKS if pattern.search(plain)), 0)


def looks_like_phone(cell: str) -> bool:
    """Whether a cell could be one or two phone numbers, and nothing else."""
    return _weight(cell) > 0


def _weight(cell: str) -> float:
    text = _INVISIBLE.sub("", cell)
    if not _DIALLED.fullmatch(text) or _DATE.fullmatch(text):
        return 0.0
    digits = sum(map(str.isdigit, text))
    if not _MIN_DIGITS <= digits <= _MAX_DIGITS:
        return 0.0
    return 1.0 if text[0] in "+0(" and digits >= _FULL_DIGITS else 0.5


def _plain(name: str) -> str:
    """`Téléphone (privé)`, `phoneNumber` and `PHONE_NUMBER` as small words without accents."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    bare = "".join(
        char
        for char in unicodedata.normalize("NFKD", spaced.casefold())
        if not unicodedata.combining(char)
    )
    return " ".join(re.findall(r"[^\W_]+", bare))


def _position(columns: Sequence[str], field: str, column: str | int) -> int:
    """By exact name, else by name whatever its case, else by 1-based number."""
    wanted = str(column)
    exact = [at for at, name in enumerate(columns) if name == wanted]
    alike = exact or [
        at
        for at, name in enumerate(columns)
        if name.strip().casefold() == wanted.strip().casefold()
    ]
    if len(alike) > 1:
        numbers = ", ".join(str(at + 1) for at in alike)
        msg = f"several columns are named {wanted!r}: give {field!r} one of the numbers {numbers}"
        raise _NoColumnError(msg)
    if alike:
        return alike[0]
    if wanted.isdecimal() and 1 <= int(wanted) <= len(columns):
        return int(wanted) - 1
    msg = f"there is no column {wanted!r} for {field!r}; {_listed(columns)}"
    raise _NoColumnError(msg)


def _phone_column(
    columns: Sequence[str], rows: Sequence[Sequence[str]], taken: AbstractSet[int]
) -> ColumnChoice:
    taken = taken | own_columns(columns)
    free = [at for at in range(len(columns)) if at not in taken]
    shares = {at: _share(rows, at) for at in free}
    ranks = {at: name_rank(columns[at]) for at in free}
    # A promising name counts for nothing if the column is empty while another one holds phones.
    named = max(
        (at for at in free if ranks[at]),
        key=lambda at: (shares[at] > 0, ranks[at], shares[at], -at),
        default=None,
    )
    fullest = max(free, key=lambda at: (shares[at], -at), default=None)
    if named is not None and (shares[named] > 0 or fullest is None or shares[fullest] == 0):
        return ColumnChoice(columns[named], named, "by its name")
    if fullest is not None and shares[fullest] >= _MIN_SHARE:
        return ColumnChoice(columns[fullest], fullest, "by its content")
    if len(free) == 1:
        return ColumnChoice(columns[free[0]], free[0], "the only column")
    raise _NoPhonesError


def _share(rows: Sequence[Sequence[str]], at: int) -> float:
    """How much of a column's cells that are not empty are phones, 0 to 1."""
    cells = [row[at] for row in rows if at < len(row) and row[at].strip()]
    return sum(map(_weight, cells)) / len(cells) if cells else 0.0


def _listed(columns: Sequence[str], most: int | None = None) -> str:
    named = ", ".join(repr(name) for name in columns[:most])
    more = "" if most is None or len(columns) <= most else f" and {len(columns) - most} more"
    return f"the columns are {named}{more}"
