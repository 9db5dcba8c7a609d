"""A form with a file in it, read as it comes: the file is written to the disk, not to memory first.

For browsers without script; those with it send the file alone.
"""

from __future__ import annotations

from collections import deque
from email.message import Message
from typing import TYPE_CHECKING

from attrs import define, field, frozen
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from asyncsdk.web.errors import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

__all__ = ["FilePart", "Part", "parts"]

_LONGEST = 10_000
"""Bytes of a field at most."""
_MOST = 100
"""Fields at most."""
_NO_FORM = "this is no form with a file: open the upload page and choose the file there"
_CUT = "the rest of the file did not come: send it once more"


@frozen
class FilePart:
    """A file begins: the bytes that follow are its."""

    name: str
    """What the browser calls it."""


Part = tuple[str, str] | FilePart | bytes | None
"""A field with its text, a file, some of its bytes, or its end."""


@define
class _Reader:
    """What the parser found and nobody has taken yet."""

    found: deque[Part] = field(factory=deque)
    _headers: list[tuple[bytes, bytes]] = field(factory=list)
    _header: list[bytes] = field(factory=lambda: [b"", b""])
    _name: str = ""
    _text: bytearray | None = None
    """Of the field that is being read; None in a file."""
    _fields: int = 0
    ended: bool = False
    """Whether the form came whole."""

    def on_part_begin(self) -> None:
        self._headers, self._header = [], [b"", b""]
        self._fields += 1
        if self._fields > _MOST:
            raise FileRefusedError(_NO_FORM)

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def on_header_end(self) -> None:
        self._headers.append((self._header[0].lower(), self._header[1]))
        self._header = [b"", b""]

    def on_headers_finished(self) -> None:
        said = dict(self._headers).get(b"content-disposition", b"")
        message = Message()
        message["Content-Disposition"] = said.decode("utf-8", "replace").replace("\n", " ")
        self._name = str(message.get_param("name", "", "content-disposition"))
        if message.get_param("filename", None, "content-disposition") is not None:
            self._text = None
            self.found.append(FilePart(message.get_filename("") or ""))
        else:
            self._text = bytearray()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._text is None:
            self.found.append(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > _LONGEST:
            raise FileRefusedError(_NO_FORM)

    def on_end(self) -> None:
        self.ended = True

    def on_part_end(self) -> None:
        text = self._text
        self.found.append(None if text is None else (self._name, text.decode("utf-8", "replace")))


async def parts(stream: AsyncIterable[bytes], content_type: str) -> AsyncGenerator[Part, None]:
    """What a form has, in its order: fields with their texts, files, pieces of them, their end.

    Args:
        stream: The body of a request.
        content_type: The header that says how its parts are separated.

    Raises:
        FileRefusedError: It is no such form.
    """
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_param("boundary")
    if message.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise FileRefusedError(_NO_FORM)
    reader = _Reader()
    names = (
        *("on_part_begin", "on_part_data", "on_part_end", "on_header_field"),
        *("on_header_value", "on_header_end", "on_headers_finished", "on_end"),
    )
    parser = MultipartParser(boundary, {name: getattr(reader, name) for name in names})  # type: ignore[arg-type]
    try:
        async for chunk in stream:
            parser.write(chunk)
            while reader.found:
                yield reader.found.popleft()
    except MultipartParseError as error:
        raise FileRefusedError(_NO_FORM) from error
    if not reader.ended:  # nor is its file whole, then
        raise FileRefusedError(_CUT)
