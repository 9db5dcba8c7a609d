"""What the name of a column says of its cells, in the languages that lists are kept in. Pure."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum

__all__ = [
    "Role",
    "has_number",
    "is_area_code",
    "is_country",
    "is_heading",
    "label_key",
    "name_rank",
    "plain_name",
    "role_of",
]


class Role(Enum):
    """Whose phone numbers a column has, if it has any."""

    OWN = "own"
    """Those of whom the row is of, for all that the name says."""
    OTHER = "other"
    """Those of somebody else, or of an address: nobody is sent a message there unasked."""
    NONE = "none"
    """None: it has ids, flags, dates, fax numbers."""


# Names are looked at as small words without accents. A mobile phone can be sent a message for
# certain, so its column is preferred; the last rank could be anything.
_MOBILE = (
    r"mobil|mobiel|mobitel|movil|movel|handy|celular|cellul|cell ?phone|natel|gsm|portable"
    r"|smartphone|\bsms\b"
    r"|matkapuhelin|komork|\btel kom\b|cep tel|мобил|сотов|κινητο"
)
_PHONE = "telefo|telepho|telef|phone|rufnummer|rufnr|msisdn|puhelin|телефон|τηλεφωνο"
_RANKS = (
    (3, re.compile(_MOBILE)),
    (2, re.compile(rf"{_PHONE}|\b(?:tel|tlf|tfno|fono|fon|cell|cel|whatsapp)\b")),
    (1, re.compile(r"\b(?:nummer|number|numero|num|nr)\b")),
)

_THING = (
    r"kunden?|debitor\w*|kreditor\w*|auftrags?|bestell|rechnungs?|vertrags?|mitglieds?|personal"
    r"|matrikel|artikel|konto|patienten?|versicherungs?|policen?|beleg|lieferschein|vorgangs?"
    r"|schuler|inventar|serien|haus|steuer|ust|umsatzsteuer|order|invoice|contract|member"
    r"|membership|account|customer|client|patient|policy|ticket|case|employee|staff|student"
    r"|serial|house|tax|vat|registration|reference|ref|commande|cliente?|contrat|adherent|facture"
    r"|dossier|pedido|contrato|socio|factura|ordine|contratto|tessera|fattura|klant|klanten|lid"
    r"|lead|record|user|person|transaction|bank"
    r"|bestelling|factuur|zamowienia|klienta|umowy|faktury|czlonka"
)
_NUMBER = r"(?:nummer|number|numero|numer|num|nr|no|n|id|code|kod|key|index|position|pos)"
_NOT_NUMBERS_OF_PHONES = re.compile(
    rf"\b(?:{_THING}) ?{_NUMBER}\b|\b{_NUMBER} (?:(?:de|del|di|du|da|van|of|d|la) )*(?:{_THING})\b"
    r"|\b(?:iban|bic|blz|plz|zip|postleitzahl|isbn|ean|gtin|upc|sku|barcode|datev|siret|siren"
    r"|nif|dni|nie|cif|nip|pesel|regon|bsn|kvk|avs|ahv|ssn|codice|geburts\w*|birth\w*)\b"
)
_PHONE_WORD = r"(?:\b|telefon|phone|mobil|mobile|handy|tel|sms|whatsapp)"
_NO_PHONE = re.compile(
    rf"fax|telecop|automobil|immobil|{_PHONE_WORD}(?:ids?|uuid|guid|hash|imei|imsi|iccid|sim|puk)\b"
    r"|\b(?:pager|telex|isdn|tty|tdd|horbehinderte|beeper|pieper|facebook|skype)\b"
    rf"|{_PHONE_WORD}(?:typ|type|tipo|art|label|bezeichnung|libelle|etiqueta|etichetta|etykieta"
    r"|kategorie|category|vorwahl|prefix|prefisso|prefijo|prefixe|indicatif|land|country|code"
    r"|landcode|area|provider|anbieter|carrier|operator|netz|datum|date|verifiedat|vertrag|opt"
    r"|optin|optout|consent|einwilligung|verified|verifiziert|confirmed|bestatigt|valid|gultig"
    r"|status|kosten|cost|costs|anzahl|count|marketing|newsletter|werbung|erlaubt|allowed|gesperrt"
    r"|accepts|accept|acceptance|permission|extension|ext|durchwahl|nebenstelle|modell|model"
    r"|device|gerat|notiz|notizen|note|notes|bemerkung|comment|kommentar|source|quelle|timestamp"
    r"|calls|anrufe|minuten|minutes|tarif|zeit|zeiten|uhrzeit|time|has|hat|ist|is|last|letzter)\b"
)
_SOMEBODY_ELSE = re.compile(
    r"assist|asisten|asysten|ayudante|sekret|secretar|segret"
    r"|notfall|urgenc|emergen[zc]|\bnood|alarm|awaryjn"
    r"|\bice\b|eltern|mutter|vater|erziehung|sorgeber|vormund|parent|mother|father|guardian|padre"
    r"|madre|\b(?:pere|mere|mama|papa|mum|mom|dad|oma|opa|tuteur|tutor|tutore|tutrice|genitor[ei]"
    r"|ouder|ouders|moeder|vader|voogd|matk[ai]|ojca|ojciec|rodzica?|rodzicow|opiekun\w*)\b"
    r"|partner|spouse|\bwife|husband|\behe|conjoint|conyuge|coniuge|echtgeno|malzonk"
    r"|\b(?:bruder|schwester|brother|sister|sibling|kind|child|nachbar\w*|neighbou?r)\b|next of kin"
    r"|angehorig|familiar|famille|family|familie"
    r"|vorgesetz|manager|supervisor|\b(?:boss|chef|jefe|capo|kierownik\w*)\b|arbeitgeber|employer"
    r"|werber|\brefer|betreuer|berater|vertreter|\bagent|advisor|\bowner|inhaber|besitzer|sponsor"
    r"|\barzt|hausarzt|doctor|physician|medecin|medico|krankenkasse|lehrer|teacher|schule|school"
    r"|ecole|kita\b|company|\bfirm[aey]\b|firmen|societe|empresa|azienda|bedrijf|zentral|switchboard|central"
    r"|hotline|support|kundendienst|callback|ruckruf|ruckmeldung|autotelefon|car phone|radio"
    r"|billing|rechnung|invoice|shipping|versand|liefer|delivery|default address|facturation"
    r"|livraison|facturacion|envio|fattur|spedizion|factuur|bezorg|verzend|wysylk|dostaw"
    r"|\b(?:store|shop|filiale|branch|handler|dealer|warehouse|sender|absender|supplier|lieferant"
    r"|vendor|landlord|vermieter|hausverwaltung)\b"
)
_AREA_CODE = re.compile(
    r"vorwahl|area code|ortsnetz|ortskennzahl|(?:diall?|call)ing code|country code|landercode"
    r"|landeskennzahl|indicatif|prefijo|prefisso|prefixe|netnummer|kengetal|kierunkow|\bprefix"
    r"|phone code|\bddd\b|\bddi\b|\bstd\b|lada\b"
)
_COUNTRY = re.compile(
    r"\b(?:land|country|countries|landercode|landerkennung|laenderkennzeichen|landerkennzeichen"
    r"|lkz|staat|nation|pays|pais|paese|nazione|kraj|kraju|landcode|landescode|country region"
    r"|landeskennzahl|landesvorwahl|landervorwahl|country code|wohnsitzland)\b"
)
_NO_COUNTRY = re.compile(r"birth|geburts|naissance|nacimiento|nascita|state code|nationalit|langu")
_HEADINGS = re.compile(
    r"\b(?:name|names|vorname|nachname|first name|last name|familienname|full name|anrede|titel"
    r"|title|salutation|firma|company|email|e mail|mail|strasse|street|adresse|address|ort|stadt"
    r"|city|plz|zip|postal code|land|country|datum|date|notiz|notizen|note|notes|bemerkung|nr|no"
    r"|id|nummer|number|nom|prenom|adresse|ville|pays|nombre|apellidos?|direccion|ciudad|pais"
    r"|nome|cognome|indirizzo|citta|paese|naam|voornaam|achternaam|adres|plaats|land|imie"
    r"|nazwisko|adres|miasto|kraj|klasse|class|gruppe|group|kunde|customer|kontakt|contact"
    r"|umsatz|betrag|amount|total|summe|geburtstag|birthday|geschlecht|gender|status|tags?)\b"
)
_WITH_NUMBER = re.compile(r"(?:\+|(?<!\d)0)[ ()/.-]*[1-9](?:[ ()/.-]*\d){6}")
_SUB_HEADING = re.compile(
    r"^(?:privat|private|personal|geschaftlich|dienstlich|beruflich|work|business|office|buro"
    r"|home|festnetz|landline|fixe?|main|haupt\w*|perso|prive|werk|thuis|casa|lavoro|ufficio"
    r"|trabajo|domicile|bureau|domowy|sluzbowy|\d|other|andere|weitere)$"
)

_LABEL_WORDS = frozenset(
    (
        *("label", "labels", "type", "types", "typ", "art", "tipo", "bezeichnung", "libelle"),
        *("etiqueta", "etichetta", "etykieta"),
    )
)
_VALUE_WORDS = frozenset(
    ("value", "wert", "valeur", "valor", "valore", "waarde", "wartosc", "number", "nummer")
)


def plain_name(name: str) -> str:
    """`Téléphone (privé)`, `phoneNumber` and `PHONE_NUMBER` as small words without accents."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    bare = "".join(
        char
        for char in unicodedata.normalize("NFKD", spaced.casefold().replace("ł", "l"))
        if not unicodedata.combining(char)
    )
    return " ".join(re.findall(r"[^\W_]+", bare))


