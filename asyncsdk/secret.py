"""Keys that no repr, traceback, log or pickle shows."""

from __future__ import annotations

from hmac import compare_digest
from typing import Never

__all__ = ["Hidden", "Secret"]

_SHOWN = "'**********'"


def _refuse(kind: str) -> Never:
    msg = f"a {kind} is not pickled: the key would stand there in clear"
    raise TypeError(msg)


class Hidden(str):
    """A text that a library takes, and that whoever prints its locals does not see."""

    __slots__ = ()

    def __repr__(self) -> str:
        return _SHOWN

    def __reduce_ex__(self, _: object) -> Never:
        _refuse("hidden text")

    def __copy__(self) -> Hidden:
        return self

    def __deepcopy__(self, _: object) -> Hidden:
        return self


class Secret:
    """A text that must be asked for in so many words; what is printed of it is stars.

    Args:
        text: The text, or another secret.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str | Secret) -> None:
        self._text = text.reveal() if isinstance(text, Secret) else Hidden(text)

    def reveal(self) -> Hidden:
        """The text itself, for where it leaves."""
        return self._text

    def __repr__(self) -> str:
        return _SHOWN

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        return _SHOWN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (str, Secret)):
            return NotImplemented
        texts = (self._text, Secret(other)._text)
        return compare_digest(*(text.encode(errors="surrogatepass") for text in texts))

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce_ex__(self, _: object) -> Never:
        _refuse("secret")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: object) -> Secret:
        return self
