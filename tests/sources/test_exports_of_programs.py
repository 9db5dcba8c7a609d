"""Which column has the phones in what programs export, in the languages that they speak."""

from __future__ import annotations

import pytest

from asyncsdk.sources.columns import Wanted, choose_columns
from asyncsdk.sources.names import Role, name_rank, role_of
from asyncsdk.sources.questions import UndecidedError

MOBILE = ["0171 1234560", "+49 171 1234561", "0172 1234562"]
FIXED = ["030 1234560", "030 1234561", "089 1234562"]
FAX = ["030 1234599", "030 9999991", "030 9999992"]
NAMES = ["Anna", "Bert", "Cara"]
IDS = ["100234567", "100234568", "100234569"]
BARE = ["491711234560", "491711234561", "491711234562"]
FLAGS = ["yes", "no", "yes"]
DATES = ["2024-01-01", "2024-02-03", "2024-05-06"]
NOTHING = ["", "", ""]

Columns = dict[str, list[str]]


def chosen(columns: Columns) -> str:
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return choose_columns(list(columns), rows, Wanted())["phone"].column


def asked(columns: Columns) -> list[str]:
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    with pytest.raises(UndecidedError) as caught:
        choose_columns(list(columns), rows, Wanted())
    assert caught.value.question is not None
    return [option.answer for option in caught.value.question.options]


OUTLOOK = [
    (
        *("Vorname", "Telefon Assistent", "Fax geschäftlich", "Telefon geschäftlich"),
        *("Telefon geschäftlich 2", "Rückmeldung", "Autotelefon", "Telefon Firma", "Pager"),
        *("Mobiltelefon", "Telefon für Hörbehinderte", "Konto"),
    ),
    (
        *("First Name", "Assistant's Phone", "Business Fax", "Business Phone"),
        *("Business Phone 2", "Callback", "Car Phone", "Company Main Phone", "Pager"),
        *("Mobile Phone", "TTY/TDD Phone", "Account"),
    ),
    (
        *("Prénom", "Téléphone de l'assistant(e)", "Télécopie (bureau)", "Téléphone (bureau)"),
        *("Téléphone 2 (bureau)", "Rappel", "Téléphone (voiture)", "Téléphone société", "Pager"),
        *("Tél. mobile", "Téléscripteur", "Numéro de client"),
    ),
    (
        *("Nombre", "Teléfono del asistente", "Fax del trabajo", "Teléfono del trabajo"),
        *("Teléfono del trabajo 2", "Rellamada", "Tel. coche", "Teléfono de la empresa", "Pager"),
        *("Móvil", "TTY/TDD", "Número de cliente"),
    ),
    (
        *("Nome", "Telefono assistente", "Fax (uff.)", "Telefono (uff.)"),
        *("Telefono (uff.) 2", "Richiamata", "Tel. auto", "Telefono principale azienda", "Pager"),
        *("Cellulare", "TTY/TDD", "Codice cliente"),
    ),
    (
        *("Voornaam", "Telefoon van assistent", "Fax op werk", "Telefoon op werk"),
        *("Telefoon op werk 2", "Terugbellen", "Autotelefoon", "Telefoon bedrijf", "Pager"),
        *("Mobiele telefoon", "TTY/TDD", "Klantnummer"),
    ),
    (
        *("Imię", "Telefon asystenta", "Faks służbowy", "Telefon służbowy"),
        *("Telefon służbowy 2", "Wywołanie zwrotne", "Tel. samoch.", "Telefon firmy", "Pager"),
        *("Telefon komórkowy", "TTY/TDD", "Numer klienta"),
    ),
]


@pytest.mark.parametrize("names", OUTLOOK, ids=lambda names: names[0])
def test_outlook_in_seven_languages(names: tuple[str, ...]) -> None:
    cells = [NAMES, FIXED, FAX, FIXED, NOTHING, NOTHING, NOTHING, FIXED, NOTHING]
    columns = dict(zip(names, [*cells, MOBILE, NOTHING, IDS], strict=True))
    assert chosen(columns) == names[9]
    assert chosen(columns | {names[9]: NOTHING}) == names[3], "nobody's assistant, no fax"


