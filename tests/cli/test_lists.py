"""Lists as people have them: what is sent of each, and what becomes of the rest of it.

`LISTS` is the table: each list with the numbers that are sent of it with `--normalize DE`, in any
order; with what must be answered before, if anything; or with the refusal of the whole. Names and
numbers in the lists are made up.
"""

from __future__ import annotations

import csv
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from asyncsdk.sources import UndecidedError, read
from asyncsdk.sources.picking import Cells
from asyncsdk.sources.rejects import note_of

from .kit import run

if TYPE_CHECKING:
    from asyncsdk.testing import SandboxThread

HERE = Path(__file__).parents[1] / "lists"


@frozen
class Expected:
    """What is right for a list."""

    sent: tuple[str, ...] = ()
    """The numbers that are sent."""
    answer: tuple[str, ...] = ()
    """What is to be typed first, as the refusal says."""
    refused: str = ""
    """A part of the refusal, where all of it is refused."""
    note: str = ""
    """A part of what is said of it before it is sent."""


def _german(*ends: int) -> tuple[str, ...]:
    return tuple(f"+4917112345{end}" for end in ends)


LISTS = {
    "01_plus_lost_spaces.csv": Expected(_german(67, 68)),
    "03_decimals_00.csv": Expected(_german(67, 68, 69, 60)),
    "04_slash_short.csv": Expected(),
    "05_google2024.csv": Expected(_german(67, 68, 69, 60)),
    "08_outlook_nomobile.csv": Expected(("+49301234567", "+49301234568")),
    "09_icloud.vcf": Expected(_german(67, 68)),
    "10_html.xls": Expected(_german(67, 68)),
    "13_preamble_title.csv": Expected(_german(67, 68), note="2 rows above the names"),
    "16_kundennr_rank.csv": Expected(_german(67, 68), note="column 'Kontakt'"),
    "18_phone_number_id.csv": Expected(_german(67, 68), note="column 'phone_number'"),
    "20_shopify.csv": Expected(("+491711234567", "+41791234567")),
    "22_several_cols.csv": Expected(
        ("+49301234567", *_german(68, 69, 60)),
        ("--map", "phone=Telefon mobil,Telefon privat,Telefon geschäftlich"),
    ),
    "23_vorwahl_split.csv": Expected(
        ("+491711234567", "+49307654321", "+491711234569"), ("--map", "phone=Vorwahl+Rufnummer")
    ),
    "25_country_column.csv": Expected(
        ("+491711234567", "+41791234567", "+436641234567", "+48501234567", "+33612345678"),
        note="country from column 'Land'",
    ),
    "26_lonequote_pair.csv": Expected(refused="csv, line 3: the row that begins here looks"),
    "45_json_wrapped.json": Expected(_german(60, 61)),
    "60_hidden_first_sheet.xlsx": Expected(_german(60, 61), note="hidden sheet: 'Alt_2019'"),
    "62_two_sheets.xlsx": Expected(_german(60, 61), ("--all-sheets",)),
    "68_password.xlsx": Expected(refused="is protected by a password"),
    "71_export.zip": Expected(_german(60)),
    "75_decimals.parquet": Expected(_german(60, 61)),
    "84_public_de_numbers.csv": Expected(
        (
            *("+491716783154", "+498990990000", "+493030808459", "+491786730511"),
            *("+4915150405214", "+491602229999", "+4915112345678"),
        )
    ),
    "88_noheader_handyshop.csv": Expected(_german(60, 61)),
    "91_mixed_encoding.csv": Expected(_german(60, 61, 62), note="line 4 is not in UTF-8"),
    "99_total_line.csv": Expected(_german(60, 61)),
    "a1_switch.csv": Expected(_german(60), note="column 'Mobil'"),
    "a2_handy.csv": Expected(("+491721234560",)),
    "a2_mobil.csv": Expected(_german(60)),
    "b4_raw.csv": Expected(_german(62)),
    "c1_excel_plus_hyphen.csv": Expected(),
    "c1_excel_plus_hyphen.xlsx": Expected(),
    "d1_numbers.json": Expected(_german(60, 61, 62)),
    "s1_school.csv": Expected(
        ("+491711112200", "+491711112200", "+491721112201", "+491711112202"),
        ("--map", "phone=Mobil Mutter,Mobil Vater"),
    ),
    "s2_woocommerce.csv": Expected(
        ("+491715556600", "+436645556601", "+41795556602", "+491715556603", "+491715556604"),
        ("--map", "phone=Billing Phone"),
        note="country from column 'Billing Country'",
    ),
    "s3_outlook_de.csv": Expected(
        tuple(f"+4917112345{at:02}" for at in range(12) if at != 7),
        note="phone from column 'Mobiltelefon'",
    ),
    "s4_campaign.xlsx": Expected(
        tuple(
            f"+4917177880{first + at:02}"
            for first in (0, 50)
            for at in range(20)
            if at != 5 and (first, at) != (50, 7)
        ),
        ("--all-sheets",),
        note="1 row of sheet 'Neukunden' hidden",
    ),
    "s5_google.csv": Expected(
        tuple(f"+49171222330{at}" for at in (0, 1, 3, 6, 7)), note="column 'Phone (Mobile)'"
    ),
    "s6_shopify.csv": Expected(
        ("+491713334400", "+491713334401", "+436643334402", "+41793334403", "+33612334405"),
        note="phone from column 'Phone'",
    ),
}
ANSWERED = [name for name, expected in LISTS.items() if not expected.refused]


