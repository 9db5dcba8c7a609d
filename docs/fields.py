"""The fields of values, as the reference shows them: with what stands below each."""

from __future__ import annotations

from typing import Any

from griffe import Class, DocstringSectionParameters
from griffe_fieldz import FieldzExtension

__all__ = ["Fields"]

_STRUCTS = {"Value", "msgspec.Struct"}
"""Bases of structs, none of which is in the reference."""


class Fields(FieldzExtension):
    """Makes parameters of fields; the library prefers what a default's factory says of itself."""

    def on_class_members(self, *, cls: Class, **about: Any) -> None:
        """See `griffe.Extension`."""
        if _STRUCTS.intersection(map(str, cls.bases)):
            return  # its types may be known to the type checker alone
        texts = {name: field.docstring for name, field in cls.attributes.items()}
        super().on_class_members(cls=cls, **about)
        taken = texts.keys() - cls.attributes.keys()
        if cls.docstring is None or not taken:
            return
        for section in cls.docstring.parsed:
            if isinstance(section, DocstringSectionParameters):
                for parameter in section.value:
                    if (text := texts.get(parameter.name)) is not None:
                        parameter.description = text.value
