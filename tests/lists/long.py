"""Two long lists with the mess that such lists have, and of each row the number that it means.

The number is written first, by the plan of its country, and then dressed or damaged as people and
programs do it: what is right is known without reading any cell. Numbers and names are made up.
"""

from __future__ import annotations

import csv
import io
from random import Random
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["LISTS", "LongList", "Row"]

ROWS = 2000


@frozen
class Row:
    """A row, and what is right for it."""

    line: int
    """On which it begins in the file."""
    cell: str
    number: str | None
    """What may be sent; None: nothing."""
    certain: bool
    """Whether that number must be sent, since its cell can mean no other one."""


@frozen
class LongList:
    """A list as it is written."""

    name: str
    raw: bytes
    rows: tuple[Row, ...]
    words: tuple[str, ...]
    """What is typed for it."""


@frozen
class _Number:
    """A number, by the plan of its country."""

    region: str
    code: str
    national: str
    trunk: str

    @property
    def e164(self) -> str:
        return f"+{self.code}{self.national}"

    @property
    def value(self) -> int:
        """As a spreadsheet holds it that took it for a number."""
        return int(self.code + self.national)


_Plan = tuple[str, str, str, tuple[tuple[str, int], ...]]
"""Region, calling code, trunk prefix; beginnings, and the digits behind each."""
_ALPS: tuple[_Plan, ...] = (
    ("AT", "43", "0", (("664", 7), ("676", 7), ("650", 7), ("699", 8), ("512", 6))),
    ("CH", "41", "0", (("76", 7), ("78", 7), ("79", 7), ("44", 7))),
    ("DE", "49", "0", (("151", 8), ("160", 7), ("171", 7), ("89", 7))),
    ("LI", "423", "", (("78", 5), ("79", 5))),
)
_WEST: tuple[_Plan, ...] = (
    ("FR", "33", "0", (("6", 8), ("7", 8), ("1", 8), ("4", 8))),
    ("BE", "32", "0", (("47", 7), ("48", 7))),
)


def _drawn(random: Random, plan: _Plan) -> _Number:
    region, code, trunk, kinds = plan
    beginning, count = random.choice(kinds)
    # No 0 or 1 first: neither an area of its own kind nor a shorter number is begun by them.
    digits = str(random.randint(2, 9)) + "".join(random.choices("0123456789", k=count - 1))
    return _Number(region, code, beginning + digits, trunk)


def _grouped(random: Random, digits: str, sign: str, sizes: Sequence[int] = (3, 2, 2)) -> str:
    parts, at = [], random.choice(sizes)
    parts.append(digits[:at])
    while at < len(digits):
        size = max(2, random.choice(sizes))
        parts.append(digits[at : at + size])
        at += size
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = ["".join(parts[-2:])]
    return sign.join(parts)


