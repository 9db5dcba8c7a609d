"""A real redis-server of one test, which can be killed, stopped and started again."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.parts import command

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["PASSWORD", "RedisServer"]

PASSWORD = "the-password-of-redis"


class RedisServer:
    """Listens on a socket in a folder of its own, which goes with it.

    Args:
        port: Where it listens besides; 0: nowhere.
        options: More of its configuration, with "_" for "-".
    """

    def __init__(self, port: int = 0, **options: str) -> None:
        self.port = port
        self._options = {name.replace("_", "-"): value for name, value in options.items()}
        self.tcp_url = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
        self._folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self.path = self._folder / "redis.sock"
        self.url = f"unix://:{PASSWORD}@{self.path}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start it, with what it had saved."""
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "unixsocket": str(self.path),
            "dir": str(self._folder),
            "requirepass": PASSWORD,
            "save": "",
            "appendonly": "yes",
            "appendfsync": "no",
            "aof-load-truncated": "yes",
            **self._options,
        }
        arguments: list[str] = []
        for name, value in options.items():
            arguments += f"--{name}", *(value.split() or [""])
        self._process = subprocess.Popen(
            [command("redis-server"), *arguments], stdout=subprocess.DEVNULL
        )
        while self._ask("PING") != b"+PONG":
            assert self._process.poll() is None, "it does not start"
            time.sleep(0.01)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove what it has saved, while it does not run."""
        shutil.rmtree(self._folder / "appendonlydir", ignore_errors=True)

    def cut_back(self) -> None:
        """Take away the last third of what it has saved, while it does not run."""
        for file in (self._folder / "appendonlydir").glob("*.incr.aof"):
            saved = file.read_bytes()
            file.write_bytes(saved[: saved.rfind(b"*", 0, len(saved) * 2 // 3)])

    def saved(self) -> bytes:
        """All that it has written down."""
        files = (self._folder / "appendonlydir").iterdir()
        return b"".join(file.read_bytes() for file in sorted(files))

    def keys(self) -> list[str]:
        """What it holds, by name."""
        answer = self.ask_all("KEYS *").splitlines()
        return [line for line in answer if line.startswith("asyncsdk")]

    def ask_all(self, words: str) -> str:
        """All that it answers to a command."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.path))
            connection.sendall(f"AUTH {PASSWORD}\r\n{words}\r\nQUIT\r\n".encode())
            with connection.makefile("rb") as lines:
                return lines.read().decode()

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    def ask(self, words: str) -> bytes:
        """The first line that it answers to a command."""
        answer = self._ask(words)
        assert not answer.startswith(b"-"), answer
        return answer

    def _ask(self, words: str) -> bytes:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(self.path))
                connection.sendall(f"AUTH {PASSWORD}\r\n{words}\r\n".encode())
                with connection.makefile("rb") as lines:
                    lines.readline()
                    return lines.readline().rstrip()
        except OSError:
            return b""
