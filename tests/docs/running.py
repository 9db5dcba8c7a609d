"""Runs a page: writes its files, executes its commands and its Python, compares what they print."""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import json
import linecache
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from contextlib import ExitStack, redirect_stdout
from typing import TYPE_CHECKING, Any

import yaml

from asyncsdk.testing import SandboxThread
from tests.docs.pages import ROOT, pieces
from tests.docs.postgres import postgres
from tests.docs.standins import write_standins
from tests.integrations.redis_server import RedisServer
from tests.network.squid import squid
from tests.parts import command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from tests.docs.pages import Piece

__all__ = ["PageRun"]

_AWAITS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_PATIENCE = 60
"""Seconds until something that a page starts must answer, or end."""
_MEASURED = re.compile(
    r"\d+(?:\.\d+)? ?s\b|[\d,.]+ a second|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?"
)
"""What differs from run to run, and stands in a page as it was once."""


class PageRun:
    """One run of a page, in a folder of its own, beside a sandbox that has the group 7116."""

    def __init__(self, page: str, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.ran = 0
        """Pieces that were executed or checked."""
        self._stack = ExitStack()
        self._said = ""
        """What the last piece printed."""
        self._expected: dict[str, str] = {}
        """What comments say of the next piece."""
        self._words = {"8000": str(_free_port())}
        """What a page says, and what stands for it here."""
        self._environment = dict(os.environ)
        self._environment.pop("PYTEST_ADDOPTS", None)  # a page runs tests of its own
        self._names: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._served = self._stack.enter_context(ExitStack())
        self._runner = self._stack.enter_context(asyncio.Runner())
        sandbox = self._stack.enter_context(SandboxThread())
        group = sandbox.add_group("example")
        self._words["7116"] = str(group)
        path = [write_standins(self.folder.parent), os.path.dirname(sys.executable)]  # noqa: PTH120
        self._environment |= {
            "ASYNCSDK_BASE_URL": sandbox.url,
            "ASYNCSDK_CLIENT_ID": sandbox.client_id,
            "ASYNCSDK_API_KEY": sandbox.api_key,
            "PATH": os.pathsep.join([*path, os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(ROOT), "."]),
            "PYTHONWARNINGS": "default",
            "COLUMNS": "80",
            "NO_COLOR": "1",
        }
        self._names |= {
            "__name__": "page",
            "environment": self._environment,
            "folder": self.folder,
            "sandbox": sandbox,
        }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def run(self) -> None:
        """Run all of it, from top to bottom."""
        for piece in pieces(self.page):
            try:
                self._step(piece)
            except Exception as error:
                error.add_note(f"{self.page}, line {piece.line}")
                raise

    def _step(self, piece: Piece) -> None:
        text = self._worded(piece.text)
        if piece.comment and piece.kind != "hidden":
            self._expected[piece.kind] = text
            if piece.kind == "needs":
                self._need(text)
            return
        self.ran += not piece.comment
        if piece.title:
            self._write(piece.title, text)
        else:
            _RUNS["python" if piece.comment else piece.kind](self, text, piece.line)

    def _worded(self, text: str) -> str:
        for word, stands_for in self._words.items():
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", stands_for, text)
        return text

    def _need(self, service: str) -> None:
        """Start what the page says is there: a word of it then stands for the real one."""
        if service == "redis":
            redis = self._stack.enter_context(RedisServer())
            self._words["redis://localhost:6379/0"] = redis.url
        elif service == "postgres":
            self._environment["DATABASE_URL"] = self._stack.enter_context(postgres())
        elif service == "proxy":
            running = squid("open")
            proxy = self._names["proxy"] = self._runner.run(running.__aenter__())
            self._stack.callback(lambda: self._runner.run(running.__aexit__(None, None, None)))
            self._words["http://proxy.example:3128"] = proxy.url()
        else:
            msg = f"there is no {service} to be had"
            raise ValueError(msg)

    def _write(self, title: str, text: str) -> None:
        path = self.folder / title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if title.endswith(".py"):
            compile(text, title, "exec")

    # -- the kinds of pieces ------------------------------------------------------------------

    def python(self, text: str, line: int) -> None:
        """Execute it, with the names of the pieces before it; `await` may stand anywhere."""
        name = f"<{self.page}:{line}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        code = compile(text, name, "exec", flags=_AWAITS, dont_inherit=True)
        output = io.StringIO()
        before, place = dict(os.environ), os.getcwd()  # noqa: PTH109
        os.environ.update(self._environment)
        os.chdir(self.folder)
        try:
            with redirect_stdout(output):
                found = eval(code, self._names)  # noqa: S307 - our own pages
                if inspect.iscoroutine(found):
                    self._runner.run(found)
        finally:
            os.chdir(place)
            os.environ.clear()
            os.environ.update(before)
        self._said = output.getvalue()

    def shell(self, text: str, _line: int) -> None:
        """Execute it; what it exports holds for the pieces after it."""
        if "serve" in self._expected:
            self._serve(text, self._expected.pop("serve"))
            return
        kept = self.folder.parent / "environment"
        script = f"trap 'env -0 >{kept}' EXIT\n{text}"
        done = subprocess.run(
            [command("bash"), "-e", "-c", script],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        assert done.returncode == int(self._expected.pop("exit", "0")), done.stdout
        self._said = done.stdout
        pairs = (pair.split("=", 1) for pair in kept.read_text().split("\0") if pair)
        self._environment.update(pairs)  # type: ignore[arg-type]

    def _serve(self, text: str, address: str) -> None:
        """Start what goes on until the next such, or the page, ends; wait until it answers."""
        self._served.close()
        log = self._served.enter_context((self.folder.parent / "served.log").open("w+"))
        process = subprocess.Popen(
            [command("bash"), "-c", f"exec {text.strip()}"],
            cwd=self.folder,
            env=self._environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._served.callback(_end, process)
        host, _, port = address.rpartition(":")
        until = time.monotonic() + _PATIENCE
        while not _answers(host, int(port)):
            if process.poll() is not None or time.monotonic() > until:
                log.seek(0)
                msg = f"nothing answers at {address}:\n{log.read()}"
                raise AssertionError(msg)
            time.sleep(0.05)

    def output(self, text: str, _line: int) -> None:
        """What the piece before printed, but for what was measured; `…` stands for anything."""
        wanted, found = _comparable(text), _comparable(self._said)
        pattern = ".*?".join(re.escape(part) for part in wanted.split("…"))
        assert re.fullmatch(pattern, found, re.DOTALL), f"printed was:\n{self._said}"

    def json(self, text: str, _line: int) -> None:
        """It is well-formed."""
        json.loads(text)

    def toml(self, text: str, _line: int) -> None:
        """It is well-formed."""
        tomllib.loads(text)

    def yaml(self, text: str, _line: int) -> None:
        """It is well-formed."""
        yaml.safe_load(text)


_RUNS: dict[str, Callable[[PageRun, str, int], None]] = {
    "python": PageRun.python,
    "sh": PageRun.shell,
    "text": PageRun.output,
    "json": PageRun.json,
    "toml": PageRun.toml,
    "yaml": PageRun.yaml,
}
"""What is done with a piece that is no file, by its language: there is none that is left out."""


def _comparable(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return _MEASURED.sub("<measured>", "\n".join(lines))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_PATIENCE)
    finally:
        process.kill()
