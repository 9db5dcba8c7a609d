"""The instruments of the metrics: names and units are said here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.metrics import get_meter

from asyncsdk._version import __version__

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram, MeterProvider, UpDownCounter

__all__ = ["NAME", "SCHEMA", "Metrics"]

NAME = "asyncsdk"
"""Of the tracer and the meter."""
SCHEMA = "https://opentelemetry.io/schemas/1.30.0"
"""The semantic conventions that the attributes follow."""

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Seconds: what the conventions ask for."""


class Metrics:
    """What is counted and measured. Nothing here knows a phone, a group or a request by its name.

    Args:
        provider: Takes it; None: the global one.
    """

    def __init__(self, provider: MeterProvider | None) -> None:
        meter = get_meter(NAME, __version__, provider, SCHEMA)
        self.duration: Histogram = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BOUNDS,
        )
        self.phones: Counter = meter.create_counter(
            "asyncsdk.phones", "{phone}", "Phones of uploads whose fate is known."
        )
        self.paused: Counter = meter.create_counter(
            "asyncsdk.paused", "s", "Time in which all requests of a client paused."
        )
        self.retries: Counter = meter.create_counter(
            "asyncsdk.retries", "{request}", "Requests that carried the same once more."
        )
        self.in_flight: UpDownCounter = meter.create_up_down_counter(
            "asyncsdk.in_flight", "{request}", "Requests that wait for their reply."
        )
