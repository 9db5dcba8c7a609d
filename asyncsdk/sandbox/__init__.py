"""The provider in a box: its API on a local port, with its own store, commit log and faults.

It shares nothing but `asyncsdk.models` with the client, so that the two can disagree.
"""

from asyncsdk.sandbox.batch import MemberOrder
from asyncsdk.sandbox.faults import FAULTS, Fault, Faults
from asyncsdk.sandbox.limits import RequestLimit
from asyncsdk.sandbox.log import Commit, RequestRecord
from asyncsdk.sandbox.replies import ASKED, STYLES, Echo, ReplyStyle
from asyncsdk.sandbox.server import Sandbox
from asyncsdk.sandbox.store import DuplicatePolicy, StoredPhone
from asyncsdk.sandbox.thread import SandboxThread

__all__ = [
    "ASKED",
    "FAULTS",
    "STYLES",
    "Commit",
    "DuplicatePolicy",
    "Echo",
    "Fault",
    "Faults",
    "MemberOrder",
    "ReplyStyle",
    "RequestLimit",
    "RequestRecord",
    "Sandbox",
    "SandboxThread",
    "StoredPhone",
]
