"""How the numbers of a list are read, as its user chooses it: several options that go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncsdk.config import Normalize
from asyncsdk.errors import ConfigurationError
from asyncsdk.sources.noted import NORMALIZE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["parse_normalize"]


def parse_normalize(options: Mapping[str, Any]) -> Normalize | None:
    """How numbers are read, as several options say it; None where they are sent as they are.

    Raises:
        ConfigurationError: They cannot work.
    """
    region, bare, mobile_only = (options.get(name, no) for name, no in NORMALIZE.items())
    if region is not None:
        return Normalize(region, bare=bare, mobile_only=mobile_only)
    for option, given in (("mobile_only", mobile_only), ("bare", bare)):
        if given:
            how = f"add --normalize DE, or whichever region the list is of, to --{option}"
            msg = f"{option} needs normalize: {how.replace('_', '-')}"
            raise ConfigurationError(msg)
    return None
