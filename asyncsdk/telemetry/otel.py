"""Spans and metrics of a client, with the names that OpenTelemetry's HTTP conventions give them.

`url.full` is left out on purpose: a path has ids in it, and so may have what was put there by
mistake. `url.template` stands in its place.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from opentelemetry import context as contexts
from opentelemetry.trace import (
    INVALID_SPAN,
    SpanKind,
    StatusCode,
    get_current_span,
    get_tracer,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from asyncsdk._version import __version__
from asyncsdk.telemetry.harmless import harmless
from asyncsdk.telemetry.interface import UNSEEN
from asyncsdk.telemetry.legs import Legs
from asyncsdk.telemetry.metrics import NAME, SCHEMA, Metrics
from asyncsdk.telemetry.routes import route_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, Tracer, TracerProvider
    from yarl import URL

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.ledger.run import Run
    from asyncsdk.telemetry.interface import RequestSpan, UploadSpan
    from asyncsdk.telemetry.legs import Leg

__all__ = ["Watcher"]

_LEGS = contexts.create_key("asyncsdk-legs")
_SUPPRESSED = tuple(
    getattr(contexts, f"_{name.upper()}_KEY", name)
    for name in ("suppress_instrumentation", "suppress_http_instrumentation")
)
"""By the second one aiohttp's own instrumentation knows that a request is watched already; before
its version 0.60 or so it asks for the first one only."""

_INSTRUMENTATION = "opentelemetry.instrumentation"
"""While nobody has loaded it, there is none."""

_PROPAGATOR = TraceContextTextMapPropagator()
"""Of the formats there are, the one that says nothing but where in a trace this is: baggage is the
program's own."""

_FIRST_ERROR = 400
"""Statuses from here on are errors, for a client."""


class Watcher:
    """Watches one client.

    Args:
        base_url: Where its requests go.
        paused: Seconds that they were paused in all, by the time.
        tracer_provider: Takes the spans; None: the global one.
        meter_provider: Takes the metrics; None: the global one.
        propagate: Whether requests say where in a trace they are.
    """

    def __init__(
        self,
        base_url: URL,
        paused: Callable[[float], float],
        *,
        tracer_provider: TracerProvider | None,
        meter_provider: MeterProvider | None,
        propagate: bool,
    ) -> None:
        self.tracer: Tracer = get_tracer(NAME, __version__, tracer_provider, SCHEMA)
        self.metrics: Metrics = Metrics(meter_provider)
        self.propagate = propagate
        self._server: dict[str, str | int] = {"server.address": base_url.host or ""}
        if base_url.port is not None:
            self._server["server.port"] = base_url.port
        self._prefix = base_url.path.rstrip("/")
        self._paused = paused
        self._counted: float | None = None
        """Seconds of pause that the metric has; None before the first request."""
        self._names: dict[tuple[str, str | None], tuple[str, dict[str, str | int]]] = {}

    @harmless(UNSEEN)
    def request(
        self, method: str, path: str | URL, now: float, *, rows: int, resends: int
    ) -> RequestSpan:
        """See `Instrument`."""
        base = contexts.get_current()
        if base and any(map(base.get, _SUPPRESSED)):
            return UNSEEN
        self.count_pauses(now)
        below = path if isinstance(path, str) else path.path.removeprefix(self._prefix)
        named = self._named(method, route_of(below))
        return _Request(self, base, named, now, rows=rows, resends=resends)

    @harmless(UNSEEN)
    def upload(self, group_id: int | None) -> UploadSpan:
        """See `Instrument`."""
        return _Upload(self, group_id)

    @harmless(None)
    def phones(self, entries: Sequence[Entry]) -> None:
        """See `Instrument`."""
        for entry in entries:
            self.metrics.phones.add(
                len(entry),
                {"asyncsdk.outcome": str(entry.outcome), "asyncsdk.delivery": str(entry.delivery)},
            )

    def _named(self, method: str, route: str | None) -> tuple[str, dict[str, str | int]]:
        """The name of a request, and what its span and its metrics say of it alike."""
        named = self._names.get((method, route))
        if named is None:
            attributes = {"http.request.method": method, **self._server}
            if route is None:
                named = method, attributes
            else:
                named = f"{method} {route}", {**attributes, "url.template": route}
            self._names[method, route] = named
        return named

    def count_pauses(self, now: float) -> None:
        """Count what the client has paused since the last time."""
        total = self._paused(now)
        if self._counted is not None and total > self._counted:
            self.metrics.paused.add(total - self._counted)
        self._counted = total


