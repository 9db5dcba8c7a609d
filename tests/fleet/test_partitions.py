"""The law of partitions: one after the other they are the whole list, read in the same way."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncsdk import ConfigurationError, RetryPolicy, SourceError, UploadReport, fleet
from asyncsdk.fleet.opening import opened, opened_lists
from asyncsdk.fleet.places import digest_of
from asyncsdk.sources import read

if TYPE_CHECKING:
    from asyncsdk import Phone
    from asyncsdk.fleet import Manifest, Partition
    from asyncsdk.sources import Source

ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "iso-8859-15", "utf-16", "utf-16-le", "utf-32-be")
CELLS = st.one_of(
    st.from_regex(r"\+49160[0-9]{7}", fullmatch=True),
    st.text(st.sampled_from("abcäß€ '\"0\t"), max_size=5),
    st.sampled_from(["a\nb", "a\r\nb", "a\rb", '"', "\ufeff", "Summe", ""]),
)


def plan(path: Path, state: Path, **options: Any) -> Manifest:
    """A plan, from code that is not async."""
    return asyncio.run(fleet.plan(path, 7116, state, **options))


def told(source: Source) -> list[tuple[object, ...]]:
    """All that is read of a list."""
    rows = [(row.line, row.cells) for row in source.rows()]
    return [(*row, phone) for row, phone in zip(rows, source, strict=True)]


def all_of(manifest: Manifest) -> list[tuple[object, ...]]:
    """All that is read of its partitions."""
    return [row for part in manifest.partitions for row in told_of(manifest, part)]


def told_of(manifest: Manifest, part: Partition) -> list[tuple[object, ...]]:
    """All that is read of one."""
    with opened(manifest, part) as source:
        return told(source)


def read_whole(path: Path, **reading: Any) -> tuple[list[tuple[object, ...]], str | None]:
    """All that is read of a list, or why it cannot be."""
    try:
        return told(read(path, **reading)), None
    except SourceError as error:
        return [], str(error)


def check_law(path: Path, sizes: dict[str, int | None], **reading: Any) -> None:
    """What is planned of a list is that list; what cannot be read is not planned."""
    with TemporaryDirectory() as state:
        whole, reason = read_whole(path, **reading)
        if reason is not None:
            with pytest.raises(SourceError) as caught:
                plan(path, Path(state), **sizes, **reading)
            assert str(caught.value) == reason
            return
        manifest = plan(path, Path(state), **sizes, **reading)
        assert all_of(manifest) == whole
        assert [part.rows for part in manifest.partitions] == [
            len(told_of(manifest, part)) for part in manifest.partitions
        ]
        assert manifest.rows == len(whole)
        with opened_lists(manifest) as lists:
            assert told(lists) == whole
            assert lists.columns == read(path, **reading).columns


def quoted(cell: str, delimiter: str) -> str:
    """A cell as it is written where it must be quoted."""
    if any(mark in cell for mark in (delimiter, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=12),
    head=st.sampled_from(
        ["phone{0}name", "", "Titel\nphone{0}name", "sep={0}\nphone{0}x", "\n\nphone"]
    ),
    delimiter=st.sampled_from(",;\t"),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(ENCODINGS),
    strict=st.booleans(),
    says=st.booleans(),
    rows_of=st.integers(1, 4),
    bytes_of=st.one_of(st.none(), st.integers(1, 60)),
)
def test_partitions_of_delimited_text_are_the_whole(
    rows: list[list[str]],
    head: str,
    delimiter: str,
    ending: str,
    encoding: str,
    *,
    strict: bool,
    says: bool,
    rows_of: int,
    bytes_of: int | None,
) -> None:
    lines = [head.format(delimiter)] if head else []
    for cells in rows:
        line = delimiter.join(quoted(cell, delimiter) if strict else cell for cell in cells)
        lines.append(line)
    text = ending.join(lines) + ending
    raw = text.encode(encoding, "replace")
    reading = {"encoding": encoding if says else None, "columns": {"phone": 1}}
    with TemporaryDirectory() as folder:
        path = Path(folder, "list.csv")
        path.write_bytes(raw)
        check_law(path, {"partition_rows": rows_of, "partition_bytes": bytes_of}, **reading)


LISTS = sorted((Path(__file__).parents[1] / "lists").glob("*.[cjvz]*"))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_partitions_of_any_list_are_the_whole(path: Path) -> None:
    check_law(path, {"partition_rows": 3})
    check_law(path, {"partition_rows": 2}, columns={"phone": 1})


def test_what_stands_below_the_totals_of_another_partition_is_withheld(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    rows = [f"+49160{i:07};{i}" for i in range(9)]
    rows.insert(4, "Summe;36")
    path.write_text("phone;n\n" + "\n".join(rows) + "\n")
    check_law(path, {"partition_rows": 2})


def test_partitions_of_row_groups_are_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    phones = [f"+49160{i:07}" for i in range(10)]
    phones[5] = "Summe"
    frame = pl.DataFrame({"phone": phones, "n": range(10)})
    frame.write_parquet(path, row_group_size=3)
    manifest = plan(path, tmp_path / "state", partition_rows=4)
    assert [(part.row, part.rows, part.totals) for part in manifest.partitions] == [
        (0, 6, 0),
        (6, 4, 6),
    ]
    found: list[Phone] = []
    for part in manifest.partitions:
        with opened(manifest, part) as source:
            found += source
    assert found == list(read(path))
    with opened_lists(manifest) as lists:
        assert list(lists) == found
        assert told(lists) == told(read(path))
        assert lists.columns == ("phone", "n")


def test_row_groups_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    pl.DataFrame({"Mobil": []}, schema={"Mobil": pl.String}).write_parquet(path)
    manifest = plan(path, tmp_path / "state")
    assert [part.rows for part in manifest.partitions] == [0]
    with opened_lists(manifest) as lists:
        assert (told(lists), lists.columns) == ([], ("Mobil",))


def test_names_of_columns_are_kept_unless_they_are_phones(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    names = ["Mobil", "Umsatz 2023/2024", "Stand 01.01.2025", "Konto 123456", "+491600000000"]
    path.write_text(";".join([*names, "A +491600000000"]) + "\n" + "+491600000001;;;;;\n" * 4)
    manifest = plan(path, tmp_path / "state", columns={"phone": 1}, header=True)
    with opened_lists(manifest) as lists:
        assert lists.columns == (*names[:4], "5", "6")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("phone;name\n+491600000001;Łódź\n+491600000002;日本\n", "shift_jis"),
        ("phone;name\n+491600000001;x\n+491600000002;日本\n", "iso2022_jp"),
        ("phone;name\n+491600000001;x\n+491600000002;ä\n", "cp500"),
    ],
)
def test_what_cannot_be_cut_is_one_partition(text: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text, encoding=encoding, errors="replace")
    check_law(path, {"partition_rows": 1}, encoding=encoding)
    assert len(plan(path, tmp_path / "state", partition_rows=1, encoding=encoding).partitions) == 1


def test_a_line_of_another_encoding_is_read_as_in_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    rows = [f"+49160{i:07};Jürgen\n".encode() for i in range(9)]
    rows[5] = "+491600000005;Jürgen\n".encode("cp1252")
    path.write_bytes(b"phone;name\n" + b"".join(rows))
    check_law(path, {"partition_rows": 2}, columns={"phone": "phone", "a": "name"})


def test_a_packed_list_is_one_partition(tmp_path: Path) -> None:
    path = tmp_path / "list.csv.gz"
    path.write_bytes(gzip.compress(b"phone\n" + b"+491600000001\n" * 20))
    check_law(path, {"partition_rows": 2})
    assert len(plan(path, tmp_path / "state", partition_rows=2).partitions) == 1


def test_several_lists_are_numbered_through(tmp_path: Path) -> None:
    for name, count in (("a", 5), ("b", 4)):
        rows = "".join(f"+49160{i:07}\n" for i in range(count))
        (tmp_path / f"{name}.csv").write_text(f"phone\n{rows}")
    manifest = plan(tmp_path / "*.csv", tmp_path / "state", partition_rows=3)
    assert [(part.index, part.file, part.first, part.rows) for part in manifest.partitions] == [
        (0, 0, 0, 3),
        (1, 0, 3, 2),
        (2, 1, 5, 3),
        (3, 1, 8, 1),
    ]
    assert manifest.rows == 9


# -- what is in a manifest, and what is refused --------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A list of nine phones."""
    place = tmp_path / "list.csv"
    place.write_text("phone\n" + "".join(f"+49160{i:07}\n" for i in range(9)))
    return place


