"""The queries for Prometheus and Grafana, asked of a real Prometheus that looks at a program."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from asyncsdk.sandbox import Faults
from asyncsdk.testing import SandboxThread
from tests.docs.pages import ROOT, pieces
from tests.parts import command
from tests.telemetry.test_metrics import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = "docs/pages/how-to/telemetry.md"
DASHBOARD = json.loads((ROOT / "docs/pages/assets/dashboard.json").read_text(encoding="utf-8"))
_PROGRAM = """
import asyncio, sys
from asyncsdk import Client, RetryPolicy
from opentelemetry import metrics
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import start_http_server

async def main(url, key, group):
    metrics.set_meter_provider(MeterProvider([PrometheusMetricReader()]))
    server, _ = start_http_server(0, addr="127.0.0.1")
    print(server.server_port, flush=True)
    async with Client(1234567, key, base_url=url, rate=None) as client:
        retry = RetryPolicy(base=0.001)
        numbers = [*(f"+49160{n:07}" for n in range(200)), ""]
        while True:
            await client.phones.upload(group, numbers, batch_size=20, retry=retry)
            await asyncio.sleep(0.1)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@contextmanager
def observed(folder: Path) -> Iterator[str]:
    """The address of a Prometheus that looks at a program which uploads again and again."""
    faults = Faults({"503": 0.2, "reset-after": 0.1, "500": 0.1}, seed=1)
    with SandboxThread(faults=faults) as box:
        group = str(box.add_group())
        arguments = [sys.executable, "-c", _PROGRAM, box.url, box.api_key, group]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            try:
                target = f"127.0.0.1:{program.stdout.readline().strip()}"
                with collecting(folder, target) as address:
                    yield address
            finally:
                program.kill()


@contextmanager
def collecting(folder: Path, target: str) -> Iterator[str]:
    """The address of a Prometheus that looks at this target twice a second."""
    scraped = {
        "job_name": "asyncsdk",
        "scrape_interval": "500ms",
        "static_configs": [{"targets": [target]}],
    }
    settings = folder / "prometheus.yml"
    settings.write_text(yaml.safe_dump({"scrape_configs": [scraped]}), encoding="utf-8")
    log = folder / "prometheus.log"
    options = (f"--config.file={settings}", f"--storage.tsdb.path={folder / 'data'}")
    with log.open("w") as stream:
        process = subprocess.Popen(
            [command("prometheus"), *options, "--web.listen-address=127.0.0.1:0"], stderr=stream
        )
    try:
        yield f"http://{_address(process, log)}"
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it listens, once it answers there: it says both, in either order."""
    while True:
        said = log.read_text()
        found = re.search(r'msg="Listening on" (?:\S+ )*address=(\S+)\n', said)
        if found and 'msg="Server is ready' in said:
            return found[1]
        assert process.poll() is None, said
        time.sleep(0.05)


def asked(address: str, query: str) -> list[dict[str, Any]]:
    """What Prometheus answers to a query."""
    words = urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(f"{address}/api/v1/query?{words}", timeout=10) as reply:
        answer = json.load(reply)
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def queries() -> list[str]:
    """Those of the page, of its alerts and of the dashboard, over a few seconds."""
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    found = re.findall(r"^\| [^|`]+ \| `(.+)` \|$", text, re.MULTILINE)
    alerts = next(yaml.safe_load(p.text) for p in pieces(PAGE) if p.title == "alerts.yml")
    found += [rule["expr"].rsplit(" > ", 1)[0] for rule in alerts["groups"][0]["rules"]]
    found += [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    shown = [query.replace("$job", "asyncsdk") for query in found]
    return [re.sub(r"\[[^]]+\]", "[5s]", query) for query in shown]


def test_every_query_finds_something(tmp_path: Path) -> None:
    refused = [query for query in queries() if "401" in query]
    wanted = [query for query in queries() if query not in refused]
    assert len(wanted) > 15
    with observed(tmp_path) as address:
        assert not any(asked(address, query) for query in refused)
        until = time.monotonic() + 60
        while missing := [query for query in wanted if not asked(address, query)]:
            assert time.monotonic() < until, missing
            time.sleep(0.2)


def names_of(query: str) -> set[str]:
    """The metrics that a query asks for."""
    return set(re.findall(r"\b(asyncsdk_\w+|http_client_\w+)(?=\{|\[)", query))


@pytest.mark.parametrize("metric", UNITS)
def test_each_metric_is_on_the_dashboard(metric: str) -> None:
    seen = set().union(*(names_of(query) for query in queries()))
    assert any(name.startswith(metric.replace(".", "_")) for name in seen)


def test_the_dashboard_can_be_imported() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [tuple(panel["gridPos"].values()) for panel in panels]
    assert len(set(places)) == len(places)
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels)
    assert {v["name"] for v in DASHBOARD["templating"]["list"]} == {"datasource", "job"}
