"""Clients as the commands make them: of the environment, its proxies included."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.request import getproxies_environment

from asyncsdk.client import DEFAULT_RATE, Client

if TYPE_CHECKING:
    from asyncsdk.config import Rate

__all__ = ["behind_proxy", "client_from_env"]


def client_from_env(rate: Rate | None = DEFAULT_RATE) -> Client:
    """A client with the credentials of the environment, by way of its proxy if it names one.

    Args:
        rate: Requests in any window of time at most; None for no limit.

    Raises:
        ConfigurationError: A variable is missing or makes no sense.
    """
    return Client.from_env(rate=rate, trust_env=behind_proxy())


def behind_proxy() -> bool:
    """Whether the environment names a proxy: whoever types a command expects it to be used."""
    return bool(getproxies_environment().keys() - {"no"})
