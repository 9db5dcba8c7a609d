"""What the digits of a cell can be as a number: one thing, or nothing that is sent.

Digits that begin with neither `+` nor 0 may have lost the one or the other. Which one is said by
the plans of numbers, if only one of the two can be a number at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from asyncsdk.plans import calling_code, complete, dialled_abroad, is_calling_code, number_of
from asyncsdk.upload.intake.spelling import Gap, Prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.plans import Number
    from asyncsdk.upload.intake.spelling import Cut, Spelled

__all__ = ["Refused", "read_digits"]

_WHOLE = 7
"""Digits of a number within its country that make it a whole one rather than a beginning."""
_ENDING = 2
"""Digits that may be another ending of a number."""
_PAIR = 3
"""Digits of a group at most where numbers are written in groups as short as an ending."""
_RANK = 3
"""Digits that may say which row of a list it is."""
_MOBILE = 9
"""Digits of a mobile number that nobody takes for a part of one."""
_CENTRAL = "0"
"""The extension of whoever answers in a company: `030 123456-0` is dialled as it stands."""
_LONGEST_LANDLINE = 11
"""Digits of a national number at most, where its first ones could be its own country code too."""
_LONGEST = 12
"""Digits of a landline that has lost its 0 at most; plans allow more, and nobody has such a one."""
_KEEPS_ZERO = ("39", "378", "379", "225", "241", "242")
"""Countries whose numbers keep a leading zero from abroad: there `(0)` may be part of one."""
_ZEROS = "00"


@frozen
class Refused:
    """Why digits are no number that is sent."""

    code: str
    readings: tuple[str, ...] = ()
    """What they can be, in E.164 form."""


def read_digits(written: Spelled, region: str, bare: str | None) -> Number | Refused:
    """The one number that these digits can be, or why there is none.

    Args:
        written: The digits, as they stand in a cell.
        region: Of numbers that do not say their country.
        bare: What digits without `+` and without a leading 0 are: `national`, `international` or,
            with None, whichever of the two they can only be.
    """
    code = calling_code(region)
    found = _read(written, region, code, bare)
    if isinstance(found, Refused):
        return found
    if written.decimals and _valid(_read(written.undivided, region, code, bare)):
        return Refused("fraction")
    codes = _before(written.prefix, code, bare)
    if found.wrong:
        glued = any(complete(code + written.digits[: c.at]) for code in codes for c in written.cuts)
        return Refused("two-numbers" if glued else found.wrong)
    if _may_be_two(written, code, codes, found):
        return Refused("two-numbers")
    settled = written.prefix is Prefix.NONE and bare is not None
    if not settled and (other := _with_doubled_code(found, code)):
        return Refused("two-readings", (found.text, other))
    return found


def _read(written: Spelled, region: str, code: str, bare: str | None) -> Number | Refused:
    """What the digits are."""
    digits = written.digits
    if written.prefix is Prefix.NONE:
        return _bare(digits, code, bare)
    if written.prefix is Prefix.ZERO:
        number = _dialled(number_of(code + digits), dialled_abroad(digits, region), None)
        return _or_half_abroad(number, digits)
    if written.trunk is not None:
        return _with_trunk(written)
    if written.prefix is Prefix.PLUS:
        return number_of(digits)
    return _dialled(number_of(digits), dialled_abroad(_ZEROS + digits, region), digits)


def _valid(found: Number | Refused) -> bool:
    return isinstance(found, Refused) or found.valid


def _before(prefix: Prefix, code: str, bare: str | None) -> tuple[str, ...]:
    """What may stand before digits where they are dialled from anywhere."""
    if prefix is Prefix.NONE:
        return {"national": (code,), "international": ("",)}.get(bare or "", (code, ""))
    return (code,) if prefix is Prefix.ZERO else ("",)


def _dialled(number: Number, abroad: str | None, digits: str | None) -> Number | Refused:
    """A number, unless it is one from abroad as it is dialled there.

    Args:
        number: As it is read in most countries.
        abroad: What follows the prefix of calls abroad, if digits begin with it.
        digits: What was read already.
    """
    if abroad is None or abroad == digits:
        return number
    other = number_of(abroad)
    if not other.valid:
        return number
    return _only(number, other) if number.valid else other


def _or_half_abroad(number: Number | Refused, digits: str) -> Number | Refused:
    """A national number, unless no plan has it and it is one from abroad behind a 0 too few."""
    if isinstance(number, Refused) or number.wrong or number.valid:
        return number
    other = number_of(digits[1:])
    return _only(number, other) if other.valid else number


def _with_trunk(written: Spelled) -> Number | Refused:
    """A number whose `(0)` is said along, and nothing else where that may be part of it."""
    number, at = number_of(written.digits), written.trunk or 0
    if not is_calling_code(written.digits[:at]):
        return Refused("zero")
    if not written.digits.startswith(_KEEPS_ZERO):
        return number
    kept = number_of(f"{written.digits[:at]}0{written.digits[at:]}")
    return _only(*([one for one in (number, kept) if one.valid] or (number, kept)))


def _bare(digits: str, code: str, bare: str | None) -> Number | Refused:
    """What digits are that begin with neither `+` nor 0."""
    national = number_of(code + digits)
    abroad = number_of(digits)
    if bare is not None:
        return national if bare == "national" else abroad
    if len(digits) < _WHOLE:
        return Refused("too-short")
    own = digits.startswith(code) and not abroad.wrong
    if own and abroad.mobile and len(national.national) > _LONGEST_LANDLINE:
        return abroad  # no landline has as many digits
    readings = [number for number in (abroad, national) if number.valid]
    if readings == [national] and not national.mobile and len(digits) > _LONGEST:
        readings = []  # articles have numbers, too
    if not readings:
        return Refused((abroad.wrong and national.wrong) or "not-in-plan")
    if own and not abroad.valid:
        readings.append(abroad)  # a mistyped one, rather than what it is by chance
    return _only(*readings)


def _only(*readings: Number) -> Number | Refused:
    texts = tuple(dict.fromkeys(one.text for one in readings if one.text))
    if len(texts) > 1:
        return Refused("two-readings", texts)
    return readings[0]


def _may_be_two(written: Spelled, code: str, before: tuple[str, ...], whole: Number) -> bool:
    """Whether a number may end, or begin, within these digits.

    Args:
        written: The digits.
        code: The country code of the list.
        before: What may stand before the digits where they are dialled from anywhere.
        whole: What all of them are.
    """
    digits, cuts = written.digits, written.cuts
    if any(_may_end(digits, cut, each, whole) for each in before for cut in cuts):
        return True
    bare = written.prefix is Prefix.NONE
    return bare and any(_may_begin(digits, cut, code, whole) for cut in cuts)


def _may_end(digits: str, cut: Cut, before: str, whole: Number) -> bool:
    """Whether a number may end at this cut, and another one, or only its ending, begin there.

    Args:
        digits: All of them.
        cut: The place.
        before: What may stand before the digits where they are dialled from anywhere.
        whole: What all of them are.
    """
    first, rest = before + digits[: cut.at], digits[cut.at :]
    ending = len(rest) <= _ENDING and (cut.gap is Gap.HYPHEN or cut.group > _PAIR)
    if cut.gap is Gap.WEAK and not ending and rest[0] != "0" and _long(cut) and whole.valid:
        return False  # as usual, and sooner said than what comes before it is looked at
    if (cut.gap, rest) == (Gap.HYPHEN, _CENTRAL) and whole.valid:
        return False
    if not complete(first):
        return _may_be_whole(first, rest, cut, whole)
    if cut.gap is Gap.STRONG or not whole.valid or ending:
        return True
    return rest.startswith("0") and any(map(complete, _second(rest, whole)))


def _may_begin(digits: str, cut: Cut, code: str, whole: Number) -> bool:
    """Whether a number may begin at this cut, behind the rank of its row: `2 0171 1234567`.

    Args:
        digits: All of them, without `+` and without a leading 0.
        cut: The place.
        code: The country code of the list.
        whole: What all of them are.
    """
    rank, rest = digits[: cut.at], digits[cut.at :]
    if len(rank) > _RANK or rank == whole.code:
        return False
    number = number_of(code + rest.removeprefix("0"))
    if rest.startswith("0"):
        return number.valid
    # A mobile number may go on as a short one begins: `676 6501234` in Austria.
    goes_on = whole.mobile and len(rest) < _MOBILE
    return number.valid and not number.landline and not goes_on


def _long(cut: Cut) -> bool:
    return cut.at >= _WHOLE


def _may_be_whole(first: str, rest: str, cut: Cut, whole: Number) -> bool:
    """Whether a number that no plan has may end there, and another ending of it follow."""
    if len(first) - len(whole.code) < _WHOLE:
        return False
    if cut.gap is Gap.STRONG:
        return not (whole.valid and number_of(first).wrong)
    ending = len(rest) <= _ENDING and cut.group > _PAIR
    return ending and not whole.valid and not number_of(first).wrong


def _second(rest: str, whole: Number) -> Iterator[str]:
    """What a second number could be from abroad."""
    if rest.startswith(_ZEROS):
        yield rest.removeprefix(_ZEROS)
    yield whole.code + rest


def _with_doubled_code(found: Number, code: str) -> str | None:
    """The mobile number that a number is whose country code stands there twice, if it is one."""
    national = found.national
    if len(national) <= _LONGEST_LANDLINE or not national.startswith(code):
        return None
    other = number_of(national)
    return other.text if other.mobile and found.code == code else None
