"""Clients as the commands make them: of the environment, its proxies included."""

from __future__ import annotations

from typing import Any
from urllib.request import getproxies_environment

from asyncsdk.client import Client

__all__ = ["behind_proxy", "client_from_env"]


def client_from_env(**options: Any) -> Client:
    """A client with the credentials of the environment, by way of its proxy if it names one.

    Args:
        **options: As for `Client`.

    Raises:
        ConfigurationError: A variable is missing or makes no sense.
    """
    return Client.from_env(trust_env=behind_proxy(), **options)


def behind_proxy() -> bool:
    """Whether the environment names a proxy: whoever types a command expects it to be used."""
    return bool(getproxies_environment().keys() - {"no"})
