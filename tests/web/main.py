"""The application as the environment says: served by processes of their own."""

from __future__ import annotations

import json
import logging
import os

from asyncsdk import Client
from tests.web.app import application

logging.basicConfig(level=logging.WARNING)
app = application(
    os.environ["UPLOADS"],
    lambda: Client.from_env(rate=None),
    **json.loads(os.environ["UPLOAD_OPTIONS"]),
)
