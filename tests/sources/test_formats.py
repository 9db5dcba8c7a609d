from __future__ import annotations

import asyncio
import collections
import gzip
import io
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk.errors import ConfigurationError, SourceError
from asyncsdk.models import Group, Phone
from asyncsdk.sources import ManySources, read, read_json
from asyncsdk.sources.cells import text_of
from asyncsdk.sources.foreign import foreign_faults
from tests.parts import ZSTD, module
from tests.rig import connected, known

from .lists import CODE_PAGES, KONTAKTE, WRITERS, Rows, fault_of, kontakte, western

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path


MAPPING = {"a": "Anrede", "b": "Notiz", "callback_data": "Kundennr."}
SMALL = [["Name", "Mobil"], ["Ann", "0160111111"], ["Bea", ""], ["Cem", "0160333333"]]


def zstd(raw: bytes) -> bytes:
    compressed: bytes = module(ZSTD).compress(raw)
    return compressed


def written(name: str, rows: Rows, folder: Path) -> Any:
    return (WRITERS | CODE_PAGES)[name](rows, folder / name)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return kontakte()


@pytest.mark.parametrize("name", WRITERS)
def test_the_messy_list_is_the_same_in_every_format(name: str, rows: Rows, tmp_path: Path) -> None:
    source = read(written(name, rows, tmp_path), columns=MAPPING)
    assert list(source) == list(read(KONTAKTE, columns=MAPPING))
    assert source.columns == tuple(rows[0])
    assert source.mapping["phone"].column == "Mobil"
    assert source.count() == 2105


@pytest.mark.parametrize("name", ["list.parquet", "list.arrow", "list.xlsx", "list.tsv"])
def test_a_name_that_is_no_text(name: str, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"list\xff")
    folder.mkdir()
    source = read(written(name, SMALL, tmp_path).rename(folder / name))
    assert [phone.phone for phone in source] == [row[1] for row in SMALL[1:]]


SAME = (
    *("utf-8.csv", "utf-8-sig.csv", "utf-16.txt", "utf-16-be.csv", "list.tsv", "list.jsonl"),
    *("list.parquet", "list.xlsx", "list.ods", "pandas", "polars"),
)


async def reported(names: Iterable[str], rows: Rows, folder: Path) -> list[list[object]]:
    """What became of each row, format by format."""
    reports: list[list[object]] = []
    async with connected() as rig:
        for name in names:
            source = read(written(name, rows, folder), columns={"a": "Vorname", "b": "Notiz"})
            report = await rig.upload(source, normalize="DE", duplicates="skip")
            assert report.submitted == 2105
            reports.append(
                [
                    (one.index, one.phone, one.number, one.outcome, one.error)
                    for one in known(report)
                ]
            )
    return reports


async def test_every_format_gives_the_same_report(rows: Rows, tmp_path: Path) -> None:
    reports = await reported(SAME, rows, tmp_path)
    assert all(report == reports[0] for report in reports)


async def test_every_encoding_gives_the_same_report(rows: Rows, tmp_path: Path) -> None:
    """Code pages lack six characters of the list: all are held against what they can hold."""
    unicode = ("utf-8.csv", "utf-8-sig.csv", "utf-16.txt")
    first, *others = await reported([*unicode, *CODE_PAGES], western(rows), tmp_path)
    assert all(report == first for report in others)
    assert "Ünal" in KONTAKTE.read_text(encoding="utf-8-sig"), (
        "letters that the encodings differ in"
    )
    (whole,) = await reported(unicode[:1], rows, tmp_path)
    assert [one[2:4] for one in whole] == [one[2:4] for one in first], "the same numbers and fates"  # type: ignore[index]


@pytest.mark.parametrize("name", WRITERS)
def test_a_row_is_known_by_file_line_and_index(name: str, tmp_path: Path) -> None:
    place = written(name, SMALL, tmp_path)
    source = read(place)
    found = [(row.index, row.line, row.path) for row in source.rows()]
    first = {"list.jsonl": 1, "list.json": 2}.get(name, 2 if name.count(".") else 1)
    if name in {"list.parquet", "list.arrow", "list.arrows"}:
        first = 1
    path = str(place) if "." in name else None
    step = 4 if name == "list.json" else 1
    assert found == [(at, first + at * step, path) for at in range(3)]


