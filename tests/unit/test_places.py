"""The words for where a row stands."""

from __future__ import annotations

import pytest

from asyncsdk.places import LINE, ROW, Place, list_name, place_of


@pytest.mark.parametrize(
    ("said", "path", "sheet", "unit"),
    [
        ("line 7", None, None, LINE),
        ("row 7", None, None, ROW),
        ("contacts.csv, line 7", "contacts.csv", None, LINE),
        ("list.parquet, row 7", "list.parquet", None, ROW),
        ("sheet 'May', row 7", None, "May", ROW),
        ("book.xlsx, sheet 'May', row 7", "book.xlsx", "May", ROW),
        ("book.xlsx, sheet 'May', row 7", "book.xlsx", "May", LINE),
    ],
)
def test_what_a_place_is_called(said: str, path: str | None, sheet: str | None, unit: str) -> None:
    assert place_of(7, path=path, sheet=sheet, unit=unit) == said
    assert str(Place(5, 7, path, sheet, several=True, unit=unit)) == said


def test_below_a_heading_a_number_is_enough_unless_there_are_several_lists() -> None:
    assert Place(5, 7, "/lists/a.csv").label == "7"
    assert Place(5, 7, "/lists/a.csv", several=True).label == "a.csv, line 7"
    assert Place(5, 7, "/lists/a.xlsx", "May", unit=ROW).label == "7"
    assert str(Place(5, 7, "/lists/a.xlsx", "May", unit=ROW)) == "sheet 'May', row 7"
    several = Place(5, 7, "/lists/a.xlsx", "May", sheets=True, unit=ROW)
    assert several.label == "sheet 'May', row 7", "of one file"
    assert (Place(5).label, str(Place(5))) == ("row 6", "row 6"), "its line is lost"
    assert (list_name(None), list_name("a.csv")) == ("", "a.csv")