def name_rank(name: str) -> int:
    """How much a column's name promises phones: 0 nothing, 1 perhaps, 2 phones, 3 mobile phones."""
    if role_of(name) is Role.NONE:
        return 0
    return _rank(plain_name(name))


def role_of(name: str) -> Role:
    """Whose phones a column of this name has."""
    plain = plain_name(name)
    if _NO_PHONE.search(plain) or (_rank(plain) <= 1 and _NOT_NUMBERS_OF_PHONES.search(plain)):
        return Role.NONE
    return Role.OTHER if _SOMEBODY_ELSE.search(plain) else Role.OWN


def is_area_code(name: str) -> bool:
    """Whether a column of this name has the beginnings of numbers."""
    return _AREA_CODE.search(plain_name(name)) is not None


def is_country(name: str) -> bool:
    """Whether a column of this name has countries."""
    plain = plain_name(name)
    return _COUNTRY.search(plain) is not None and _NO_COUNTRY.search(plain) is None


def has_number(cell: str) -> bool:
    """Whether there is a phone number in a cell, among other things: `Telefon: 0171 1234567`."""
    return _WITH_NUMBER.search(cell) is not None


def is_heading(cell: str) -> bool:
    """Whether a cell could name a column, rather than be in one."""
    if has_number(cell):
        return False
    plain = plain_name(cell)
    return bool(name_rank(cell) or _HEADINGS.search(plain) or _SUB_HEADING.search(plain))


def label_key(name: str) -> tuple[str, bool | None]:
    """What `Phone 1 - Label` and `Phone 1 - Value` have in common, and whether it is the label.

    Returns:
        The words that both have, and True for a label, False for a value, None for neither.
    """
    words = plain_name(name).split()
    kind = None
    if len(words) > 1 and words[-1] in _LABEL_WORDS | _VALUE_WORDS:
        kind = words.pop() in _LABEL_WORDS
    return " ".join(words), kind


def _rank(plain: str) -> int:
    return next((rank for rank, pattern in _RANKS if pattern.search(plain)), 0)