def test_a_duckdb_relation(tmp_path: Path) -> None:
    module("duckdb")
    program = (
        "import duckdb; from asyncsdk.sources import read\n"
        f"relation = duckdb.read_csv({str(tmp_path / 'x.csv')!r}, all_varchar=True)\n"
        "print([phone.phone for phone in read(relation)])\n"
    )
    WRITERS["utf-8.csv"](SMALL, tmp_path / "x.csv")
    done = subprocess.run(  # noqa: S603 - ours; in its own process, as it talks when it ends
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout == "['0160111111', '', '0160333333']\n", done.stderr


def test_several_files_are_one_source(tmp_path: Path) -> None:
    more = [["Handy", "Name", "Ort"], ["0160444444", "Dag", "Ulm"]]
    places = [written("a.csv".replace("a", "utf-8"), SMALL, tmp_path)]
    places.append(written("list.xlsx", more, tmp_path))
    source = read(places, columns={"a": "Name"})
    assert isinstance(source, ManySources)
    assert [(phone.phone, phone.a) for phone in source] == [
        ("0160111111", "Ann"),
        ("", "Bea"),
        ("0160333333", "Cem"),
        ("0160444444", "Dag"),
    ]
    assert source.columns == ("Name", "Mobil", "Handy", "Ort")
    (row,) = source.pick([3])
    assert (row.line, row.path) == (2, str(places[1]))
    assert row.cells == ["Dag", "", "0160444444", "Ulm"]


def test_patterns_name_files_in_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).write_text(f"Mobil\n0160{ord(name[0])}000\n", encoding="utf-8")
    assert [phone.phone for phone in read(str(tmp_path / "*.csv"))] == ["016097000", "016098000"]
    with pytest.raises(SourceError, match="no file has such a name"):
        read(str(tmp_path / "*.xlsx"))
    with pytest.raises(SourceError, match="no file was named"):
        read([])


def test_a_file_whose_name_is_a_pattern_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "list [1].csv"
    path.write_text("Mobil\n0160111111\n", encoding="utf-8")
    assert read(str(path)).count() == 1


