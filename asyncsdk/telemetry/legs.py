"""The traces of an upload: one that has too many spans, or lasts too long, breaks its reader.

The span of an upload takes its first requests. What follows goes to *legs*: roots of traces of
their own, linked to it. A leg that is full ends with the last of its requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field
from opentelemetry.context import Context
from opentelemetry.trace import Link

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

__all__ = ["Leg", "Legs"]

_MOST = 499
"""Requests of a trace: with the span above them it has 500."""
_LONGEST = 600.0
"""Seconds in which a leg takes requests: a span is seen only once it has ended."""


@define(eq=False)
class Leg:
    """The span above some of the requests of an upload."""

    span: Span
    began: float
    whole: bool = False
    """Whether it is that of the upload, which others end."""
    requests: int = field(default=0, init=False)
    under_way: int = field(default=0, init=False)
    retired: bool = field(default=False, init=False)
    """Whether it takes no more requests."""

    def full(self, now: float) -> bool:
        """Whether another leg is to take the next request."""
        return self.requests >= _MOST or now - self.began >= _LONGEST

    def begin(self) -> None:
        """Take a request."""
        self.requests += 1
        self.under_way += 1

    def over(self) -> None:
        """One of its requests has ended."""
        self.under_way -= 1
        self._end()

    def retire(self) -> None:
        """Take no more requests."""
        self.retired = True
        self._end()

    def _end(self) -> None:
        if self.retired and not self.under_way and not self.whole:
            self.span.set_attribute("asyncsdk.requests", self.requests)
            self.span.end()


class Legs:
    """Gives each request of an upload the span above it.

    Args:
        tracer: Makes the spans.
        span: That of the upload.
        began: When that began, in seconds.
    """

    def __init__(self, tracer: Tracer, span: Span, began: float) -> None:
        self.span = span
        self._tracer = tracer
        self._leg = Leg(span, began, whole=True)
        self._count = 0

    def take(self, now: float) -> Leg:
        """The leg of a request that begins now; `Leg.over` is to follow."""
        # What nobody records needs no room. An upload that is left out of a sample is so in whole.
        if self._leg.full(now) and self.span.is_recording():
            self._leg.retire()
            self._leg = self._next(now)
        self._leg.begin()
        return self._leg

    def _next(self, now: float) -> Leg:
        self._count += 1
        span = self._tracer.start_span(
            "asyncsdk.upload.leg",
            context=Context(),  # a root
            links=[Link(self.span.get_span_context())],
            attributes={"asyncsdk.leg": self._count},
        )
        return Leg(span, now)

    def end(self) -> None:
        """The upload has ended."""
        self._leg.retire()
