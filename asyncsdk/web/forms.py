"""What a page's forms send, as the values that jobs take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import parse_qs

from asyncsdk.config import Duplicates, Existing
from asyncsdk.models import FIELDS
from asyncsdk.validators import MOST
from asyncsdk.web.errors import FileRefusedError
from asyncsdk.web.job import Choices

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Mapping, Sequence

__all__ = ["Form", "choices_of", "group_of", "read_form"]

_LONGEST = 1 << 18
"""Bytes of a form without files at most."""

Form = dict[str, list[str]]
"""The fields of a form, each with all its values."""


async def read_form(stream: AsyncIterable[bytes]) -> Form:
    """A form without files.

    Raises:
        FileRefusedError: It is far too long.
    """
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > _LONGEST:
            msg = "this form is too long: open the page again"
            raise FileRefusedError(msg)
    return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=1000)


def group_of(form: Mapping[str, Sequence[str]], before: str = "") -> dict[str, Any]:
    """The group that was chosen, as `UploadJobs.choose` takes it; empty where none was.

    Args:
        form: Has a group that is there, the name of a new one, or both.
        before: The name that the form came with: where it still has it, the other one was meant.
    """
    name = _one(form, "group_name").strip()
    number = _number(_one(form, "group_id"), MOST)
    if name and not (number and name == before):
        return {"group_name": name}
    return {"group_id": number} if number else {}


def choices_of(form: Mapping[str, Sequence[str]], before: Choices) -> Choices:
    """How a list is to be read, as it was chosen; what the form does not ask for stays."""
    columns = {name: column for name in FIELDS if (column := _column(form, name))}
    return Choices(
        columns=columns,
        country=_one(form, "country") or None,
        sheet=() if "again" in form else tuple(form.get("sheet", ())) or before.sheet,
        hidden="send" if "hidden" in form else "skip",
        format=before.format,
        delimiter=_DELIMITERS.get(_one(form, "delimiter")),
        encoding=_one(form, "encoding").strip() or None,
        header=_HEADER.get(_one(form, "header")),
        skip_lines=_number(_one(form, "skip_lines"), _MOST_LINES) or 0,
        normalize=_one(form, "normalize") or None,
        bare=_known(_one(form, "bare"), ("national", "international")),
        mobile_only="mobile_only" in form,
        duplicates=_known(_one(form, "duplicates"), get_args(Duplicates)) or "send",
        existing=_known(_one(form, "existing"), get_args(Existing)) or "send",
        send_unknown="send_unknown" in form,
    )


_MOST_LINES = 9999
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_HEADER = {"yes": True, "no": False}


def _one(form: Mapping[str, Sequence[str]], name: str) -> str:
    values = form.get(name, ())
    return values[-1] if values else ""


def _number(text: str, most: int) -> int | None:
    """The number that a text is; None where it is none, or too large."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= len(str(most))):
        return None
    return number if (number := int(digits)) <= most else None


def _column(form: Mapping[str, Sequence[str]], name: str) -> str:
    """The column of a field, and where that is empty, another one."""
    column, other = _one(form, name), _one(form, f"{name}_or")
    if not other:
        return column
    # The other one comes behind a column that was found and not chosen, too, not in its place.
    first = column or _one(form, f"{name}_found")
    return ",".join(dict.fromkeys(each for each in (first, other) if each))


def _known(value: str, known: Sequence[str]) -> Any:
    return value if value in known else None