@pytest.mark.parametrize("name", ["utf-8.csv", "list.csv.gz", "list.jsonl", "list.json"])
def test_standard_input(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = written(name, SMALL, tmp_path).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert [phone.phone for phone in read("-")] == ["0160111111", "", "0160333333"]


@pytest.mark.parametrize("name", ["list.parquet", "list.xlsx", "list.arrows", "list.jsonl"])
def test_a_pipe_of_any_format(name: str, tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    raw = written(name, SMALL, tmp_path).read_bytes()
    assert [phone.phone for phone in read(Pipe(raw))] == ["0160111111", "", "0160333333"]


@pytest.mark.parametrize("name", ["list.parquet", "list.ods", "list.json"])
def test_packed_files_of_any_format(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.gz"
    path.write_bytes(gzip.compress(written(name, SMALL, tmp_path).read_bytes()))
    assert read(path).count() == 3


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_a_packed_file_that_is_cut_short_names_the_line(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    numbers = [f"0160{at * 7919 % 10_000_000:07}" for at in range(300_000)]
    raw = pack("\n".join(["Mobil", *numbers]).encode())
    path = tmp_path / "list.csv.packed"
    path.write_bytes(raw[: len(raw) * 2 // 3])
    given: list[Phone] = []
    with pytest.raises(SourceError, match="damaged or cut short") as caught:
        collections.deque(map(given.append, read(path)))
    assert caught.value.line == len(given) + 2 > 10_000
    path.write_bytes(raw[:40])
    with pytest.raises(SourceError, match="damaged or cut short") as caught:
        read(path)
    assert caught.value.line == 1


def test_the_format_can_be_given() -> None:
    assert [p.phone for p in read(io.BytesIO(b'"0160111111"\n'), format="json")] == ["0160111111"]
    with pytest.raises(ConfigurationError, match="format must be one of csv, json"):
        read(io.BytesIO(b""), format="pdf")  # type: ignore[arg-type]


def test_the_groups_own_column_names_are_fields() -> None:
    group = Group(7, "people", name_a="Anrede", name_c="Ort")
    table = b"Mobil;Titel;Stadt\n0160111111;Frau;Ulm\n"
    source = read(
        io.BytesIO(table), columns={"anrede": "Titel", "Ort": "Stadt"}, names=group.columns
    )
    assert list(source) == [Phone("0160111111", a="Frau", c="Ulm")]
    with pytest.raises(ConfigurationError, match="own names are 'Anrede', 'Ort'"):
        read(io.BytesIO(table), columns={"Land": "Stadt"}, names=group.columns)
    with pytest.raises(ConfigurationError, match="'a' and 'Anrede' mean the same field"):
        read(io.BytesIO(table), columns={"a": 2, "Anrede": 3}, names=group.columns)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4916012345678.0, "4916012345678"),
        (4916012345678, "4916012345678"),
        (1.5, "1.5"),
        (1e300, "1e+300"),
        (float("nan"), ""),
        (float("inf"), "inf"),
        (None, ""),
        (True, "true"),
        (datetime(2026, 11, 12, 8, 0, tzinfo=UTC), "2026-11-12 08:00:00+00:00"),
        (b"x", "x"),
        ([1, "a"], '[1,"a"]'),
    ],
)
def test_typed_cells_are_texts(value: object, text: str) -> None:
    assert text_of(value) == text


def test_numbers_of_a_spreadsheet_have_no_decimals(tmp_path: Path) -> None:
    with module("xlsxwriter").Workbook(tmp_path / "x.xlsx") as book:
        sheet = book.add_worksheet("leer")
        sheet = book.add_worksheet("Kontakte")
        for at, row in enumerate([["Name", "Mobil"], ["Ann", 4916012345678], ["Bea", 1.5]]):
            sheet.write_row(at + 2, 1, row)
    source = read(tmp_path / "x.xlsx")
    assert [phone.phone for phone in source] == ["4916012345678", "1.5"]
    assert [row.line for row in source.rows()] == [4, 5]
    with pytest.raises(SourceError, match="no sheet 'x'; there are 'leer', 'Kontakte'"):
        read(tmp_path / "x.xlsx", sheet="x")
    with pytest.raises(SourceError, match="is empty"):
        read(tmp_path / "x.xlsx", sheet="leer")


def test_a_frame_with_numbers_and_gaps() -> None:
    pandas = module("pandas")
    frame = pandas.DataFrame({"Name": ["Ann", None], "Mobil": [4916012345678.0, float("nan")]})
    assert list(read(frame, columns={"a": "Name"})) == [Phone("4916012345678", a="Ann"), Phone("")]
    frame = pandas.DataFrame({0: pandas.array([4916012345678, None], dtype="Int64")})
    assert list(read(frame)) == [Phone("4916012345678"), Phone("")]


def test_an_empty_frame() -> None:
    with pytest.raises(SourceError, match="no column looks like phones"):
        read(module("polars").DataFrame({"x": [], "y": []}))
    with pytest.raises(SourceError, match="is empty"):
        read(module("polars").DataFrame())
    assert list(read(module("polars").DataFrame({"Mobil": []}).lazy())) == []


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ('{"phone": "1"}\n\n{"phone": \n', 3, "is not JSON"),
        ('{"phone": "1"}\n[1]\n', 2, "an object with the columns' names"),
        ('[{"phone": "1"},\n {"phone": "2"},\n null]', 3, "not null"),
        ('[{"phone": "1"},\n {"phone": "2"}\n {}]', 3, "is not JSON"),
        ('[{"phone": "1"},\n', 2, "is not JSON"),
        ('{"phone": "1"}\n' + "[" * 100_000, 2, "is not JSON"),
    ],
)
def test_broken_json_names_the_line(text: str, line: int, told: str) -> None:
    with pytest.raises(SourceError, match=told) as caught:
        list(read_json(io.BytesIO(text.encode())))
    assert caught.value.line == line


def test_a_number_in_json_that_lost_its_digits_is_kept_as_it_is() -> None:
    raw = b'{"tel": 4.91601E+11}\n{"tel": 4916012345678}\n{"tel": 4916012345678.0}\n'
    assert [p.phone for p in read_json(io.BytesIO(raw), columns={"phone": "tel"})] == [
        "4.91601E+11",
        "4916012345678",
        "4916012345678",
    ]


def test_an_archive_cut_short_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "list.csv.gz"
    whole = gzip.compress(b"Mobil\n" + b"".join(b"0160%06d\n" % i for i in range(100_000)))
    path.write_bytes(whole[:-5])
    with pytest.raises(SourceError, match="damaged or cut short") as caught:
        list(read(path))
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    "name", ["list.parquet", "list.arrow", "list.xlsx", "list.ods", "list.xls"]
)
@pytest.mark.parametrize("keep", [0.2, 0.6, 0.95])
def test_a_broken_file_is_our_error(name: str, keep: float, tmp_path: Path) -> None:
    path = written(name, SMALL * 50, tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * keep)])
    with pytest.raises(SourceError) as caught:
        list(read(path))
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Müller €", "cp1252"),
        ("Müller \N{EN DASH} „x“", "cp1252"),
        ("O\N{ACUTE ACCENT}Neill 5½", "cp1252"),
        ("Müller", "cp1252"),
        ("Šimon", "iso-8859-15"),
        ("Žižek", "iso-8859-15"),
        ("5 €", "iso-8859-15"),
        ("cœur", "iso-8859-15"),
        ("ŒUVRE", "iso-8859-15"),
    ],
)
def test_code_pages_are_told_apart(text: str, encoding: str) -> None:
    raw = f"Name;Mobil\n{text};0160111111\n".encode(encoding)
    source = read(io.BytesIO(raw), columns={"a": "Name"})
    assert next(iter(source)).a == text


