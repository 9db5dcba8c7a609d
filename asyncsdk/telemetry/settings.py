"""What a client is told of telemetry, and who watches it then."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from asyncsdk import validators
from asyncsdk.errors import ConfigurationError
from asyncsdk.telemetry.harmless import harmless
from asyncsdk.telemetry.interface import SILENT, UNSEEN
from asyncsdk.telemetry.providers import named, provided
from asyncsdk.words import brief

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attrs import Attribute
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider
    from yarl import URL

    from asyncsdk.ledger.entry import Entry
    from asyncsdk.telemetry.interface import Instrument, RequestSpan, UploadSpan

__all__ = ["Telemetry", "instrument_of"]

_SWITCH = "ASYNCSDK_OTEL"
_ON, _OFF = frozenset({"", "1", "on", "true", "yes"}), frozenset({"0", "off", "false", "no"})
_LOOK = 1.0
"""Seconds between two looks for providers that may have come."""


def _provides(method: str) -> Callable[[object, Attribute[Any], object], None]:
    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if value is not None and not callable(getattr(value, method, None)):
            kind = method.removeprefix("get_").title()
            msg = (
                f"{attribute.name} must be a {kind}Provider of OpenTelemetry, or None for the "
                f"global one, not {brief(value)}"
            )
            raise ConfigurationError(msg)

    return check


@frozen(kw_only=True)
class Telemetry:
    """Where the traces and metrics of a client go, for `Client(telemetry=...)`.

    Needs `asyncsdk[otel]`.
    """

    tracer_provider: TracerProvider | None = field(default=None, validator=_provides("get_tracer"))
    """Takes the spans; None: the global one."""
    meter_provider: MeterProvider | None = field(default=None, validator=_provides("get_meter"))
    """Takes the metrics; None: the global one."""
    propagate: bool = field(default=False, validator=validators.flag)
    """Whether requests carry a `traceparent`: it tells the provider of your traces."""


def instrument_of(
    telemetry: Telemetry | None, base_url: URL, paused: Callable[[float], float]
) -> Instrument:
    """Who watches a client.

    Args:
        telemetry: What its owner wants; None where nothing was said.
        base_url: Where its requests go.
        paused: Seconds that they were paused in all, by the time.

    Raises:
        ConfigurationError: It is none, or the switch in the environment stands in between.
        ImportError: Something is wanted, and `asyncsdk[otel]` is not installed.
    """
    if telemetry is not None and not isinstance(telemetry, Telemetry):
        msg = f"telemetry must be a Telemetry(...) or None, not {brief(telemetry)}"
        raise ConfigurationError(msg)
    if _switched_off():
        return SILENT
    if telemetry is None:
        return _Waiting(base_url, paused)
    try:
        return _watching(telemetry, base_url, paused)
    except ImportError as error:
        msg = "telemetry needs OpenTelemetry's API: pip install 'asyncsdk[otel]'"
        raise ImportError(msg) from error


def _switched_off() -> bool:
    """Whether the environment says that nothing is to be watched.

    Raises:
        ConfigurationError: Nobody knows what it says.
    """
    value = os.environ.get(_SWITCH, "")
    if (word := value.strip().lower()) in _ON | _OFF:
        return word in _OFF
    msg = f"{_SWITCH} must be on or off, not {brief(value)}"
    raise ConfigurationError(msg)


def _watching(telemetry: Telemetry, base_url: URL, paused: Callable[[float], float]) -> Instrument:
    from asyncsdk.telemetry.otel import Watcher

    return Watcher(
        base_url,
        paused,
        tracer_provider=telemetry.tracer_provider,
        meter_provider=telemetry.meter_provider,
        propagate=telemetry.propagate,
    )


@harmless(SILENT)
def _by_the_global_ones(base_url: URL, paused: Callable[[float], float]) -> Instrument:
    """Nobody asked for it, so it is no reason to fail if half of OpenTelemetry is missing."""
    return _watching(Telemetry(), base_url, paused)


class _Waiting:
    """Watches by the global providers, from when there are some.

    A program without OpenTelemetry does not get it from here, and one that has it and uses it for
    nothing pays nothing.
    """

    def __init__(self, base_url: URL, paused: Callable[[float], float]) -> None:
        self._base_url = base_url
        self._paused = paused
        self._named = named()
        self._watcher: Instrument | None = None
        self._next_look = 0.0

    def _look(self) -> Instrument:
        if self._watcher is None and (self._named or provided()):
            self._watcher = _by_the_global_ones(self._base_url, self._paused)
        return self._watcher or SILENT

    def request(
        self, method: str, path: str | URL, now: float, *, rows: int, resends: int
    ) -> RequestSpan:
        if self._watcher is None:
            if now < self._next_look:
                return UNSEEN
            self._next_look = now + _LOOK
        return self._look().request(method, path, now, rows=rows, resends=resends)

    def upload(self, group_id: int | None) -> UploadSpan:
        return self._look().upload(group_id)

    def phones(self, entries: Sequence[Entry]) -> None:
        if self._watcher is not None:
            self._watcher.phones(entries)