@pytest.fixture
def group(sandbox: SandboxThread) -> int:
    return sandbox.add_group("Kunden")


def upload(name: str, group: int, sandbox: SandboxThread, *words: object) -> str:
    path = HERE / name
    done = run(
        *("upload", path, "-g", group, "--normalize", "DE", *LISTS[name].answer, *words),
        sandbox=sandbox,
    )
    return " ".join(done.output.split())


def sent(sandbox: SandboxThread) -> list[str]:
    return sorted(commit.phone for commit in sandbox.commits)


@pytest.mark.parametrize("name", LISTS)
def test_what_is_right_is_sent_and_nothing_else(
    name: str, group: int, sandbox: SandboxThread
) -> None:
    expected = LISTS[name]
    if expected.answer:
        done = run("upload", HERE / name, "-g", group, "--normalize", "DE", sandbox=sandbox)
        assert done.exit_code == 2
        assert all(word in done.stderr for word in expected.answer), done.stderr
        assert not sandbox.commits
    told = upload(name, group, sandbox)
    assert sent(sandbox) == sorted(expected.sent), told
    assert (expected.note or expected.refused) in told


@pytest.mark.parametrize("name", ANSWERED)
def test_the_rejects_again_send_nothing_until_they_are_mended(
    name: str, group: int, sandbox: SandboxThread, tmp_path: Path
) -> None:
    for again in (tmp_path / "rejects.csv", tmp_path / "rejects.xlsx"):
        upload(name, group, sandbox, "--rejects", again)
        before = sent(sandbox)
        done = run("upload", again, "-g", group, sandbox=sandbox)
        assert sent(sandbox) == before, done.output
    before, mended = sent(sandbox), mend(tmp_path / "rejects.csv")
    run("upload", tmp_path / "rejects.csv", "-g", group, sandbox=sandbox)
    assert sent(sandbox) == sorted([*before, *mended])


def mend(rejects: Path) -> list[str]:
    """Give each row a number of its own in the cell that its number is read from."""
    numbers: list[str] = []
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        header, *lines = csv.reader(file, delimiter=";")
    places = [row.mapping["phone"] for row in read(rejects).rows()] if lines else []
    for line, choice in zip(lines, places, strict=True):
        numbers.append(f"+49151999900{len(numbers):02}")
        cells = choice.order[0] if choice.order else Cells((choice.position,))
        line[cells.positions[-1]] = numbers[-1]
        if cells.label is not None:
            line[cells.label] = cells.kind
    with rejects.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *lines])
    return numbers


@pytest.mark.parametrize("name", ANSWERED)
def test_a_program_reads_the_same(name: str) -> None:
    """What is typed on the command line has the same name in `read`."""
    answer = LISTS[name].answer
    sheet = "*" if "--all-sheets" in answer else None
    columns = {"phone": answer[1].removeprefix("phone=")} if "--map" in answer else None
    source = read(HERE / name, columns=columns, sheet=sheet)
    if not answer:
        assert source.mapping["phone"].reason in {"by its name", "by its content"}
        return
    with pytest.raises(UndecidedError) as caught:
        read(HERE / name)
    asked = pickle.loads(pickle.dumps(caught.value)).question  # noqa: S301 - our own
    wanted = columns["phone"] if columns else sheet
    assert wanted in [each.answer for each in asked.options]
    told = read(HERE / name, columns=None, ask=lambda _: wanted)
    assert list(told) == list(source)


def test_the_second_of_two_equal_columns_of_two_lists(
    group: int, sandbox: SandboxThread, tmp_path: Path
) -> None:
    lists = [HERE / "92_c.csv", HERE / "92_d.csv"]
    rejects = tmp_path / "rejects.csv"
    done = run("upload", *lists, "-g", group, sandbox=sandbox)
    assert (done.exit_code, "--map 'phone=Telefon#2'" in done.stderr) == (2, True)
    words = ("--normalize", "DE", "--map", "phone=Telefon#2", "--mobile-only")
    run("upload", *lists, "-g", group, *words, "--rejects", rejects, sandbox=sandbox)
    assert not sandbox.commits, "they are landlines"
    run("upload", rejects, "-g", group, sandbox=sandbox)
    assert not sandbox.commits, "of the same column again"
    mended = mend(rejects)
    run("upload", rejects, "-g", group, sandbox=sandbox)
    assert sent(sandbox) == sorted(mended)


def test_two_lists_with_columns_of_their_own(
    group: int, sandbox: SandboxThread, tmp_path: Path
) -> None:
    lists = [HERE / "a2_mobil.csv", HERE / "a2_handy.csv", HERE / "09_icloud.vcf"]
    rejects = tmp_path / "rejects.csv"
    words = ("--normalize", "DE", "--rejects", rejects)
    run("upload", *lists, "-g", group, *words, sandbox=sandbox)
    source = read(rejects)
    notes = [note_of(source.columns, row.cells) for row in source.rows()]
    assert [note["phone"] for note in notes] == ["Mobil", "Handy"]
    before = sent(sandbox)
    mended = mend(rejects)
    run("upload", rejects, "-g", group, sandbox=sandbox)
    assert sent(sandbox) == sorted([*before, *mended])
