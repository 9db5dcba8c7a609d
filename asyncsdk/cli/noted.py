"""The options that a rejects file notes, as they are typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["typed"]


def typed(options: Mapping[str, str | bool]) -> str:
    """Options as they are typed."""
    return " ".join(
        f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}")
        for name, value in options.items()
    )
