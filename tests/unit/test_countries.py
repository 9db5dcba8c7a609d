from __future__ import annotations

import pytest

from asyncsdk.countries import region_of


@pytest.mark.parametrize(
    ("cell", "region"),
    [
        *[(cell, "DE") for cell in ("DE", "de", " De ", "DEU", "Deutschland", "Germany", "D")],
        *[(cell, "DE") for cell in ("Allemagne", "Alemania", "Germania", "Niemcy", "Duitsland")],
        *[(cell, "DE") for cell in ("+49", "49", "0049", "Germany (+49)", "Deutschland (DE)")],
        *[(cell, "AT") for cell in ("AT", "AUT", "ÖSTERREICH", "Oesterreich", "Autriche", "+43")],
        *[(cell, "CH") for cell in ("CH", "CHE", "Schweiz", "Suisse", "Svizzera", "Switzerland")],
        *[(cell, "GB") for cell in ("GB", "UK", "United Kingdom", "England", "Großbritannien")],
        *[(cell, "US") for cell in ("US", "USA", "United States", "+1", "1", "Vereinigte Staaten")],
        *[(cell, "NL") for cell in ("NL", "Niederlande", "Holland", "Pays-Bas", "Paesi Bassi")],
        *[(cell, "FR") for cell in ("France", "Frankreich", "Francia", "Francja", "F", "FRA")],
        *[(cell, "PL") for cell in ("Polska", "Polen", "Pologne", "POL", "48")],
        ("", None),
        ("Atlantis", None),
        ("XX", None),
        ("Berlin", None),
        ("+999", None),
        ("0171", None),
        ("80331", None),
        ("Germany (+43)", None),
    ],
)
def test_what_a_country_column_says(cell: str, region: str | None) -> None:
    assert region_of(cell) == region
