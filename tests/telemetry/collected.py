"""A backend in the test itself: what OpenTelemetry's own SDK makes of what a client tells it."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from attrs import define, field
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import DEFAULT_ON

from asyncsdk.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.sampling import Sampler

__all__ = ["Collected"]


class _Spans(SpanProcessor):
    """Every span that began, and how often it ended."""

    def __init__(self) -> None:
        self.ended: list[ReadableSpan] = []
        self.begun: Counter[int] = Counter()
        self.ends: Counter[int] = Counter()

    def on_start(self, span: Any, *_: object, **__: object) -> None:
        self.begun[span.context.span_id] += 1

    def on_end(self, span: ReadableSpan) -> None:
        assert span.context is not None
        self.ends[span.context.span_id] += 1
        self.ended.append(span)


@define
class Collected:
    """The spans and metrics of a test."""

    sampler: Sampler = DEFAULT_ON
    seen: _Spans = field(factory=_Spans, init=False)
    reader: InMemoryMetricReader = field(factory=InMemoryMetricReader, init=False)
    tracer_provider: TracerProvider = field(init=False)
    meter_provider: MeterProvider = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tracer_provider = TracerProvider(sampler=self.sampler, shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(self.seen)
        self.meter_provider = MeterProvider([self.reader], shutdown_on_exit=False)

    def telemetry(self, **options: Any) -> Telemetry:
        """What a client is given."""
        return Telemetry(
            tracer_provider=self.tracer_provider, meter_provider=self.meter_provider, **options
        )

    @property
    def client(self) -> dict[str, Any]:
        """Options for a client."""
        return {"telemetry": self.telemetry()}

    @property
    def spans(self) -> list[ReadableSpan]:
        """Those that ended, each of them once."""
        assert set(self.seen.begun) == set(self.seen.ends)
        assert set(self.seen.ends.values()) <= {1}
        return self.seen.ended

    def named(self, name: str) -> list[ReadableSpan]:
        """The spans of this name."""
        return [span for span in self.spans if span.name == name]

    @property
    def requests(self) -> list[ReadableSpan]:
        """The spans of requests."""
        return [span for span in self.spans if span.kind.name == "CLIENT"]

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics by their names."""
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def points(self, name: str) -> list[tuple[Mapping[str, Any], Any]]:
        """Attributes and points of a metric; none where nobody ever counted."""
        metric = self.metrics.get(name)
        points = () if metric is None else metric.data.data_points
        return [(dict(point.attributes), point) for point in points]

    def total(self, name: str, **attributes: object) -> Any:
        """The sum over the points with these attributes (`_` for a dot)."""
        wanted = {key.replace("_", "."): value for key, value in attributes.items()}
        return sum(p.value for told, p in self.points(name) if wanted.items() <= told.items())

    @property
    def text(self) -> str:
        """All that would leave, but for ids and times and what is measured."""
        data = self.reader.get_metrics_data()
        whole = [json.loads(span.to_json()) for span in self.spans]
        return "\n".join(_leaves([whole, json.loads(data.to_json()) if data else None]))


_ITS_OWN = re.compile(r".*(_id|time|time_unix_nano|bounds|bucket_counts|count)")


def _leaves(value: Any) -> Iterator[str]:
    """Every name and every value in it; a float is nobody's number."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            if not _ITS_OWN.fullmatch(name):
                yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif not isinstance(value, float):
        yield str(value)
