"""The global providers, and programs without any: each in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

UPLOAD = """
import asyncio, sys
from asyncsdk import Client
from asyncsdk.sandbox import Sandbox

async def main():
    sandbox = Sandbox()
    group = sandbox.add_group("g")
    async with sandbox:
        id, key, url = sandbox.client_id, sandbox.api_key, sandbox.url
        async with Client(id, key, base_url=url, rate=None) as client:
            before()
            report = await client.phones.upload(group, ["+491601234567"])
            assert report.ok, report
"""
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
"""
PROVIDERS = """
def provide():
    global spans, metrics
    from opentelemetry import metrics as m, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    spans, metrics = InMemorySpanExporter(), InMemoryMetricReader()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    m.set_meter_provider(MeterProvider([metrics]))

def names():
    (resource,) = metrics.get_metrics_data().resource_metrics
    (scope,) = resource.scope_metrics
    return {s.name for s in spans.get_finished_spans()}, {m.name for m in scope.metrics}

EXPECTED = {"asyncsdk.upload", "POST /groups/{id}/phones/batch"}, {
    "http.client.request.duration", "asyncsdk.phones", "asyncsdk.in_flight"
}
"""
PROGRAMS = {
    "without the extra nothing happens": BLOCKED
    + UPLOAD
    + """
before = lambda: None
asyncio.run(main())
""",
    "with the extra and without OpenTelemetry in the program nothing is loaded": UPLOAD
    + """
before = lambda: None
asyncio.run(main())
loaded = [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]
assert not loaded, loaded
assert "asyncsdk.telemetry.otel" not in sys.modules
""",
    "with the API alone it goes on": """
import opentelemetry.trace
"""
    + UPLOAD
    + """
before = lambda: None
asyncio.run(main())
assert "opentelemetry.sdk" not in sys.modules
""",
    "providers that were there before": PROVIDERS
    + "provide()"
    + UPLOAD
    + """
before = lambda: None
asyncio.run(main())
assert names() == EXPECTED, names()
""",
    "providers that come when the client is there": PROVIDERS
    + UPLOAD
    + """
before = provide
asyncio.run(main())
assert names() == EXPECTED, names()
""",
    "providers that come when it has sent something": PROVIDERS
    + "import opentelemetry.trace, opentelemetry.metrics\n"
    + UPLOAD.replace("before()", "await client.me(); provide(); await asyncio.sleep(1.1)")
    + """
asyncio.run(main())
assert names() == EXPECTED, names()
""",
    "off": """
import os
os.environ["ASYNCSDK_OTEL"] = "off"
"""
    + PROVIDERS
    + "provide()"
    + UPLOAD
    + """
before = lambda: None
asyncio.run(main())
assert not spans.get_finished_spans()
assert metrics.get_metrics_data() is None
""",
    "providers that cannot be made are as good as none": """
import logging, os
os.environ["OTEL_PYTHON_TRACER_PROVIDER"] = "nonsense"
logging.getLogger("opentelemetry").disabled = True
logging.getLogger("opentelemetry.util._providers").disabled = True
"""
    + UPLOAD
    + """
before = lambda: None
told = []
logging.getLogger("asyncsdk").addFilter(lambda record: told.append(record.getMessage()))
asyncio.run(main())
assert [one for one in told if one.startswith("telemetry failed, and nothing else did")], told
""",
    "what is asked for needs the extra": BLOCKED
    + """
from asyncsdk import Client
from asyncsdk.telemetry import Telemetry
Client("1", "key")
try:
    Client("1", "key", telemetry=Telemetry(propagate=True))
except ImportError as error:
    assert "pip install 'asyncsdk[otel]'" in str(error), error
else:
    raise AssertionError
""",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_in_a_program(program: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
