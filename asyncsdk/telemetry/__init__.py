"""Traces and metrics of what a client does, by way of OpenTelemetry.

There is nothing to configure: a client uses the global providers of a program that has some, and
does nothing in one that has none. `Telemetry` is for whoever wants others.
"""

from asyncsdk.telemetry.settings import Telemetry

__all__ = ["Telemetry"]
