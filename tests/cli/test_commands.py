from __future__ import annotations

import re
import socket
import subprocess
import sys
import urllib.request

import pexpect
import pytest

from asyncsdk._version import __version__

from .kit import COMMAND, PLAIN, run


@pytest.mark.parametrize(
    "command",
    [
        *([], ["upload"], ["check"], ["report"], ["retry"], ["me"], ["sandbox"], ["demo"]),
        *(["groups"], ["groups", "list"], ["groups", "show"], ["groups", "create"]),
        *(["groups", "delete"], ["groups", "export"]),
    ],
)
def test_help_fits_80_columns_and_has_an_example(command: list[str]) -> None:
    done = run(*command, "--help")
    assert done.exit_code == 0
    assert f"Example: asyncsdk {' '.join(command)}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    "command",
    [
        *(["upload"], ["check"], ["report"], ["retry"], ["me"], ["sandbox"], ["demo"]),
        *(["groups", verb] for verb in ("list", "show", "create", "delete", "export")),
    ],
)
def test_every_command_speaks_to_machines_or_not_at_all_or_more(command: list[str]) -> None:
    told = run(*command, "--help").stdout
    assert all(option in told for option in ("--json", "--quiet", "-q", "--verbose", "-v"))
    assert "Exit codes:" in told or command[0] == "groups" or command == ["demo"]


def test_the_version() -> None:
    assert run("--version").stdout == f"asyncsdk {__version__}\n"


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_it_says_how_to_get_it(missing: str) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None; import asyncsdk.cli; asyncsdk.cli.main()"
    )
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "The command line needs its extra: pip install 'asyncsdk[cli]'\n"


def test_the_sandbox_is_served_until_ctrl_c() -> None:
    child = pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], "sandbox", "-v", "--port", "0", "--fault", "503:0.1", "--seed", "7"],
        encoding="utf-8",
        dimensions=(24, 80),
        env=PLAIN,
        timeout=60,
    )
    child.expect(r"export ASYNCSDK_BASE_URL=(\S+)")
    url = child.match.group(1)  # type: ignore[union-attr]
    child.expect(r"ASYNCSDK_CLIENT_ID=(\S+)")
    client_id = child.match.group(1)  # type: ignore[union-attr]
    child.expect(r"ASYNCSDK_API_KEY=(\S+)")
    key = child.match.group(1)  # type: ignore[union-attr]
    child.expect(r"--group (\d+)")
    request = urllib.request.Request(  # noqa: S310 - the sandbox's
        f"{url}/me", headers={"X-LOX24-AUTH-TOKEN": f"{client_id}:{key}"}
    )
    with urllib.request.urlopen(request) as reply:  # noqa: S310 - the sandbox's
        assert reply.status == 200
    child.expect("GET.* /me: .*200")
    child.sendintr()
    child.expect("Sandbox stopped")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize(
    "words", [["--fault", "503"], ["--fault", "no:0.1"], ["--style", "x"], ["--duplicates", "x"]]
)
def test_a_sandbox_that_cannot_be_is_a_usage_error(words: list[str]) -> None:
    done = run("sandbox", *words)
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: ")


def test_a_port_in_use_is_a_usage_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("sandbox", "--port", taken.getsockname()[1])
    assert done.exit_code == 2
    assert "--port 0 takes a free one" in done.stderr


def test_the_faults_are_listed() -> None:
    assert "reset-after" in run("sandbox", "--fault", "list").stdout


def test_the_demo_closes_its_books() -> None:
    done = run("demo", "--phones", 3000)
    assert done.exit_code == 0, done.output
    assert re.search(r"3,000 phones: 2,997 created, 3 invalid, 0 failed", done.stdout)
    assert "The accounts match" in done.stdout
