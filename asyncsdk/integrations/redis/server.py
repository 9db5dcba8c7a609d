"""The Redis that keeps a pace: one script, asked by EVALSHA."""

from __future__ import annotations

import asyncio
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from asyncsdk.condition import Condition
from asyncsdk.errors import AsyncSDKError, ConfigurationError
from asyncsdk.integrations.redis.state import Answer
from asyncsdk.secret import Secret
from asyncsdk.words import brief

if TYPE_CHECKING:
    from redis.asyncio import Redis, RedisCluster

__all__ = ["AwayError", "Server"]

_KEYS = ("state", "permits", "queue", "due", "guards", "clients", "fences", "waiting")
_AT_ONCE = 32
"""Questions under way: a client of Redis has a hundred connections and then refuses, and several
paces may have one client."""
_NAME = re.compile(r"[A-Za-z0-9_.:@-]{1,100}")
_REFUSED = re.compile(r"NOAUTH|NOPERM|unauthenticated|ACL failure")
_PASSING = re.compile(r"LOADING|MISCONF|BUSY|READONLY|UNKILLABLE|NOREPLICAS|OOM|MASTERDOWN")
"""What it says of itself that may be otherwise a moment later."""
_INSTALL = "a shared pace needs its extra: pip install 'asyncsdk[redis]'"
_URL = "such as 'redis://host:6379/0', 'rediss://…' or 'unix://…'"


class AwayError(AsyncSDKError):
    """Redis does not answer now; it may do so later."""


class Server:
    """Asks the script; whoever asks says how long to try.

    Args:
        url: Where Redis is; or a client of `redis.asyncio`, which is borrowed.
        name: Whose pace it is: one for each account.
        timeout: Seconds for an answer.

    Raises:
        ConfigurationError: The URL or the name cannot work.
        ImportError: The extra is not installed.
    """

    def __init__(self, url: Secret | Redis | RedisCluster, name: str, timeout: float) -> None:
        if not _NAME.fullmatch(str(name)):
            msg = f"name must be up to 100 letters, digits and any of _.:@-, not {brief(name)}"
            raise ConfigurationError(msg)
        self._owned = isinstance(url, Secret)
        self._redis = _connected(url, timeout) if isinstance(url, Secret) else url
        self._script = self._redis.register_script(
            files("asyncsdk.integrations.redis").joinpath("pace.lua").read_text("utf-8")
        )
        self._asking = 0
        self._answered = Condition()
        self._keys = [f"asyncsdk:pace:{{{name}}}:{key}" for key in _KEYS]
        self.name = name
        self.place: str = _place(self._redis)
        """Where it is, without user and password."""

    async def ask(self, question: str, **about: Any) -> Answer:
        """What the script answers.

        Raises:
            AwayError: Nobody answers, or nobody who may write: try again.
            ConfigurationError: It will never answer that: the password is wrong, or it is too old.
        """
        from redis.exceptions import RedisError

        given = {name: value for name, value in about.items() if value is not None}
        told = msgspec.json.encode({"question": question, **given})
        while self._asking >= _AT_ONCE:
            await self._answered.wait()
        self._asking += 1
        asked = asyncio.get_running_loop().time()
        try:
            said = await self._script(self._keys, [told])
        except (RedisError, OSError) as error:
            failure = self._failure_of(error)
        else:
            return replace(msgspec.json.decode(said, type=Answer), asked=asked)
        finally:
            self._asking -= 1
            self._answered.notify()
        # Not chained: frames of the other hold the URL.
        raise failure

    async def close(self) -> None:
        """Close what was opened; the next question opens it again."""
        if self._owned:
            await self._redis.aclose()

    def _failure_of(self, error: Exception) -> AsyncSDKError:
        from redis import exceptions as known

        kind, text = type(error).__name__, str(error)
        refused = (known.AuthenticationError, known.AuthorizationError, known.NoPermissionError)
        # While it connects, what it says is the cause of an error of the connection.
        if any(isinstance(e, refused) for e in (error, error.__cause__)) or _REFUSED.search(text):
            return ConfigurationError(
                f"Redis at {self.place} refuses: check user, password and rights ({kind}); "
                "it has to allow EVALSHA, SCRIPT LOAD and what the script uses"
            )
        passing = (
            *(known.NoScriptError, known.ReadOnlyError, known.ClusterError),
            *(known.OutOfMemoryError, known.TryAgainError),
        )
        lasting = isinstance(error, known.ResponseError) and not isinstance(error, passing)
        if lasting and not _PASSING.match(text):
            return ConfigurationError(
                f"Redis at {self.place} does not run the script ({brief(text)}): "
                "it takes Redis 6 or later, or Valkey"
            )
        return AwayError(f"Redis at {self.place} does not answer ({kind})")


def _connected(url: Secret, timeout: float) -> Redis:
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError as error:
        raise ImportError(_INSTALL) from error
    try:
        return Redis.from_url(
            url.reveal(),
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),  # who asks knows how long to try
            protocol=2,
            decode_responses=False,
        )
    except (ValueError, TypeError):
        reason = f"the URL of Redis must be one {_URL}; user and password are percent-encoded"
    raise ConfigurationError(reason)


def _place(redis: Redis | RedisCluster) -> str:
    pool = getattr(redis, "connection_pool", None)
    found = getattr(pool, "connection_kwargs", {})
    if "path" in found:
        return str(found["path"])
    if "host" in found:
        return f"{found['host']}:{found.get('port', 6379)}"
    service = getattr(pool, "service_name", None)
    return "a cluster" if service is None else f"the primary {service!r} of Sentinel"
