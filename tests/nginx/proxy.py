"""A real nginx in front of the sandbox."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.parts import command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

__all__ = ["nginx"]

_CONFIG = """
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    limit_req_zone $server_port zone=all:1m rate=50r/s;
    server {{
        listen 127.0.0.1:{port};
        {server}
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            {location}
        }}
    }}
}}
"""


@asynccontextmanager
async def nginx(
    home: Path, upstream: int, *, server: str = "", location: str = ""
) -> AsyncIterator[str]:
    """An nginx before the port `upstream`, with these lines in its configuration; gives its URL."""
    program = command("nginx")
    port = _free_port()
    config = home / "nginx.conf"
    config.write_text(
        _CONFIG.format(home=home, port=port, upstream=upstream, server=server, location=location)
    )
    process = await asyncio.create_subprocess_exec(
        program, "-p", str(home), "-c", str(config), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _accepting(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def _accepting(port: int) -> None:
    """Return once something accepts connections there."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return