def test_a_manifest_holds_no_phone_and_is_for_its_owner_alone(path: Path, state: Path) -> None:
    path.write_text("+491600000000\n" + path.read_text().removeprefix("phone\n"))
    plan(path, state, partition_rows=2, header=True, columns={"phone": 1})
    written = state / "manifest.json"
    assert "49160" not in written.read_text()
    assert written.stat().st_mode & 0o777 == 0o600
    assert state.stat().st_mode & 0o777 == 0o700


def test_planned_again_it_is_the_same_and_nothing_changes(path: Path, state: Path) -> None:
    first = plan(path, state, partition_rows=2, sheet=("a",), retry=RetryPolicy(3), normalize="DE")
    before = (state / "manifest.json").stat()
    again = plan(path, state, partition_rows=2, sheet=("a",), retry=RetryPolicy(3), normalize="DE")
    assert again == first
    assert (state / "manifest.json").stat() == before


def test_another_plan_is_refused_unless_it_is_wanted(path: Path, state: Path) -> None:
    first = plan(path, state, partition_rows=2)
    with pytest.raises(ConfigurationError, match="has another plan"):
        plan(path, state, partition_rows=3)
    assert plan(path, state, partition_rows=2) == first
    assert len(plan(path, state, partition_rows=3, replace=True).partitions) == 3
    (state / "00000.journal").touch()
    with pytest.raises(ConfigurationError, match="of which something was sent"):
        plan(path, state, partition_rows=2, replace=True)


