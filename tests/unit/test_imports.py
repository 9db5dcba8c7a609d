"""Importing the package, and using it, loads nothing that is not needed."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

EXTRAS = {
    "calamine",
    "dask",
    "fastapi",
    "jinja2",
    "opentelemetry",
    "pandas",
    "phonenumbers",
    "polars",
    "python_calamine",
    "redis",
    "rich",
    "sqlite3",
    "sse_starlette",
    "starlette",
    "typer",
    "uvicorn",
    "uvloop",
}
FOR_TESTS = {"hypothesis", "mypy", "pexpect", "pytest", "trustme"}
ON_DEMAND = {
    "asyncsdk.cli",
    "asyncsdk.export",
    "asyncsdk.integrations",
    "asyncsdk.sandbox",
    "asyncsdk.sources",
    "asyncsdk.testing",
}


def loaded(code: str) -> set[str]:
    """The modules, and the packages above them, that a new interpreter has after this code."""
    told = f"{textwrap.dedent(code)}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-W", "error", "-c", told], capture_output=True, text=True, check=True
    )
    names: list[str] = json.loads(done.stdout)
    return {".".join(name.split(".")[:i]) for name in names for i in range(1, name.count(".") + 2)}


@pytest.mark.parametrize(
    "code",
    [
        "import asyncsdk",
        "from asyncsdk import *",
        "import asyncsdk; asyncsdk.Client('1', 'key').phones.upload(7, ['+491601'])",
        "import asyncsdk.sources",
    ],
)
def test_no_extra_is_loaded_before_it_is_used(code: str) -> None:
    assert not loaded(code) & (EXTRAS | FOR_TESTS)


def test_importing_the_package_leaves_out_what_is_loaded_on_demand() -> None:
    assert not loaded("import asyncsdk") & ON_DEMAND


def test_nor_does_the_sandbox_need_an_extra() -> None:
    assert not loaded("import asyncsdk.sandbox") & (EXTRAS | FOR_TESTS)


def test_normalizing_loads_phonenumbers() -> None:
    code = """
        import asyncsdk
        asyncsdk.Client("1", "key").phones.upload(7, ["+491601"], normalize="DE")
    """
    assert "phonenumbers" in loaded(code)


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_the_command_line_says_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from asyncsdk.cli import main; main()"
    done = subprocess.run(  # noqa: S603 - likewise
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "asyncsdk[cli]" in done.stderr
    assert "Traceback" not in done.stderr


def test_normalizing_without_the_extra_says_what_to_install() -> None:
    code = """
        import sys
        sys.modules["phonenumbers"] = None
        import asyncsdk
        try:
            asyncsdk.Client("1", "key").phones.upload(7, ["+491601"], normalize="DE")
        except ImportError as error:
            assert "asyncsdk[phone]" in str(error), error
        else:
            raise AssertionError
    """
    loaded(code)


def test_importing_starts_no_thread_and_needs_no_event_loop() -> None:
    code = """
        import threading
        import asyncsdk
        asyncsdk.Client("1", "key")
        assert threading.active_count() == 1
    """
    loaded(code)


def test_importing_configures_no_logging() -> None:
    code = """
        import logging
        import asyncsdk
        assert not logging.getLogger().handlers
        assert logging.getLogger("asyncsdk").level == logging.NOTSET
    """
    loaded(code)