_Dress = tuple[bool, "Callable[[Random, _Number], str]"]
"""Whether a cell so dressed can mean no other number, and how it is written."""
_DRESSES: tuple[_Dress, ...] = (
    (True, lambda _, n: n.e164),
    (True, lambda r, n: f"+{n.code} {_grouped(r, n.national, ' ')}"),
    (True, lambda r, n: f"00{n.code} {_grouped(r, n.national, ' ')}"),
    (True, lambda _, n: f"00{n.code}{n.national}"),
    (True, lambda r, n: f"+{n.code} (0) {_grouped(r, n.national, ' ')}"),
    (True, lambda _, n: f"{n.trunk}{n.national}"),
    (True, lambda r, n: f"{n.trunk}{_grouped(r, n.national, ' ')}"),
    (True, lambda _, n: f"{n.trunk}{n.national[:3]}/{n.national[3:]}"),
    (True, lambda r, n: f"\u202a+{n.code} {_grouped(r, n.national, chr(0xA0))}\u202c"),
    (True, lambda _, n: f'="{n.trunk}{n.national}"'),
    (True, lambda _, n: f"'{n.trunk}{n.national}"),
    (True, lambda _, n: f"tel:{n.e164}"),
    (True, lambda _, n: f"  {n.trunk}{n.national}\u00a0"),
    (False, lambda r, n: f"{n.e164[:3]}\u2011{_grouped(r, n.e164[3:], chr(0x2011), (3, 4))}"),
    (False, lambda r, n: f"({n.trunk}{n.national[:2]}) {_grouped(r, n.national[2:], ' ')}"),
    (False, lambda _, n: str(n.value)),
    (False, lambda _, n: f"{n.value},0"),
    (False, lambda _, n: f"{n.value},00"),
    (False, lambda _, n: f"{n.value:,}".replace(",", ".")),
    (False, lambda _, n: f"{n.value:,}".replace(",", "\u00a0")),
    (False, lambda _, n: f"{n.value:,}".replace(",", "'")),
    (False, lambda r, n: f"{n.code} {_grouped(r, n.national, ' ')}"),
    (False, lambda _, n: n.national),
    (False, lambda _, n: f"{n.national},00"),
    (False, lambda r, n: _grouped(r, n.national, ".", (2, 3))),
    (False, lambda r, n: _grouped(r, f"{n.trunk}{n.national}", "-", (3, 4))),
)
_DAMAGES: tuple[Callable[[Random, _Number], str], ...] = (
    lambda _, n: f"{n.value:.5E}".replace(".", ","),
    lambda _, n: f"{n.value:.2E}".replace(".", ",").replace("E+", "E+0"),
    lambda _, n: str(int(n.code) - int(n.national)),  # +43-664…, computed
    lambda _, n: f"-{n.value}",
    lambda _, n: f"{n.trunk}{n.national}/{int(n.national[-2:]) + 1:02}",
    lambda _, n: f"{n.trunk}{n.national} / {n.trunk}{n.national[:-1]}",
    lambda _, n: f"{n.e164}, {n.trunk}{n.national[::-1]}",
    lambda _, n: f"{n.e164} ::: {n.e164[:-1]}",
    lambda r, n: f"{n.trunk}{n.national} ({r.randint(1, 9)})",
    lambda _, n: f"{n.trunk}{n.national}\n{n.trunk}{n.national[:-1]}",
    lambda _, n: f"{n.trunk}{n.national[:3]}",
    lambda _, n: f"{n.e164}{n.national}",
    lambda _, n: f"{n.value},5",
    lambda r, n: f"{n.trunk}{n.national} {r.choice(('App.', 'ext.', 'poste'))} 12",
    lambda r, n: f"{r.randint(1, 28):02}.{r.randint(1, 12):02}.20{n.national[-2:]}",
    lambda r, _: r.choice(("", "", "unbekannt", "k. A.", "#WERT!", "#NV", "WAHR", "-", "folgt")),
    lambda _, n: f"{n.e164[:-4]}xxxx",
    lambda _, n: f"<b>{n.e164}</b>",
)
_LAST_NAMES = ("Gruber", "Müller", "Lefèvre", "D'Amico", "Ånström", "von der Heide", "Núñez")
_NOTES = (
    *("", "", "", "Stammkunde", "ruft zurück; nicht am Freitag", 'sagt "nie wieder"'),
    "erste Zeile\nzweite Zeile",
)


def _cell(random: Random, number: _Number) -> tuple[str, str | None, bool]:
    if random.random() < 0.25:
        return random.choice(_DAMAGES)(random, number), None, True
    certain, dress = random.choice(_DRESSES)
    if not number.trunk:  # there is no (0) to be said along
        certain = certain and "(0)" not in dress(random, number)
    return dress(random, number), number.e164, certain


