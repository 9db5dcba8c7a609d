"""Whether the program that runs has providers of OpenTelemetry. It loads nothing to find out."""

from __future__ import annotations

import os
import sys
from typing import Any

__all__ = ["named", "provided"]

_GETTERS = {
    "opentelemetry.trace": "get_tracer_provider",
    "opentelemetry.metrics": "get_meter_provider",
}
"""What has the global providers. While nobody has loaded these modules there are none."""
_VARIABLES = ("OTEL_PYTHON_TRACER_PROVIDER", "OTEL_PYTHON_METER_PROVIDER")
"""By these there may be some all the same."""
_PROXIES = frozenset({"ProxyTracerProvider", "_ProxyMeterProvider"})
"""What stands in for providers that nobody has set yet. One by another name costs some time."""
_PACKAGE = "opentelemetry"
_INSTRUMENTATION = "opentelemetry.instrumentation"
"""It may see the requests, and tell the server of them, without providers, too."""


def named() -> bool:
    """Whether the environment names any, which are made when they are asked for."""
    return any(map(os.environ.get, _VARIABLES))


def provided() -> bool:
    """Whether there is somebody to tell, or to keep from telling others."""
    if _PACKAGE not in sys.modules:
        return False
    if _INSTRUMENTATION in sys.modules:
        return True
    for name, getter in _GETTERS.items():
        module: Any = sys.modules.get(name)
        get = getattr(module, getter, None)  # a module that is being loaded has none yet
        if get is not None and type(get()).__name__ not in _PROXIES:
            return True
    return False
