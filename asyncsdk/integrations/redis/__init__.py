"""One pace for any number of processes and hosts, kept by a Redis: the extra `redis`."""

from asyncsdk.integrations.redis.pace import FencedPace, SharedPace
from asyncsdk.integrations.redis.state import Guard, PaceState

__all__ = ["FencedPace", "Guard", "PaceState", "SharedPace"]