def _country(random: Random, region: str) -> str:
    names = {
        "AT": ("AT", "Österreich", "Austria", "+43", "A"),
        "CH": ("CH", "Schweiz", "Switzerland", "0041", "CHE"),
        "DE": ("DE", "Deutschland", "Germany", "+49", "D"),
        "LI": ("LI", "Liechtenstein", "LIE"),
        "FR": ("FR", "France", "Frankreich", "+33"),
        "BE": ("BE", "Belgique", "Belgien"),
    }
    return random.choice(names[region])


def _alpine() -> LongList:
    """As a program exports it from Vienna: UTF-16 with tabs, lines above the names."""
    random = Random(4143)
    above = [["Adressauszug Filialen Ost/West"], ["Stand:", "31.10.2026"], []]
    header = [
        "Kundennr.",
        "Anrede",
        "Nachname",
        "Land",
        "Handy",
        "Fax",
        "Notfallkontakt Tel.",
        "Bem.",
    ]
    table, meant = [], []
    for at in range(ROWS):
        number = _drawn(random, random.choices(_ALPS, (6, 4, 2, 1))[0])
        cell, right, certain = _cell(random, number)
        fax, other = _drawn(random, _ALPS[0]), _drawn(random, _ALPS[0])
        table.append(
            [
                f"{7_000_000_000 + at}",
                random.choice(("Frau", "Herr", "", "Divers")),
                random.choice(_LAST_NAMES),
                _country(random, number.region),
                cell,
                f"0{fax.national}" if at % 7 == 0 else "",
                f"0{other.national}" if at % 3 == 0 else "",
                random.choice(_NOTES),
            ]
        )
        meant.append((cell, right, certain))
    raw, lines = _written([*above, header, *table, ["Summe", f"{ROWS} Zeilen"]], "\t")
    return LongList(
        "filialen.txt",
        raw.encode("utf-16"),
        _rows(meant, lines[len(above) + 1 :]),
        ("--normalize", "AT"),
    )


def _western(name: str, encoding: str, *words: str) -> LongList:
    """As a French spreadsheet saves it: a code page, semicolons, decimals with a comma."""
    random = Random(3233)
    header = ["N° client", "Nom", "Montant", "Pays", "Portable", "Date", "Remarque"]
    table, meant = [], []
    for at in range(ROWS):
        number = _drawn(random, random.choices(_WEST, (9, 1))[0])
        cell, right, certain = _cell(random, number)
        cell = "".join(char for char in cell if char not in "\u202a\u202c").replace("\u2011", "-")
        table.append(
            [
                f"C-{at:05}",
                random.choice(_LAST_NAMES),
                f"{random.randint(1, 99999) / 100:.2f}".replace(".", ","),
                _country(random, number.region),
                cell,
                f"{random.randint(1, 28):02}/{random.randint(1, 12):02}/2026",
                random.choice(_NOTES),
            ]
        )
        meant.append((cell, right, certain))
    raw, lines = _written([header, *table], ";")
    return LongList(
        name, raw.encode(encoding), _rows(meant, lines[1:]), ("--normalize", "FR", *words)
    )


def _written(rows: Sequence[Sequence[str]], delimiter: str) -> tuple[str, list[int]]:
    """A table, and the line on which each of its rows begins."""
    text, lines, line = io.StringIO(newline=""), [], 1
    for row in rows:
        lines.append(line)
        before = text.tell()
        csv.writer(text, delimiter=delimiter).writerow(row)
        text.seek(before)
        line += text.read().count("\n")
    return text.getvalue(), lines


def _rows(meant: Sequence[tuple[str, str | None, bool]], lines: Sequence[int]) -> tuple[Row, ...]:
    return tuple(Row(line, *row) for line, row in zip(lines, meant, strict=False))


LISTS: dict[str, Callable[[], LongList]] = {
    "alpine": _alpine,
    "western": lambda: _western("clients.csv", "cp1252"),
    "western on a Mac": lambda: _western("mac.csv", "mac_roman", "--encoding", "mac_roman"),
}
"""What makes each list."""
