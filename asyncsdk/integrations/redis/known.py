"""What a client knows of the pace that it shares."""

from __future__ import annotations

import hmac
from math import inf
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from asyncsdk.secret import Secret

__all__ = ["Known"]


@define(eq=False)
class Known:
    """What it was answered, by Redis and by the provider.

    Args:
        salt: What digests of credentials are made with.
    """

    salt: str
    met: bool = False
    """Whether it had a permit: a Redis that knows nothing then has lost what it knew."""
    outage: bool = False
    """Whether others are to be told when the provider is reached again."""
    heard: float = -inf
    """When the provider answered last."""
    proven: set[str] = field(factory=set)
    """Digests of credentials that are good."""
    _digests: dict[Secret, str] = field(factory=dict, repr=False)

    def digest(self, token: Secret | None) -> str:
        """Credentials as others may see them; without any, nothing."""
        if token is None:
            return ""
        if token not in self._digests:
            text = token.reveal().encode()
            self._digests[token] = hmac.digest(self.salt.encode(), text, "sha256").hex()[:32]
        return self._digests[token]

    def is_proven(self, key: str) -> bool:
        """Whether nobody has to try these credentials first."""
        return key in self.proven