def test_the_messy_list_in_code_pages_keeps_what_they_can_hold(rows: Rows, tmp_path: Path) -> None:
    def held(cell: str) -> str:
        for encoding in ("iso-8859-15", "cp1252"):
            cell = cell.encode(encoding, "replace").decode(encoding)
        return cell

    reduced = [[held(cell) for cell in row] for row in rows]
    found = []
    for encoding in ("utf-8", "cp1252", "iso-8859-15", "utf-16"):
        path = tmp_path / f"{encoding}.csv"
        WRITERS["utf-8.csv"](reduced, path)
        path.write_bytes(path.read_bytes().decode().encode(encoding))
        found.append(list(read(path, columns=MAPPING | {"c": "Vorname"})))
    assert found[0] == found[1] == found[2] == found[3]


@pytest.mark.parametrize(
    ("missing", "name"),
    [
        ("polars", "list.parquet"),
        ("polars", "list.arrow"),
        ("python_calamine", "list.xlsx"),
        ("narwhals", "pandas"),
        (ZSTD.partition(".")[0], "list.csv.zst"),
    ],
)
def test_without_its_extra_it_says_what_to_install(
    missing: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = written(name, SMALL, tmp_path)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"pip install 'asyncsdk\[files\]'"):
        read(place)


def test_nothing_optional_is_imported_before_it_is_used() -> None:
    heavy = {"polars", "narwhals", "pandas", "pyarrow", "python_calamine"}
    program = f"import sys, asyncsdk, asyncsdk.sources; print({heavy} & set(sys.modules))"
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


async def test_blocking_reads_stay_off_the_event_loop() -> None:
    here = threading.get_ident()
    readers = set()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            readers.add(threading.get_ident())
            return super().read(size)

    source = read(Slow(b"Mobil\n" + b"0160111111\n" * 5000))
    readers.clear()
    assert len([phone async for phone in source]) == 5000
    assert here not in readers


