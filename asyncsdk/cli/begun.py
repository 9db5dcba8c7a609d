"""What a journal says of the upload that it was begun with."""

from __future__ import annotations

import inspect
import json
import os
import shlex
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec
from attrs import frozen

from asyncsdk.errors import JournalError
from asyncsdk.ledger.journal.database import damage_detected, is_journal
from asyncsdk.ledger.journal.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Begun", "arguments", "begun", "differing", "going_on", "read"]

_OPTIONS = {"columns": "--map", "kind": "--format"}
_BEFORE = {"mapping": "columns"}
"""What arguments were called in journals of earlier versions."""
_HOW = frozenset(
    {"files", "batch_size", "concurrency", "rate", "on_unknown", "quiet_period", "max_bytes"}
)
"""What does not change which phones are sent: an upload may go on with others."""


_OUTPUT = frozenset({*("journal", "rejects", "report", "html", "group", "create_group", "return")})
"""What is never taken from a journal: where to write, and to which group."""


@frozen
class Begun:
    """An upload that a journal is of."""

    command: dict[str, Any]
    """The arguments of `asyncsdk upload`; empty where a program made the upload."""
    group: int | None
    complete: bool
    """Whether it came to its end."""
    requests: int
    """Requests that were begun."""
    answers: list[list[str]]
    """What was asked and answered when it began (see `asyncsdk.cli.asking.Answers`)."""

    @property
    def piped(self) -> bool:
        """Whether its list came from standard input."""
        return "-" in self.command.get("files", ())

    def typed(self, upload: Callable[..., None]) -> str:
        """Its command as it is typed, as far as it differs from the defaults; not the journal."""
        defaults = inspect.signature(upload).parameters
        words = ["asyncsdk", "upload", *self.command["files"], "--group", str(self.group)]
        for name, value in self.command.items():
            if name in defaults and name != "files" and value != defaults[name].default:
                for one in value if isinstance(value, list) else [value]:
                    words += [_option(name, value)] + ([] if isinstance(one, bool) else [str(one)])
        return shlex.join(words)


def begun(path: Path | None) -> Begun | None:
    """The upload of a journal; None if there is none yet."""
    if path is None or not is_journal(path):
        return None
    try:
        return read(path)
    except JournalError:  # who writes to it will tell
        return None


def read(path: Path) -> Begun:
    """The same.

    Raises:
        JournalError: There is no journal, or it cannot be read.
    """
    reader = Reader(path)
    try:
        notes, run = reader.meta("notes"), reader.run()
    finally:
        reader.close()
    with damage_detected(path):
        noted = msgspec.convert(json.loads(notes or "{}"), dict[str, Any])
        answers = msgspec.convert(noted.get("answers", []), list[list[str]])
        return Begun(_command_in(noted), run.group_id, run.complete, run.requests, answers)


def _command_in(found: Mapping[str, Any]) -> dict[str, Any]:
    """The command that is noted; empty where a program made the upload.

    Raises:
        msgspec.DecodeError: It is none.
    """
    if "upload" not in found:
        return {}
    noted = msgspec.convert(found["upload"], dict[str, Any])
    command = {_BEFORE.get(name, name): value for name, value in noted.items()}
    if "sheet" in command and not isinstance(command["sheet"], list):  # there was one at most
        command["sheet"] = [command["sheet"]] if command["sheet"] else []
    msgspec.convert(command.get("files"), list[str])
    return command


def arguments(command: Mapping[str, Any], function: Callable[..., None]) -> dict[str, Any]:
    """The arguments of a command that is noted, if each is one that it has, of its kind.

    Raises:
        msgspec.DecodeError: They are not: no version wrote that, or a later one did.
    """
    kinds = get_type_hints(function)
    return {name: _converted(value, name, kinds) for name, value in command.items()}


def _converted(value: object, name: str, kinds: Mapping[str, Any]) -> Any:
    if name not in kinds or name in _OUTPUT:
        msg = f"there is no argument {name!r}"
        raise msgspec.ValidationError(msg)
    return msgspec.convert(value, kinds[name])


def going_on(path: Path) -> str:
    """How the upload of a journal goes on."""
    found = begun(path)
    if found is not None and not found.command:
        return f"the same call of client.phones.upload with journal={os.fspath(path)!r} goes on"
    return f"'asyncsdk resume {path}' goes on"


def differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The options that decide what is sent, where they are not those of the command before."""
    return [
        _option(name, now[name])
        for name in now
        if name not in _HOW and name in before and _plain(before[name]) != _plain(now[name])
    ]


def _option(name: str, value: object) -> str:
    if name == "header" and value is False:
        return "--no-header"
    return _OPTIONS.get(name, f"--{name.replace('_', '-')}")


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value
