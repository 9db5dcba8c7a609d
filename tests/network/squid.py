"""A real squid as the forward proxy on the way to the sandbox."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from tests.network.process import Program, free_port, open_folder
from tests.parts import command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["PASSWORD", "USER", "Squid", "squid"]

USER = "ann"
PASSWORD = "pr0xy-s3cr3t"

_CONFIG = """
http_port 127.0.0.1:{port}
visible_hostname localhost
pid_filename none
access_log stdio:{home}/access.log
cache_log {home}/cache.log
cache deny all
cache_mem 8 MB
coredump_dir {home}
mime_table {usr}/share/squid/mime.conf
icon_directory {usr}/share/squid/icons
error_directory {usr}/share/squid/errors/templates
unlinkd_program {usr}/lib/squid/unlinkd
max_filedescriptors 1024
shutdown_lifetime 0 seconds
pinger_enable off
client_persistent_connections on
server_persistent_connections on
{rules}
http_access deny all
"""

_KNOWN = """
auth_param basic program /bin/sh {home}/known
auth_param basic children 1 startup=1 idle=1
acl known proxy_auth REQUIRED
http_access allow known
"""

_CHECK = f"""
while read -r user password; do
    if [ "$user $password" = "{USER} {PASSWORD}" ]; then echo OK; else echo ERR; fi
done
"""

RULES = {
    "open": "http_access allow all",
    "password": _KNOWN,
    "refusing": "http_access deny all",
}


@frozen
class Squid:
    """A squid that runs."""

    program: Program
    home: Path

    def url(self, credentials: str = "") -> str:
        """Where it is, with these credentials in it if any."""
        return f"http://{credentials}{'@' if credentials else ''}127.0.0.1:{self.program.port}"

    @property
    def log(self) -> list[str]:
        """What it was asked, a line each: status and method."""
        lines = (self.home / "access.log").read_text().splitlines()
        return [f"{fields[3].partition('/')[2]} {fields[5]}" for fields in map(str.split, lines)]


@asynccontextmanager
async def squid(rules: str) -> AsyncIterator[Squid]:
    """A squid with these rules, a name in `RULES`."""
    found = command("squid")
    with open_folder() as home:
        port = free_port()
        (home / "known").write_text(_CHECK)
        config = _CONFIG.format(port=port, home=home, usr=_usr(found), rules=RULES[rules])
        (home / "squid.conf").write_text(config.replace("{home}", str(home)))
        program = Program(found, "-N", "-f", str(home / "squid.conf"), port=port)
        async with program:
            yield Squid(program, home)


def _usr(found: str) -> Path:
    """Where its files are: `.ci/parts` may have unpacked it, with its starter in bin/."""
    installed = Path("/usr")
    there = (installed / "share" / "squid").exists()
    return installed if there else Path(found).parent.parent / "usr"
