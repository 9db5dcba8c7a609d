"""Credentials that are proved by one request, and never used again once refused.

The provider locks out an IP address after more than three requests with wrong credentials within
a minute, for ten minutes. So until a first reply has proved the key, one request alone is under
way, and a 401 shuts the client.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Never

from asyncsdk.condition import Condition
from asyncsdk.errors import AuthenticationError
from asyncsdk.secret import Secret
from asyncsdk.status import is_success

if TYPE_CHECKING:
    from asyncsdk.http.exchange import Attempt, Reply

__all__ = ["Credentials", "verdict_on_key"]

AUTH_HEADER = "X-LOX24-AUTH-TOKEN"

_PROVING = frozenset({400, 402, 403, 404, 409, 422})
"""Refusals that only a request with a valid key meets. 413, 429 and 5xx may come from a proxy."""


def verdict_on_key(status: int) -> bool | None:
    """Whether the status of a reply says that the key is good; None where it does not say."""
    if status == HTTPStatus.UNAUTHORIZED:
        return False
    return True if is_success(status) or status in _PROVING else None


class Credentials:
    """An account's number and key, and what is known of them.

    Credentials that take their place are another object: a late reply says nothing of those.
    """

    def __init__(self, client_id: str, api_key: Secret | str) -> None:
        self.client_id = client_id
        self._token = Secret(f"{client_id}:{Secret(api_key).reveal()}")
        self._proven = False
        self._replaced = False
        """Whether there are others in their place, for all that has not left yet."""
        self._refusal: AuthenticationError | None = None
        self._probe: Attempt | None = None
        """The one request that may be under way until they are proven."""
        self._changed = Condition()

    def __repr__(self) -> str:
        state = "proven" if self._proven else "refused" if self._refusal else "unproven"
        return f"<Credentials of {self.client_id}, {state}>"

    def __reduce__(self) -> Never:
        msg = "credentials are not pickled: the key would stand there in clear"
        raise TypeError(msg)

    @property
    def token(self) -> Secret:
        """Both as one text."""
        return self._token

    @property
    def headers(self) -> dict[str, str]:
        """The header that carries them."""
        return {AUTH_HEADER: self._token.reveal()}

    def replace(self) -> None:
        """Have whoever waits for them look for those in their place."""
        self._replaced = True
        self._changed.notify_all()

    def check(self) -> None:
        """Do nothing unless these credentials were refused, and there are no others.

        Raises:
            AuthenticationError: They were; no request is made with them any more.
        """
        if self._refusal is not None and not self._replaced:
            first = self._refusal
            raise type(first)(first.status, first.problem, first.request_id)

    @property
    def _may_go(self) -> bool:
        """Whether nobody has to be waited for: they are proven, or there are others."""
        return self._proven or self._replaced

    async def wait(self) -> None:
        """Return when a request may use them, which `acquire` is to confirm.

        Raises:
            AuthenticationError: They are refused, now or meanwhile.
        """
        if self._proven:
            return
        self.check()
        while self._probe is not None and not self._may_go:
            await self._changed.wait()
            self.check()

    def acquire(self, attempt: Attempt) -> bool:
        """Whether this request may leave now: any, once proven, before that one at a time.

        None may with those that were replaced.

        Raises:
            AuthenticationError: They were refused.
        """
        if self._refusal is not None:
            self.check()
        if self._proven or self._replaced:
            return not self._replaced
        if self._probe is None:
            self._probe = attempt
        return self._probe is attempt

    def release(self, attempt: Attempt) -> None:
        """A request with them is over."""
        if self._probe is attempt:
            self._probe = None
            self._changed.notify_all()

    def learn(self, reply: Reply) -> None:
        """Learn from a reply to a request with them.

        Raises:
            AuthenticationError: They are refused.
        """
        if self._proven and reply.ok:
            return  # nearly always
        good = verdict_on_key(reply.status)
        if good is False:
            error = reply.error()
            assert isinstance(error, AuthenticationError)  # 401 maps to it
            self._proven, self._refusal = False, error
            self._changed.notify_all()
            raise error
        if good:
            self._proven = True
            self._changed.notify_all()
