"""A rejects file brings the options of its upload, also where a program reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import ConfigurationError, Normalize
from asyncsdk.sources import read
from asyncsdk.sources.rejects import note_of
from tests.rig import connected

if TYPE_CHECKING:
    from pathlib import Path

    from asyncsdk.report import UploadReport

DE = Normalize("DE", bare="national", mobile_only=True)


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text("Name;Handy;Telefon\nAnna;folgt;030 1234567\n", encoding="utf-8")
    return path


async def rejected(source: Any, rejects: Path, mended: str, **options: Any) -> Path:
    """The rejects of a list, in which a number was mended."""
    async with connected() as rig:
        report = await rig.upload(source, dry_run=True, **options)
    report.to_rejects(rejects, source, options=options)
    return _mended(rejects, mended)


def _mended(rejects: Path, mended: str) -> Path:
    text = rejects.read_text("utf-8-sig").replace("folgt", mended)
    rejects.write_text(text, encoding="utf-8")
    return rejects


async def uploaded(source: Any, **options: Any) -> tuple[UploadReport, list[str]]:
    async with connected() as rig:
        report = await rig.upload(source, **options)
        return report, [commit.phone for commit in rig.sandbox.commits]


async def test_what_decides_which_phones_are_sent_holds_again(
    contacts: Path, tmp_path: Path
) -> None:
    source = read(contacts, columns={"phone": "Handy", "a": "Name"})
    options: dict[str, Any] = {"normalize": DE, "duplicates": "skip", "batch_size": 10}
    path = await rejected(source, tmp_path / "r.csv", "41791234567", **options)
    again = read(path)
    assert again.noted == {
        "normalize": "DE",
        "bare": "national",
        "mobile_only": True,
        "duplicates": "skip",
        "phone": "Handy",
        "a": "Name",
    }
    assert (await uploaded(again))[1] == [], "in Germany it is a landline"
    assert (await uploaded(again, normalize="CH"))[1] == [], "the rest holds"
    assert (await uploaded(again, normalize=Normalize("CH")))[1] == ["+41791234567"]


async def test_the_country_of_rows_that_have_keys(tmp_path: Path) -> None:
    rows = [{"phone": "folgt", "Land": "AT"}]
    how = Normalize("DE", country="Land")
    path = await rejected(rows, tmp_path / "r.csv", "0664 1234567", normalize=how)
    assert (await uploaded(read(path)))[1] == ["+436641234567"]


async def test_lists_that_differ_are_not_uploaded_as_one(contacts: Path, tmp_path: Path) -> None:
    source = read(contacts, columns={"phone": "Handy"})
    one = await rejected(source, tmp_path / "a.csv", "0171 1234560", normalize="DE")
    other = await rejected(source, tmp_path / "b.csv", "0664 1234567", normalize="AT")
    with pytest.raises(ConfigurationError, match=r"normalize='DE'; normalize='AT'.*by itself"):
        await uploaded(read([one, other]))
    assert (await uploaded(read([one, other]), normalize="DE"))[1][0] == "+491711234560"
    with pytest.raises(ConfigurationError, match=r"normalize='DE'; none"):
        await uploaded(read([one, contacts], columns={"phone": "Handy"}))


async def test_rows_of_two_uploads_in_one_file(contacts: Path, tmp_path: Path) -> None:
    source = read(contacts, columns={"phone": "Handy"})
    one = await rejected(source, tmp_path / "a.csv", "0171 1234560", normalize="DE")
    other = await rejected(source, tmp_path / "b.csv", "0664 1234567", normalize="AT")
    _, row = other.read_text("utf-8-sig").splitlines()
    own = ";".join(['""'] * 6 + ['"Bert"', '"0171 1234561"', '""', '""'])
    one.write_text(f"{one.read_text('utf-8-sig')}{row}\n{own}\n", encoding="utf-8")
    again = read(one)
    assert [bool(note_of(again.columns, each.cells)) for each in again.rows()] == [
        True,
        True,
        False,
    ]
    report, sent = await uploaded(again)
    assert sent == ["+491711234560", "+491711234561"], "who adds a row means it like the others"
    assert "other options than the first row" in str(report.invalid[0].error)