async def test_what_was_read_before_an_error_is_given_first() -> None:
    raw = b"Mobil;x\n" + b"0160111111;a\n" * 1500 + b'0160222222;"a\n'
    given = []

    async def consume() -> None:
        async for phone in read(io.BytesIO(raw)):
            given.append(phone)  # noqa: PERF401 - what was given before the error is looked at

    with pytest.raises(SourceError) as caught:
        await consume()
    assert (len(given), caught.value.line) == (1500, 1502)


async def test_a_reader_that_is_let_go_of_is_closed() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(10_000)
        finally:
            closed.set()

    from asyncsdk.sources.ahead import read_ahead  # noqa: PLC0415 - used here alone

    ahead = read_ahead(items(), 10)
    assert [await anext(ahead) for _ in range(15)] == list(range(15))
    await ahead.aclose()
    assert await asyncio.to_thread(closed.wait, 30)


CELL = st.none() | st.text(max_size=6) | st.integers() | st.floats() | st.booleans()


@given(st.lists(st.dictionaries(st.sampled_from("abc"), CELL, max_size=3), max_size=5))
def test_whatever_the_objects_json_gives_a_row_for_each(records: list[dict[str, Any]]) -> None:
    lines = ['{"a": ""}', *map(json.dumps, records)]
    raw = "\n".join(lines).encode()
    # Python writes numbers that JSON does not have.
    wrong = [at for at, line in enumerate(lines, 1) if "NaN" in line or "Infinity" in line]
    if wrong:
        with pytest.raises(SourceError, match="is not JSON") as caught:
            read_json(io.BytesIO(raw), columns={"phone": "a"})
        assert caught.value.line == wrong[0]
    else:
        assert read_json(io.BytesIO(raw), columns={"phone": "a"}).count() == len(lines)


MAGIC = st.sampled_from(
    [
        *(b"", b"[", b"{", b"\xff\xfe", b"\xef\xbb\xbf"),
        *(b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff"),
        *(b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        *(b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"),
    ]
)


@given(MAGIC, st.binary(max_size=200), st.sampled_from([b"", b"PAR1", b"ARROW1"]))
def test_whatever_the_bytes_only_our_error_with_a_line_is_raised(
    magic: bytes, middle: bytes, end: bytes
) -> None:
    fault = fault_of(lambda: read(io.BytesIO(magic + middle + end)))
    assert fault is None or fault.line is not None


# What reads Parquet and Arrow may take the whole process down when a page says that it is huge;
# what reads .xls gives up in its own way, and talks while it does.
FILES = [
    name
    for name in (*WRITERS, *CODE_PAGES)
    if "." in name and not name.endswith((".parquet", ".arrow", ".arrows", ".xls"))
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A small list in every format that is a file."""
    folder = tmp_path_factory.mktemp("small")
    return {name: written(name, SMALL, folder).read_bytes() for name in FILES}


@given(
    name=st.sampled_from(FILES),
    cut=st.floats(0, 1),
    at=st.floats(0, 0.999),
    byte=st.integers(0, 255),
)
def test_however_a_file_is_broken_the_line_is_told(
    files: dict[str, bytes], name: str, cut: float, at: float, byte: int
) -> None:
    raw = bytearray(files[name])
    raw[int(at * len(raw))] = byte
    broken = bytes(raw[: int((1 - cut * cut) * len(raw))])
    fault = fault_of(lambda: read(io.BytesIO(broken)))
    assert fault is None or fault.line is not None


def test_a_library_that_gives_up_is_an_error_of_ours() -> None:
    class PanicException(BaseException):
        """No `Exception`."""

    with (
        pytest.raises(SourceError, match="cannot be read: gone") as caught,
        foreign_faults("x", lambda: 3),
    ):
        raise PanicException(*["gone"])
    assert (caught.value.path, caught.value.line) == ("x", 3)
    with pytest.raises(KeyboardInterrupt), foreign_faults("x", lambda: 3):
        raise KeyboardInterrupt