class _Request:
    """The span and the metrics of one request."""

    __slots__ = (
        "_attributes",
        "_base",
        "_began",
        "_context",
        "_leg",
        "_recorded",
        "_span",
        "_status",
        "_token",
        "_watcher",
    )

    def __init__(
        self,
        watcher: Watcher,
        base: Context,
        named: tuple[str, dict[str, str | int]],
        now: float,
        *,
        rows: int,
        resends: int,
    ) -> None:
        self._watcher = watcher
        self._began = now
        self._status: int | None = None
        self._token: Token[Context] | None = None
        self._leg: Leg | None = None
        name, self._attributes = named
        self._base = base
        self._span = self._begin(name, rows, resends)
        self._recorded = self._span.is_recording()
        self._context = self._base
        if self._recorded:
            self._context = set_span_in_context(self._span, self._base)
        metrics = watcher.metrics
        metrics.in_flight.add(1)
        if resends:
            metrics.retries.add(1, self._attributes)

    @harmless(INVALID_SPAN)
    def _begin(self, name: str, rows: int, resends: int) -> Span:
        attributes = {**self._attributes}
        if rows:
            attributes["asyncsdk.batch.size"] = rows
        if resends:
            attributes["http.request.resend_count"] = resends
        return self._watcher.tracer.start_span(
            name, context=self._above(), kind=SpanKind.CLIENT, attributes=attributes
        )

    def _above(self) -> Context:
        """Where the span belongs: below what runs now, and if that is an upload, below its leg."""
        legs = cast("Legs | None", contexts.get_value(_LEGS, self._base))
        if legs is None or get_current_span(self._base) is not legs.span:
            return self._base
        self._leg = legs.take()
        return set_span_in_context(self._leg.span, self._base)

    @harmless(None)
    def send(self, headers: dict[str, str]) -> None:
        """See `RequestSpan`."""
        if self._watcher.propagate:
            _PROPAGATOR.inject(headers, set_span_in_context(self._span, self._base))
        if _INSTRUMENTATION in sys.modules:
            for key in _SUPPRESSED:
                self._context = contexts.set_value(key, True, self._context)
        if self._context is not self._base:
            self._token = contexts.attach(self._context)

    def answered(self, status: int) -> None:
        """See `RequestSpan`. Whoever reads the reply need not be in the same context any more."""
        self._status = status
        self._restore()

    def _restore(self) -> None:
        if self._token is not None:
            contexts.detach(self._token)
            self._token = None

    def end(self, now: float, error: BaseException | None) -> None:
        """See `RequestSpan`."""
        if isinstance(error, GeneratorExit):
            error = None  # whoever reads wants no more, or the task was dropped with its context
        else:
            self._restore()
        found: dict[str, str | int] = {}
        if self._status is not None:
            found["http.response.status_code"] = self._status
        if self._status is not None and self._status >= _FIRST_ERROR:
            found["error.type"] = str(self._status)
        elif error is not None:
            found["error.type"] = type(error).__name__
        self._end_span(found)
        self._measure(now, found)

    @harmless(None)
    def _end_span(self, found: dict[str, str | int]) -> None:
        try:
            if self._recorded:
                self._span.set_attributes(found)
                if "error.type" in found:
                    self._span.set_status(StatusCode.ERROR)
            self._span.end()
        finally:
            if self._leg is not None:
                self._leg.over()

    @harmless(None)
    def _measure(self, now: float, found: dict[str, str | int]) -> None:
        watcher = self._watcher
        watcher.metrics.in_flight.add(-1)
        seconds = max(0.0, now - self._began)
        watcher.metrics.duration.record(seconds, {**self._attributes, **found}, self._context)


class _Upload:
    """The span of one upload, which is the current one of its task from here on."""

    def __init__(self, watcher: Watcher, group_id: int | None) -> None:
        self._watcher = watcher
        self._span = watcher.tracer.start_span(
            "asyncsdk.upload",
            attributes={} if group_id is None else {"asyncsdk.group.id": group_id},
        )
        self._legs = Legs(watcher.tracer, self._span)
        # The task has a context of its own, which ends with it.
        contexts.attach(contexts.set_value(_LEGS, self._legs, set_span_in_context(self._span)))

    @harmless(None)
    def end(self, totals: Run, error: BaseException | None) -> None:
        """See `UploadSpan`."""
        try:
            self._legs.end()
            self._describe(totals, error)
        finally:
            self._span.end()

    def _describe(self, totals: Run, error: BaseException | None) -> None:
        counts = totals.counts
        self._span.set_attributes(
            {
                "asyncsdk.phones.created": counts.created,
                "asyncsdk.phones.invalid": counts.invalid,
                "asyncsdk.phones.failed": counts.failed,
                "asyncsdk.phones.unknown": counts.unknown,
                "asyncsdk.phones.skipped": counts.skipped,
                "asyncsdk.requests": totals.requests,
                "asyncsdk.retries": totals.retries,
                "asyncsdk.paused": totals.throttled,
                "asyncsdk.dry_run": totals.dry_run,
            }
        )
        if totals.stopped_by is not None:
            self._span.set_attribute("asyncsdk.stopped_by", str(totals.stopped_by))
        if error is not None:
            self._span.set_attribute("error.type", type(error).__name__)
            self._span.set_status(StatusCode.ERROR)
