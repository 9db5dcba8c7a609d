"""Redis as it is: away, slow or back. Who asks holds, and does not leave without a permit."""

from __future__ import annotations

import asyncio
import logging
from math import inf
from typing import TYPE_CHECKING, Any

from asyncsdk.errors import ConfigurationError, PaceError
from asyncsdk.integrations.redis.server import AwayError

if TYPE_CHECKING:
    from asyncsdk.integrations.redis.server import Server
    from asyncsdk.integrations.redis.state import Answer
    from asyncsdk.pace.gate import Gate

__all__ = ["Reach"]

logger: logging.Logger = logging.getLogger("asyncsdk")

_FIRST, _LONGEST = 0.05, 1.0
"""Seconds until Redis is asked again; they double."""


class Reach:
    """Asks until there is an answer, or the patience is used up.

    Args:
        server: Who is asked.
        gate: Closed while nobody answers, so that whoever looks sees why nothing leaves.
        patience: Seconds.
        timeout: Seconds that a question takes at most.
    """

    def __init__(self, server: Server, gate: Gate, *, patience: float, timeout: float) -> None:
        self._server = server
        self._gate = gate
        self._patience = patience
        self._timeout = timeout
        self._away_since: float | None = None
        self._next = -inf
        """When somebody may look whether it is back."""
        self._slow_since: float | None = None

    async def ask(self, question: str, *, alone: bool, **about: Any) -> Answer | None:
        """What it answers; None where it is away for longer than the patience, and one may go on.

        Args:
            question: What is asked.
            alone: Whether whoever asks may go on without an answer.
            **about: The rest of the question.

        Raises:
            PaceError: It is away for too long, and one may not.
            ConfigurationError: It will never answer.
        """
        loop = asyncio.get_running_loop()
        began, pause = loop.time(), _FIRST
        while not (alone and self._given_up(loop.time())):
            try:
                answer = await self._server.ask(question, **about)
            except AwayError as error:
                reason = str(error)
            else:
                self._back()
                return answer
            now = loop.time()
            self._away(now, reason, pause)
            if not alone and now - began >= self._patience:
                msg = (
                    f"{reason} for {now - began:.0f} s, and nothing leaves without its permit: "
                    "see to it, then upload again; with workers= a client goes on without"
                )
                raise PaceError(msg)
            await asyncio.sleep(min(pause, max(0.0, began + self._patience - now)))
            pause = min(pause * 2, _LONGEST)
        return None

    async def once(self, question: str, **about: Any) -> Answer:
        """What it answers now.

        Raises:
            PaceError: It does not.
        """
        try:
            return await self._server.ask(question, **about)
        except AwayError as error:
            reason = str(error)
        raise PaceError(reason)

    async def tell(self, question: str, *, within: float | None = None, **about: Any) -> None:
        """Tell it something, as long as that may be of use.

        Args:
            question: What it is told.
            within: Seconds for which it is of use; the patience where nothing is said.
            **about: The rest.
        """
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + (self._patience if within is None else within), _FIRST
        while True:
            try:
                await self._server.ask(question, **about)
            except AwayError:
                if loop.time() + pause > end:
                    return
            except ConfigurationError as error:
                logger.warning("the shared pace: %s", error)
                return
            else:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST)

    def came(self, took: float, valid: float) -> None:
        """Note a permit, which may come when it is too old.

        Args:
            took: Seconds from the question to the answer.
            valid: Seconds for which it holds, counted from the question.

        Raises:
            PaceError: All have been, for longer than the patience.
        """
        now = asyncio.get_running_loop().time()
        if took <= valid:
            self._slow_since = None
            return
        if self._slow_since is None:
            self._slow_since = now
        if now - self._slow_since > self._patience:
            msg = (
                f"Redis at {self._server.place} takes {took * 1000:.0f} ms to answer, and a permit "
                "is too old by then: move it closer, or give SharedPace a larger margin="
            )
            raise PaceError(msg)

    def _given_up(self, now: float) -> bool:
        """Whether it is away for long, and it was looked for a moment ago."""
        away = self._away_since is not None and now - self._away_since >= self._patience
        if away and now >= self._next:
            self._next = now + _LONGEST
            return False
        return away

    def _away(self, now: float, reason: str, pause: float) -> None:
        if self._away_since is None:
            self._away_since = now
            logger.warning("nothing leaves for now: %s", reason)
        if now - self._away_since < self._patience:
            self._gate.hold(now + pause + self._timeout, reason)
        else:
            self._gate.hold(now, reason)

    def _back(self) -> None:
        if self._away_since is not None:
            self._away_since = None
            self._gate.hold(-inf, "")
            logger.warning("Redis at %s answers again: requests go on", self._server.place)
