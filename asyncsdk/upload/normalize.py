"""Numbers in E.164 form, by phonenumbers (the extra `phone`)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from asyncsdk.errors import ConfigurationError
from asyncsdk.models import Problem, Violation

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["normalizer"]

_INVISIBLE = dict.fromkeys(
    [
        *(0xAD, 0x61C, 0x180E, 0xFEFF),  # soft hyphen, marks, zero-width no-break space
        *range(0x200B, 0x2010),  # zero-width characters and direction marks
        *range(0x202A, 0x202F),  # embeddings and overrides
        *range(0x2060, 0x206A),  # word joiner, isolates
    ]
)
"""Characters that are pasted along with a number and never seen."""

_APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"
"""What a spreadsheet puts before a number to keep it a text."""


@cache
def normalizer(region: str | None) -> Callable[[str], str | Problem] | None:
    """What turns a number into its E.164 form, or says why it is none; None where not asked for.

    Args:
        region: The region that numbers without a country code belong to, such as `"DE"`.

    Raises:
        ImportError: phonenumbers is not installed.
        ConfigurationError: There is no such region.
    """
    if region is None:
        return None
    try:
        import phonenumbers  # noqa: PLC0415 - an extra, imported only when used
    except ImportError as error:
        msg = "normalize= needs phonenumbers: pip install 'asyncsdk[phone]'"
        raise ImportError(msg) from error
    if region not in phonenumbers.SUPPORTED_REGIONS:
        msg = f"normalize must be a region such as 'DE' or 'AT', not {region!r}"
        raise ConfigurationError(msg)

    def normalize(number: str) -> str | Problem:
        text = number.translate(_INVISIBLE).strip().lstrip(_APOSTROPHES)
        try:
            parsed = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException as error:
            return _no_number(str(error))
        # A number that can be dialled locally alone (110, 5551234) has no E.164 form.
        reason = phonenumbers.is_possible_number_with_reason(parsed)
        if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
            return _no_number(f"not a possible number in {region}")
        formatted: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        return formatted

    return normalize


def _no_number(reason: str) -> Problem:
    return Problem("Invalid phone", violations=(Violation("phone", reason, "no-number"),))