@pytest.mark.parametrize("change", ["other", "longer", "shorter", "gone"])
def test_a_list_that_was_changed_is_refused(change: str, path: Path, state: Path) -> None:
    manifest = plan(path, state, partition_rows=2)
    text = path.read_text()
    if change == "gone":
        path.unlink()
    else:
        changed = {"other": text.replace("0000005", "0000006"), "longer": text + "+491600000010\n"}
        path.write_text(changed.get(change, text[:-14]))
    with pytest.raises(SourceError, match=r"changed since|cannot be opened"):
        told_of(manifest, manifest.partitions[2])


@pytest.mark.parametrize("name", ["absent.csv", "folder"])
def test_what_is_no_file_is_refused(name: str, tmp_path: Path, state: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceError):
        plan(tmp_path / name, state)
    assert not state.exists()


def test_a_name_that_is_no_text_is_refused(tmp_path: Path, state: Path) -> None:
    path = tmp_path / os.fsdecode(b"list\xff.csv")
    path.write_text("Name;Mobil\nAnna;+4915100000001\n")
    with pytest.raises(SourceError, match=r"bytes that are no text.*rename it"):
        plan(path, state)


def test_what_no_other_process_can_read_is_refused(state: Path) -> None:
    with pytest.raises(ConfigurationError, match="give paths"):
        asyncio.run(fleet.plan(["-"], 7116, state))
    with pytest.raises(ConfigurationError, match="give paths"):
        asyncio.run(fleet.plan([io.BytesIO(b"phone\n")], 7116, state))  # type: ignore[list-item]


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b'{"version": 1}', b'{"version": 2, "group_id": 1, "partitions": []}'],
)
def test_a_manifest_that_is_none_is_refused(raw: bytes, state: Path) -> None:
    state.mkdir()
    (state / "manifest.json").write_bytes(raw)
    with pytest.raises(ConfigurationError, match=r"damaged|newer version"):
        asyncio.run(fleet.run(state, 0))
    with pytest.raises(ConfigurationError, match=r"damaged|newer version"):
        UploadReport.open_all(state)


def test_a_folder_without_a_manifest_is_no_state(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is no state"):
        UploadReport.open_all(tmp_path)


@pytest.mark.parametrize("index", [-1, 5, 99, "0", True])
def test_there_is_no_such_partition(index: Any, path: Path, state: Path) -> None:
    manifest = plan(path, state, partition_rows=2)
    with pytest.raises(ConfigurationError, match="there is no partition"):
        asyncio.run(fleet.run(manifest, index))


@pytest.mark.parametrize(
    "options",
    [{"partition_rows": 0}, {"batch_size": 0}, {"normalize": "Germany"}, {"on_unknown": "guess"}],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], path: Path, state: Path) -> None:
    with pytest.raises(ConfigurationError):
        plan(path, state, **options)
    assert not state.exists()


@pytest.mark.parametrize("change", ["written", "replaced"])
def test_a_list_that_changes_while_it_is_planned_is_refused(
    change: str, path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changing(*arguments: Any) -> str:
        text = path.read_text().replace("0000005", "0000006")
        place = path if change == "written" else path.with_name("other")
        place.write_text(text)
        place.rename(path)
        return digest_of(*arguments)

    monkeypatch.setattr("asyncsdk.fleet.cutting.digest_of", changing)
    with pytest.raises(SourceError, match="changed while the upload was planned"):
        plan(path, state, partition_rows=100)
    assert not state.exists()
