"""The traces of an upload: one that has too many spans, or lasts too long, breaks its reader.

The span of an upload takes its first requests. What follows goes to *legs*: roots of traces of
their own, linked to it. A leg that is full ends with the last of its requests.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import define, field
from opentelemetry.context import Context
from opentelemetry.trace import Link

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

__all__ = ["Leg", "Legs"]

_MOST = 490
"""Requests of a trace: with what is above them it has 500 spans at most."""
_LONGEST = 600.0
"""Seconds in which a leg takes requests, even if none comes: a span is seen once it has ended."""


@define(eq=False)
class Leg:
    """The span above some of the requests of an upload."""

    span: Span
    whole: bool
    """Whether it is that of the upload, which others end."""
    requests: int = field(default=0, init=False)
    _under_way: int = field(default=0, init=False)
    _retired: bool = field(default=False, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        if self.span.is_recording():
            self._timer = asyncio.get_running_loop().call_later(_LONGEST, self.retire)

    @property
    def full(self) -> bool:
        """Whether another leg is to take the next request."""
        return self._retired or self.requests >= _MOST

    def begin(self) -> None:
        """Take a request."""
        self.requests += 1
        self._under_way += 1

    def over(self) -> None:
        """One of its requests has ended."""
        self._under_way -= 1
        self._end()

    def retire(self) -> None:
        """Take no more requests; a second time does nothing."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._retired:
            self._retired = True
            self._end()

    def _end(self) -> None:
        if self._retired and not self._under_way and not self.whole:
            self.span.set_attribute("asyncsdk.requests", self.requests)
            self.span.end()


class Legs:
    """Gives each request of an upload the span above it.

    Args:
        tracer: Makes the spans.
        span: That of the upload.
    """

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self.span = span
        self._tracer = tracer
        self._leg = Leg(span, whole=True)
        self._count = 0

    def take(self) -> Leg:
        """The leg of a request that begins now; `Leg.over` is to follow."""
        # What nobody records needs no room. An upload that is left out of a sample is so in whole.
        if self._leg.full and self.span.is_recording():
            self._leg.retire()
            self._leg = self._next()
        self._leg.begin()
        return self._leg

    def _next(self) -> Leg:
        self._count += 1
        span = self._tracer.start_span(
            "asyncsdk.upload.leg",
            context=Context(),  # a root
            links=[Link(self.span.get_span_context())],
            attributes={"asyncsdk.leg": self._count},
        )
        return Leg(span, whole=False)

    def end(self) -> None:
        """The upload has ended."""
        self._leg.retire()
