"""The application as the environment says: served by processes of their own."""

from __future__ import annotations

import json
import logging
import os

from asyncsdk import Client, Rate
from asyncsdk.integrations.redis import SharedPace
from tests.web.app import application

logging.basicConfig(level=logging.WARNING)


def client() -> Client:
    """At a pace of its own without a limit, or at one that is shared."""
    if "REDIS" not in os.environ:
        return Client.from_env(rate=None)
    pace = SharedPace(os.environ["REDIS"], rate=Rate(int(os.environ["RATE"])))
    return Client.from_env(pace=pace)


app = application(
    os.environ["UPLOADS"],
    client,
    **json.loads(os.environ["UPLOAD_OPTIONS"]),
)
