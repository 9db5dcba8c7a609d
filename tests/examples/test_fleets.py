"""The recipes for engines, each run for real."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asyncsdk import UploadReport
from tests.effort import effort
from tests.integrations.redis_server import RedisServer
from tests.parts import module
from tests.rig import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncsdk.testing import SandboxThread

EXAMPLES = Path(__file__).parents[2] / "examples"
PHONES = 400


@pytest.fixture
def variables(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """Of all processes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with RedisServer(port) as redis:
        path = f"{EXAMPLES.parent}:{os.environ.get('PYTHONPATH', '')}"
        yield {**os.environ, **environment, "ASYNCSDK_REDIS_URL": redis.tcp_url, "PYTHONPATH": path}


@pytest.fixture
def lists(tmp_path: Path) -> list[str]:
    """Lists, each of them a partition."""
    found, count = numbers(PHONES), effort(2, 4)
    paths = [tmp_path / f"list-{index}.csv" for index in range(count)]
    for index, path in enumerate(paths):
        path.write_text("phone\n" + "\n".join(found[index::count]) + "\n")
    return [str(path) for path in paths]


def assert_done(sandbox: SandboxThread, state: Path) -> None:
    report = UploadReport.open_all(state)
    assert report.complete
    assert report.created_count == PHONES
    assert sorted(commit.phone for commit in sandbox.commits) == sorted(numbers(PHONES))


def run(example: str, state: Path, group: int, lists: list[str], env: dict[str, str]) -> str:
    """What an example prints."""
    words = [sys.executable, str(EXAMPLES / example), str(state), str(group), *lists]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)  # they start a cluster
@pytest.mark.parametrize(("example", "engine"), [("dask", "distributed"), ("ray", "ray")])
def test_one_program_drives_a_cluster(
    example: str,
    engine: str,
    sandbox: SandboxThread,
    variables: dict[str, str],
    lists: list[str],
    tmp_path: Path,
) -> None:
    module(engine)
    group = sandbox.add_group("people")
    told = run(f"fleet_{example}.py", tmp_path / "state", group, lists, variables)
    assert "400 phones: 400 created" in told
    assert_done(sandbox, tmp_path / "state")


@pytest.mark.slow
@pytest.mark.timeout(600)  # they start a cluster
def test_spark_runs_the_partitions(
    sandbox: SandboxThread, variables: dict[str, str], lists: list[str], tmp_path: Path
) -> None:
    module("pyspark")
    group = sandbox.add_group("people")
    local = variables | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    told = run("fleet_spark.py", tmp_path / "state", group, lists, local)
    assert "400 phones: 400 created" in told
    assert_done(sandbox, tmp_path / "state")


@pytest.mark.slow
@pytest.mark.timeout(600)  # they start a cluster
def test_celery_runs_the_partitions(
    sandbox: SandboxThread, variables: dict[str, str], lists: list[str], tmp_path: Path
) -> None:
    module("celery")
    group = sandbox.add_group("people")
    with celery_worker(variables):
        told = run("fleet_celery.py", tmp_path / "state", group, lists, variables)
    assert "400 phones: 400 created" in told
    assert_done(sandbox, tmp_path / "state")


@contextmanager
def celery_worker(env: dict[str, str]) -> Iterator[None]:
    words = [sys.executable, "-m", "celery", "-A", "fleet_celery", "worker", "--concurrency", "2"]
    with subprocess.Popen(
        words, cwd=EXAMPLES, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as worker:
        try:
            yield
        finally:
            worker.terminate()


# -- whatever starts processes -------------------------------------------------------------


def test_the_slurm_script_runs_each_of_an_array(
    sandbox: SandboxThread, variables: dict[str, str], lists: list[str], tmp_path: Path
) -> None:
    state, count = planned(sandbox, variables, lists, tmp_path)
    words = ["sh", str(EXAMPLES / "fleet_slurm.sh"), str(state)]
    for index in range(count):
        run_here(words, variables | {"SLURM_ARRAY_TASK_ID": str(index)}, tmp_path)
    assert_done(sandbox, state)


@pytest.mark.slow
def test_the_kubernetes_job_runs_each_of_its_pods(
    sandbox: SandboxThread, variables: dict[str, str], lists: list[str], tmp_path: Path
) -> None:
    state, count = planned(sandbox, variables, lists, tmp_path)
    job = module("yaml").safe_load((EXAMPLES / "fleet_kubernetes.yaml").read_text())
    assert (job["kind"], job["spec"]["completionMode"]) == ("Job", "Indexed")
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "state", "mountPath": "/state"} in container["volumeMounts"]
    words = [str(state) if word == "/state" else word for word in container["command"]]
    for index in range(count):
        run_here(words, variables | {"JOB_COMPLETION_INDEX": str(index)}, tmp_path)
    assert_done(sandbox, state)


def planned(
    sandbox: SandboxThread, env: dict[str, str], lists: list[str], folder: Path
) -> tuple[Path, int]:
    """A plan made on the command line, and how many partitions it has."""
    state = folder / "state"
    group = str(sandbox.add_group("people"))
    told = run_here(
        ["asyncsdk", "plan", str(state), *lists, "--group", group, "--json"], env, folder
    )
    return state, len(json.loads(told)["partitions"])


def run_here(words: list[str], env: dict[str, str], folder: Path) -> str:
    """What a command prints that calls `asyncsdk`, as it is in this checkout."""
    command = folder / "asyncsdk"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m asyncsdk.cli "$@"\n')
    command.chmod(0o755)
    path = {"PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(words, env=env | path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
