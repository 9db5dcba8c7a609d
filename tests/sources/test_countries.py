"""The country of each row goes along with its phone."""

from __future__ import annotations

import io

import pytest

from asyncsdk.models import Located
from asyncsdk.sources import Source, UndecidedError, read


def given(*lines: str, **options: str) -> Source:
    return read(io.BytesIO("\n".join(lines).encode()), **options)  # type: ignore[arg-type]


def countries(source: Source) -> list[str]:
    return [phone.country for phone in source if isinstance(phone, Located)]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("Land", ["DE", "Schweiz", "+43"]),
        ("Country/Region", ["Germany", "Switzerland", "Austria"]),
        ("Pays", ["Allemagne", "Suisse", "FR"]),
        ("Kraj", ["Niemcy", "PL", "CZ"]),
        ("Default Address Country Code", ["DE", "CH", "AT"]),
    ],
)
def test_a_column_of_countries_is_recognised(name: str, cells: list[str]) -> None:
    rows = [f"{cell};0171 123456{at}" for at, cell in enumerate(cells)]
    source = given(f"{name};Mobil", *rows)
    assert source.mapping["country"].reason == "by its name"
    assert countries(source) == cells


def test_a_few_rows_without_a_country_do_not_make_those_of_others_ours() -> None:
    """Who says `unbekannt` is refused; a Swiss number is not sent to Germany for it."""
    cells = ["Schweiz", "unbekannt", "DE", "n/a", "Österreich", "?"]
    rows = [f"{cell};079 123 45 6{at}" for at, cell in enumerate(cells)]
    assert countries(given("Land;Mobil", *rows)) == cells


def test_codes_of_federal_states_are_no_countries() -> None:
    rows = [f"{cell};0171 123456{at}" for at, cell in enumerate(["BY", "BE", "NW", "HE", "SN"])]
    assert "country" not in given("Land;Mobil", *rows).mapping


def test_a_column_without_countries_is_none() -> None:
    assert "country" not in given("Land;Mobil", "Bayern;0171 1234560", "Hessen;0171 1").mapping


def test_a_column_may_be_named() -> None:
    source = given("Wo;Mobil", " DE ;0171 1234560", ";0171 1234561", country="Wo")
    assert countries(source) == ["DE", ""]


def test_two_that_differ_are_asked_for() -> None:
    lines = ("Billing Country;Shipping Country;Phone", "DE;AT;0171 1234560", "DE;DE;0171 1234561")
    with pytest.raises(UndecidedError, match=r"country='Billing Country'.*'Shipping Country'"):
        given(*lines)
    assert countries(given(*lines, country="Shipping Country")) == ["AT", "DE"]
    same = given(lines[0], "DE;DE;0171 1234560")
    assert same.mapping["country"].column == "Billing Country"
