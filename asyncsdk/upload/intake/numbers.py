"""What an upload needs to know of the numbers of its list, so that some of them are not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncsdk.upload.intake.normalize import normalizer
from asyncsdk.upload.intake.skipping import Skipping
from asyncsdk.upload.intake.source import FramePhones

if TYPE_CHECKING:
    from asyncsdk.config import Duplicates, Existing, Normalize

__all__ = ["skipping_of"]


def skipping_of(
    phones: object, duplicates: Duplicates, existing: Existing, how: Normalize | None
) -> Skipping | None:
    """What knows the numbers that are not to be sent, if there are to be any.

    Args:
        phones: The source.
        duplicates: What to do with numbers that came before.
        existing: What to do with numbers that the group holds.
        how: How numbers are read.
    """
    if "skip" not in {duplicates, existing}:
        return None
    if how is None or existing == "send":
        return Skipping(duplicates == "skip")
    if how.country is not None or _says_country(phones):
        # Nobody knows the country of a number of the group that does not say it.
        return Skipping(duplicates == "skip")
    return Skipping(duplicates == "skip", normalizer(how).elsewhere)


def _says_country(phones: object) -> bool:
    """Whether a list that was read has a column that says the country of each row, or may have."""
    if isinstance(phones, FramePhones):
        return phones.may_say_country
    if not type(phones).__module__.startswith("asyncsdk.sources."):  # they are loaded when used
        return False
    lists: Any = phones
    return any("country" in part.mapping for part in lists.parts)