@pytest.mark.parametrize(
    ("columns", "column"),
    [
        ({"Kunden-Nr.": IDS, "Name": NAMES, "Kontakt": MOBILE}, "Kontakt"),
        ({"phone_number_id": IDS, "phone_number": BARE}, "phone_number"),
        ({"Default Address Phone": FIXED, "Phone": MOBILE, "Customer ID": IDS}, "Phone"),
        ({"Mitgl.-Nr.": IDS, "Handy": MOBILE, "Tel.": FIXED, "Eintritt": DATES}, "Handy"),
        (
            {"Record ID": IDS, "Phone Number": FIXED, "Mobile Phone Number": MOBILE},
            "Mobile Phone Number",
        ),
        ({"Phone": FIXED, "Mobile": MOBILE, "Assistant Phone": FIXED, "Fax": FAX}, "Mobile"),
        ({"SMS Opt-in": FLAGS, "Mobile verified": FLAGS, "Mobile": MOBILE}, "Mobile"),
        ({"SMS": BARE, "WHATSAPP": BARE, "LANDLINE_NUMBER": FIXED, "EXT_ID": IDS}, "SMS"),
        ({"Patientennr.": IDS, "Handynr.": MOBILE, "Hausarzt Tel.": FIXED}, "Handynr."),
        ({"Name": NAMES, "Mobil": MOBILE, "Telefon Eltern": FIXED}, "Mobil"),
        ({"Name": NAMES, "Telefon 1": FIXED, "Telefon 2": MOBILE}, "Telefon 1"),
        ({"Order Number": IDS, "Order Date": DATES, "Customer Phone": MOBILE}, "Customer Phone"),
        ({"Name": NAMES, "Contact Number": MOBILE, "Order no.": IDS}, "Contact Number"),
        ({"Name": NAMES, "IBAN": ["DE02120300000000202051"] * 3, "Rufnummer": MOBILE}, "Rufnummer"),
        (
            {"Phone : mobile": MOBILE, "Phone : home": FIXED, "Phone : work fax": FAX},
            "Phone : mobile",
        ),
        ({"Имя": NAMES, "Мобильный телефон": MOBILE, "Номер": IDS}, "Мобильный телефон"),
        ({"1": NAMES, "2": MOBILE}, "2"),
    ],
)
def test_the_column_that_is_clear(columns: Columns, column: str) -> None:
    assert chosen(columns) == column


@pytest.mark.parametrize(
    ("columns", "answers"),
    [
        ({"Mobil privat": MOBILE, "Handy Büro": MOBILE}, ["Mobil privat", "Handy Büro"]),
        ({"Telefon": FIXED, "Rufnummer": FIXED}, ["Telefon", "Rufnummer"]),
        ({"1": NAMES, "2": MOBILE, "3": FIXED}, ["2", "3"]),
        ({"Order": IDS, "Billing Phone": MOBILE}, ["Billing Phone"]),
        ({"Name": NAMES, "Tel. Mutter": MOBILE, "Notfall": FIXED}, ["Tel. Mutter", "Notfall"]),
        ({"Name": NAMES, "Nummer": BARE}, ["Nummer"]),
        (
            {"Mobil": ["", "", MOBILE[0]], "Telefon": ["030 1234560", "030 1234561", ""]},
            ["Mobil", "Telefon", "Mobil,Telefon"],
        ),
        ({"Vorwahl": ["0171", "030", "089"], "Tel": ["1234567"] * 3}, ["Vorwahl+Tel"]),
        ({"1": NAMES, "2": ["0171", "030", "089"], "Tel": ["1234567"] * 3}, ["2+Tel"]),
        ({"Dialling code": ["+49", "+41", "+43"], "Tel": ["171 1234"] * 3}, ["Dialling code+Tel"]),
        (
            {"Name, Vorname": NAMES, "Tel, 1": ["", *FIXED[1:]], "Fon": [FIXED[0], "", ""]},
            ["Tel, 1", "Fon", "2,Fon"],
        ),
    ],
)
def test_what_is_not_clear_is_asked(columns: Columns, answers: list[str]) -> None:
    assert asked(columns) == answers


@pytest.mark.parametrize(
    "name",
    [
        *("Kundennummer", "Kunden-Nr.", "Auftragsnr.", "Vertragsnummer", "Mitgliedsnummer"),
        *("Customer no.", "Order number", "Member ID", "Invoice #", "Numéro de commande"),
        *("N° client", "Número de pedido", "Numero cliente", "Klantnummer", "Numer zamówienia"),
        *("Fax", "Telefax", "Télécopie", "Faks", "Phone ID", "Phone verified", "SMS consent"),
        *("Mobile carrier", "Telefontyp", "Handyvertrag", "IMEI Handy", "Mobilfunkvertrag Status"),
        *("Phone type", "Telefonvorwahl", "EAN", "Steuernummer", "PLZ"),
    ],
)
def test_names_of_no_phones(name: str) -> None:
    assert role_of(name) is Role.NONE or name_rank(name) == 0


@pytest.mark.parametrize(
    "name",
    [
        *("Telefon Eltern", "Mobil Mutter", "Notfallnummer", "Emergency contact phone"),
        *("Assistant's Phone", "Telefon Assistent", "Parent mobile", "Téléphone du père"),
        *("Teléfono de emergencia", "Telefono azienda", "Telefon firmy", "Noodnummer"),
        *("Billing Phone", "Shipping phone", "Default Address Phone", "Lieferadresse Telefon"),
        *("Spouse phone", "Arzt Telefon", "Manager mobile", "Callback", "Company Main Phone"),
    ],
)
def test_names_of_somebody_elses_phones(name: str) -> None:
    assert role_of(name) is Role.OTHER


@pytest.mark.parametrize("name", ["Preferred phone", "Mobil", "Contact phone", "Kontakt Telefon"])
def test_names_of_ones_own_phones(name: str) -> None:
    assert role_of(name) is Role.OWN
