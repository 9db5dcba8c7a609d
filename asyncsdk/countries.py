"""The region that a cell means: `AT`, `AUT`, `Österreich`, `Austria`, `+43`, `0043`. Pure.

What countries are called in the world's languages is known by phonenumbers (the extra `phone`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

__all__ = ["region_of"]

_ALPHA_3 = (
    "ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATGAG AUSAU AUTAT "
    "AZEAZ BDIBI BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ "
    "BMUBM BOLBO BRABR BRBBB BRNBN BTNBT BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI "
    "CMRCM CODCD COGCG COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX CYMKY CYPCY CZECZ "
    "DEUDE DJIDJ DMADM DNKDK DOMDO DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI "
    "FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM "
    "GNBGW GNQGQ GRCGR GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY HKGHK HNDHN HRVHR HTIHT HUNHU "
    "IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL ITAIT JAMJM JEYJE JORJO JPNJP "
    "KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY LCALC LIELI "
    "LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH "
    "MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY "
    "MYTYT NAMNA NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM "
    "PAKPK PANPA PERPE PHLPH PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA "
    "REURE ROURO RUSRU RWARW SAUSA SDNSD SENSN SGPSG SHNSH SJMSJ SLBSB SLESL SLVSV SMRSM "
    "SOMSO SPMPM SRBRS SSDSS STPST SURSR SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC "
    "TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO TTOTT TUNTN TURTR TUVTV TWNTW TZATZ "
    "UGAUG UKRUA URYUY USAUS UZBUZ VATVA VCTVC VENVE VGBVG VIRVI VNMVN VUTVU WLFWF WSMWS "
    "YEMYE ZAFZA ZMBZM ZWEZW "
)
"""ISO 3166-1: each alpha-3 code with its alpha-2 code."""
_OTHERS = {
    # The signs of cars, which stand before postal codes.
    "d": "DE",
    "a": "AT",
    "f": "FR",
    "i": "IT",
    "e": "ES",
    "b": "BE",
    "l": "LU",
    "h": "HU",
    "p": "PT",
    "s": "SE",
    "n": "NO",
    "fl": "LI",
    "fin": "FI",
    "irl": "IE",
    "uk": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "great britain": "GB",
    "grossbritannien": "GB",
    "england uk": "GB",
    "grande bretagne": "GB",
    "gran bretana": "GB",
    "vereinigte staaten": "US",
    "etats unis": "US",
    "estados unidos": "US",
    "usa": "US",
    "u s a": "US",
    "united states of america": "US",
    "america": "US",
    "amerika": "US",
    "holland": "NL",
    "the netherlands": "NL",
    "brd": "DE",
    "alemania": "DE",
    "bundesrepublik deutschland": "DE",
    "republik osterreich": "AT",
    "oesterreich": "AT",
    "die schweiz": "CH",
    "suisse schweiz": "CH",
    "turkey": "TR",
    "turkiye": "TR",
    "tuerkei": "TR",
    "czech republic": "CZ",
    "czechia": "CZ",
    "tschechien": "CZ",
    "uae": "AE",
    "russland": "RU",
}
_LANGUAGES = (
    *("en", "de", "fr", "es", "it", "nl", "pl", "pt", "cs", "da", "sv", "no", "fi", "hu", "ro"),
    *("tr", "ru", "uk", "el", "hr", "sk", "sl", "bg"),
)
_CODE = re.compile(r"(?:\+|00)?([1-9]\d{0,2})")
_IN_BRACKETS = re.compile(r"(.+?)\s*[(\[]\s*([^)\]]+)[)\]]")


@cache
def region_of(cell: str) -> str | None:
    """The ISO code of the region that a cell of a country column means; None if it means none.

    Args:
        cell: An ISO code of two or three letters, a calling code, or a name in one of the common
            languages; of `Germany (+49)` both parts must mean the same.

    Raises:
        ImportError: phonenumbers is not installed.
    """
    parts = _IN_BRACKETS.fullmatch(cell.strip())
    if parts is not None:
        both = {region_of(part) for part in parts.groups()}
        return both.pop() if len(both) == 1 else None
    plain = _plain(cell)
    if code := _CODE.fullmatch(plain.replace(" ", "")):
        return _by_calling_code(int(code[1]))
    if len(plain) == len("AT") and plain.upper() in _regions():
        return plain.upper()
    return _names().get(plain)


def _plain(cell: str) -> str:
    """Small words without accents; a plus stays."""
    spelled = unicodedata.normalize("NFKD", cell.strip().casefold())
    bare = "".join(char for char in spelled if not unicodedata.combining(char))
    return " ".join(re.findall(r"\+?[^\W_]+", bare))


def _by_calling_code(code: int) -> str | None:
    """The main region of a calling code: of +1 the United States, of +44 Great Britain."""
    from phonenumbers import region_code_for_country_code

    region: str = region_code_for_country_code(code)
    return region if region in _regions() else None


@cache
def _regions() -> frozenset[str]:
    try:
        from phonenumbers import SUPPORTED_REGIONS
    except ImportError as error:
        msg = "a country column needs phonenumbers: pip install 'asyncsdk[phone]'"
        raise ImportError(msg) from error
    return frozenset(SUPPORTED_REGIONS)


@cache
def _names() -> dict[str, str]:
    """Names and codes of three letters; what two regions are called in two languages is neither."""
    from phonenumbers.geodata.locale import LOCALE_DATA

    found: dict[str, str] = {}
    doubtful: set[str] = set()
    for region in _regions() & LOCALE_DATA.keys():
        for name in _called(LOCALE_DATA[region]):
            if found.setdefault(_plain(name), region) != region:
                doubtful.add(_plain(name))
    certain = {name: region for name, region in found.items() if name not in doubtful}
    codes = {pair[:3].casefold(): pair[3:] for pair in _ALPHA_3.split()}
    return certain | codes | _OTHERS


def _called(names: dict[str, str]) -> set[str]:
    """The names in the common languages; a star refers to that of another one."""
    found = set()
    for language in _LANGUAGES:
        name = names.get(language, "")
        found.add(names.get(name[1:], "") if name.startswith("*") else name)
    return found - {""}
