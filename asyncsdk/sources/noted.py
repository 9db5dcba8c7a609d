"""The options that a rejects file holds, so that it is uploaded as its list was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncsdk.config import Normalize
from asyncsdk.errors import ConfigurationError
from asyncsdk.sources.picking import COUNTRY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asyncsdk.sources.rejects import Note
    from asyncsdk.sources.table import Source

__all__ = ["NORMALIZE", "as_noted", "as_options", "to_note"]

NORMALIZE: dict[str, object] = {"normalize": None, "bare": None, "mobile_only": False}
"""The options that say together how numbers are read, and what they are where nothing is said."""
_DEFAULTS: dict[str, object] = {**NORMALIZE, "duplicates": "send", "existing": "send"}
"""Those, and the others that decide which phones are sent."""


def to_note(options: Mapping[str, Any]) -> dict[str, str | bool]:
    """Those of an upload that are to hold again, as a file notes them.

    Args:
        options: As `client.phones.upload` takes them; `bare`, `mobile_only` and the column of the
            `country` may stand alone.
    """
    how = options.get("normalize")
    if isinstance(how, Normalize):
        options = {
            **options,
            "normalize": how.region,
            "bare": how.bare,
            "mobile_only": how.mobile_only,
            COUNTRY: how.country,
        }
    return {
        name: options[name]
        for name, default in {**_DEFAULTS, COUNTRY: None}.items()
        if isinstance(options.get(name), (str, bool)) and options[name] != default
    }


def as_noted(source: Source, options: Mapping[str, Any]) -> dict[str, str | bool]:
    """Those that a rejects file notes, and that its upload does not say by itself.

    Args:
        source: The list, or several.
        options: Those of the upload.

    Raises:
        ConfigurationError: There are several lists, and not all of them note the same.
    """
    unsaid = {name for name, default in _DEFAULTS.items() if options.get(name) == default}
    found = [_among(unsaid & options.keys(), part.noted) for part in source.parts]
    for part, other in zip(source.parts, found, strict=True):
        if other != found[0]:
            msg = (
                f"{source.parts[0].path} and {part.path} are to be uploaded with different options "
                f"({_named(found[0])}; {_named(other)}): upload each by itself, or say which "
                "options hold for all of them"
            )
            raise ConfigurationError(msg)
    return found[0]


def as_options(noted: Mapping[str, str | bool], region: object) -> dict[str, Any]:
    """What a file notes, as `client.phones.upload` takes it.

    Args:
        noted: What `as_noted` found.
        region: That of the upload, if it says one.

    Raises:
        ConfigurationError: It makes no sense.
    """
    options: dict[str, Any] = {k: value for k, value in noted.items() if k not in NORMALIZE}
    how: dict[str, Any] = {name: noted[name] for name in NORMALIZE if name in noted}
    found = how.pop("normalize", region)
    return options | ({"normalize": Normalize(found, **how)} if isinstance(found, str) else {})


def _among(names: Iterable[str], note: Note) -> dict[str, str | bool]:
    return {
        name: value
        for name, value in note.items()
        if name in names and isinstance(value, (str, bool))
    }


def _named(options: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in options.items()) or "none"
