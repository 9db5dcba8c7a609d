"""Every setting as a frozen value that is checked when it is made."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal, Never, TypedDict

from attrs import Attribute, field, frozen
from yarl import URL

from asyncsdk import validators
from asyncsdk.errors import ConfigurationError
from asyncsdk.files import PRIVATE, followed
from asyncsdk.secret import Hidden, Secret
from asyncsdk.validators import whole_number
from asyncsdk.words import brief

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncsdk.progress import Progress

__all__ = [
    "DEFAULT_BASE_URL",
    "EXPOSED",
    "MOST_IN_JOURNAL",
    "Adaptive",
    "ClientConfig",
    "FailureLimit",
    "Journal",
    "Normalize",
    "OnUnknown",
    "Rate",
    "RetryPolicy",
    "UploadOptions",
    "UploadSettings",
    "is_exposed",
]

DEFAULT_BASE_URL = "https://api.lox24.eu"
EXPOSED = (
    "{} is not encrypted: whoever is on the way there can read the API key and the phones. "
    "Use https"
)

OnUnknown = Literal["report", "reconcile", "resend"]
Duplicates = Literal["send", "skip"]
Existing = Literal["send", "skip"]


def _client_id(value: object) -> str:
    text = value.strip() if isinstance(value, str) else brief(value)
    if not re.fullmatch(r"[0-9]{1,19}", text):
        msg = "client_id must be the account's number, such as '1234567'"
        raise ConfigurationError(msg)
    return text


def _api_key(value: object) -> Secret:
    if isinstance(value, (str, Secret)) and _is_key(stripped := _stripped(value)):
        return stripped
    msg = "api_key must be a non-empty text of printable ASCII characters without spaces"
    raise ConfigurationError(msg)


def _stripped(value: str | Secret) -> Secret:
    return Secret(Secret(value).reveal().strip())


def _is_key(value: Secret) -> bool:
    text = value.reveal()
    return text != "" and text.isascii() and text.isprintable() and " " not in text


def _base_url(value: object) -> URL:
    url = _url(value)
    if url is None or url.scheme not in {"http", "https"}:
        msg = f"base_url must be an absolute http or https URL such as {DEFAULT_BASE_URL!r}"
        raise ConfigurationError(msg)
    if url.user or url.password or url.query_string or url.fragment:
        msg = "base_url must have no user, password, query or fragment"
        raise ConfigurationError(msg)
    return url


def _url(value: object) -> URL | None:
    """A URL with a host, or the text of one, as a URL; None if it is none."""
    try:
        url = URL(value.strip()) if isinstance(value, str) else value
        return url if isinstance(url, URL) and url.host else None
    except ValueError:
        return None


_OWN_HEADERS = frozenset(
    {
        *("x-lox24-auth-token", "accept", "host"),
        *("content-encoding", "content-length", "content-type", "transfer-encoding", "expect"),
    }
)


def _headers(value: object) -> dict[str, str]:
    """Headers that a request may carry besides its own."""
    if not isinstance(value, Mapping):
        msg = f"default_headers must be a mapping of names to values, not {type(value).__name__}"
        raise ConfigurationError(msg)
    for name, text in value.items():
        if not isinstance(name, str) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            msg = f"default_headers: {brief(name)} is no name of a header"
            raise ConfigurationError(msg)
        if name.lower() in _OWN_HEADERS:
            msg = f"default_headers: {name} is set by the client itself; leave it out"
            raise ConfigurationError(msg)
        if not isinstance(text, str) or not (text.isascii() and text.isprintable()):
            msg = f"default_headers: the value of {name} must be a text of printable ASCII"
            raise ConfigurationError(msg)
    return {name: Hidden(text) for name, text in value.items()}


_NOWHERE = frozenset({"localhost", "test", "invalid"})
"""Names that lead to this host or to none (RFC 6761 §6)."""


def is_exposed(url: URL) -> bool:
    """Whether what is sent there can be read on its way: no TLS, and another host than this."""
    host = url.host or ""
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = host.rpartition(".")[2] in _NOWHERE
    return url.scheme == "http" and not local


_LEAST_INTERVAL = 1e-9
"""Seconds from one request to the next: with less, what is computed of them is nothing."""


@frozen
class Rate:
    """At most `requests` in any window of `per` seconds, evenly spaced."""

    requests: int = field(validator=validators.count(1))
    """How many, at least 1."""
    per: float = field(default=1.0, validator=validators.number(0, above=True))
    """Seconds of the window."""

    def __attrs_post_init__(self) -> None:
        if self.per / self.requests < _LEAST_INTERVAL:
            msg = "Rate allows more than a billion requests per second: for no limit give None"
            raise ConfigurationError(msg)


@frozen(init=False)
class ClientConfig:
    """What a client needs to know. The key is in no repr."""

    client_id: str = field(converter=_client_id)
    api_key: Secret = field(converter=_api_key, repr=False)
    base_url: URL = field(converter=_base_url, default=URL(DEFAULT_BASE_URL))
    timeout: float = field(default=60.0, validator=validators.number(0, above=True))
    """Seconds per attempt, from the first byte sent to the last byte received."""
    connect_timeout: float = field(default=10.0, validator=validators.number(0, above=True))
    """Seconds to open a connection."""
    rate: Rate | None = field(default=None, validator=validators.instance(Rate), kw_only=True)
    """Requests in any window of time at most."""
    connections: int = field(default=64, validator=validators.count(1), kw_only=True)
    """Requests under way at once at most."""
    default_headers: Mapping[str, str] = field(
        factory=dict, converter=_headers, kw_only=True, repr=False
    )
    """Headers of every request. They may be another key, of a proxy, and are in no repr."""

    def __init__(
        self, client_id: str | int, api_key: str | Secret, *args: Any, **settings: Any
    ) -> None:
        # A frame of ours that an error passes has no plain key among its locals.
        api_key = Secret(api_key) if isinstance(api_key, str) else api_key
        self.__attrs_init__(client_id, api_key, *args, **settings)

    def __reduce__(self) -> Never:
        msg = "a configuration is not pickled: the key would stand there in clear"
        raise TypeError(msg)

    @classmethod
    def from_env(cls, **settings: object) -> ClientConfig:
        """Read `ASYNCSDK_CLIENT_ID`, `ASYNCSDK_API_KEY` and, where set, `ASYNCSDK_BASE_URL`.

        Raises:
            ConfigurationError: A variable is missing or makes no sense.
        """
        found: dict[str, object] = {}
        for name in ("client_id", "api_key"):
            variable = f"ASYNCSDK_{name.upper()}"
            value = Secret(os.environ.get(variable, ""))
            if not value.reveal().strip():
                msg = f"set the environment variable {variable}, or pass {name} to Client"
                raise ConfigurationError(msg)
            found[name] = value if name == "api_key" else value.reveal()
        base_url = os.environ.get("ASYNCSDK_BASE_URL", "").strip()
        if base_url:
            found["base_url"] = base_url
        return cls(**(found | settings))  # type: ignore[arg-type]


@frozen
class RetryPolicy:
    """How often and how patiently to send again what was certainly not processed."""

    attempts: int = field(default=5, validator=validators.count(1))
    """Requests per phone at most, the first one included."""
    base: float = field(default=0.5, validator=validators.number(0))
    """Seconds that the first pause may last; it doubles with each attempt."""
    cap: float = field(default=30.0, validator=validators.number(0))
    """Seconds that a pause chosen by the client may last at most."""
    max_wait: float = field(default=900.0, validator=validators.number(0))
    """Seconds that a `Retry-After`, and the sum of all pauses, may last at most."""


@frozen
class Adaptive:
    """Let the concurrency find the server's knee by itself, between these bounds."""

    min: int = field(default=1, validator=validators.count(1))
    """Requests at once at least."""
    max: int = field(default=64, validator=validators.count(1))
    """Requests at once at most."""

    def __attrs_post_init__(self) -> None:
        if self.max < self.min:
            msg = f"Adaptive max ({self.max}) must not be below min ({self.min})"
            raise ConfigurationError(msg)


_RATIO_FROM = 100
"""Phones that must be settled before a ratio of failures means anything."""


@frozen
class FailureLimit:
    """Stop an upload once so many phones were invalid or failed."""

    count: int | None = field(default=None, validator=validators.count(1, optional=True))
    """Stop at this many."""
    ratio: float | None = field(
        default=None, validator=validators.number(0, above=True, optional=True)
    )
    """Stop above this share (0 to 1) of the phones settled so far, once 100 or more are."""

    def __attrs_post_init__(self) -> None:
        if self.count is None and self.ratio is None:
            msg = "FailureLimit needs a count, a ratio, or both"
            raise ConfigurationError(msg)

    def reached(self, bad: int, settled: int) -> bool:
        """Whether so many invalid and failed phones, of so many settled, are too many."""
        if self.count is not None and bad >= self.count:
            return True
        return self.ratio is not None and settled >= _RATIO_FROM and bad > self.ratio * settled


def _concurrency(value: object) -> Adaptive | int:
    if isinstance(value, Adaptive):
        return value
    if not isinstance(value, int):
        msg = (
            "concurrency must be a whole number of at least 1, or Adaptive(...), "
            f"not {brief(value)}"
        )
        raise ConfigurationError(msg)
    return whole_number("concurrency", value)


def _mode(_: object, attribute: Attribute[int], value: object) -> None:
    if type(value) is not int or value & ~0o777 or value & PRIVATE != PRIVATE:
        shown = brief(value)
        msg = f"Journal {attribute.name} must be permissions such as 0o600 or 0o640, not {shown}"
        raise ConfigurationError(msg)


def _journal_path(value: object) -> Path:
    if isinstance(value, (str, os.PathLike)) and isinstance(text := os.fspath(value), str) and text:
        try:
            return followed(text)
        except (OSError, ValueError) as error:  # no file has a NUL in its name
            reason = error.strerror if isinstance(error, OSError) else error
            msg = f"the journal {brief(text)} cannot be used: {reason}"
            raise ConfigurationError(msg) from error
    msg = f"a journal must be the path of a file, not {brief(value)}"
    raise ConfigurationError(msg)


MOST_IN_JOURNAL = 500_000
"""Rows of a batch that a journal takes."""


@frozen
class Journal:
    """A file that makes an upload survive the end of its process."""

    path: Path = field(converter=_journal_path)
    """Where it is, or is to be; its folder must be there."""
    durable: Literal["crash", "power"] = field(
        default="crash", validator=validators.one_of("crash", "power")
    )
    """What it survives: a crash or kill of the process; or also a loss of power, at the price of
    waiting for the disk before each request."""
    notes: Mapping[str, object] | None = field(default=None, validator=validators.instance(dict))
    """What whoever resumes it wants to know, fit for JSON; no secrets."""
    mode: int = field(default=PRIVATE, validator=_mode, kw_only=True)
    """Who may read and write it: permissions beyond these are taken from it. It holds phones."""
    shared: bool = field(default=False, validator=validators.flag, kw_only=True)
    """Whether it is on a disk that several hosts share, such as one of NFS or SMB. It is then
    written without a log beside it, which works over a network where locks do, and costs a wait for
    the disk before each request; on a local disk others can read while it is written only with
    one."""


def _journal(value: object) -> Journal | None:
    return value if value is None or isinstance(value, Journal) else Journal(value)


@frozen
class Normalize:
    """How the cells of a list are read as numbers, which are sent in E.164 form."""

    region: str = field()
    """The region of numbers that do not say their country, such as `"DE"`."""
    bare: Literal["national", "international"] | None = field(
        default=None, validator=validators.one_of(None, "national", "international"), kw_only=True
    )
    """What numbers without `+` and without a leading 0 are in this list: such as have lost that 0
    (or never had one), or such as have lost their `+`. None: whichever of the two it can only be;
    what can be either is invalid."""
    country: str | None = field(default=None, validator=validators.instance(str), kw_only=True)
    """The key or column of a row that says its region: an ISO code, a calling code, or a name in
    one of the common languages. It is read and not sent; where it is empty, `region` holds."""
    mobile_only: bool = field(default=False, validator=validators.flag, kw_only=True)
    """Whether a number that no mobile phone can have is invalid."""

    @region.validator
    def _check_region(self, _: Attribute[str], value: object) -> None:
        if not (isinstance(value, str) and re.fullmatch(r"[A-Z]{2}", value)):
            msg = f"normalize needs a region such as 'DE' or 'AT', not {brief(value)}"
            raise ConfigurationError(msg)


def _normalize(value: object) -> Normalize | None:
    if value is None or isinstance(value, Normalize):
        return value
    if isinstance(value, str) and value:
        return Normalize(value)
    msg = f"normalize must be a region such as 'DE', a Normalize(...) or None, not {brief(value)}"
    raise ConfigurationError(msg)


class UploadSettings(TypedDict, total=False):
    """What a sender takes of the options of an upload; see `PhonesResource.upload` for each."""

    batch_size: int
    max_batch_bytes: int
    concurrency: int | Adaptive
    rate: Rate | None
    retry: RetryPolicy
    on_unknown: OnUnknown
    quiet_period: float
    columns: Mapping[str, str] | None
    duplicates: Duplicates
    existing: Existing
    validate: bool
    normalize: str | Normalize | None
    stop_when: FailureLimit | None
    deadline: float | None
    keep_created: bool
    journal: Journal | str | os.PathLike[str] | None
    on_progress: Callable[[Progress], object] | None
    dry_run: bool


@frozen(kw_only=True)
class UploadOptions:
    """The options of one upload; see `PhonesResource.upload` for what each does."""

    batch_size: int = field(validator=validators.count(1))
    max_batch_bytes: int = field(validator=validators.count(1))
    concurrency: int | Adaptive = field(converter=_concurrency)
    rate: Rate | None = field(validator=validators.instance(Rate))
    retry: RetryPolicy = field()
    on_unknown: OnUnknown = field(validator=validators.one_of("report", "reconcile", "resend"))
    quiet_period: float = field(validator=validators.number(0))
    duplicates: Duplicates = field(validator=validators.one_of("send", "skip"))
    existing: Existing = field(validator=validators.one_of("send", "skip"))
    linger: float | None = field(validator=validators.number(0, optional=True))
    validate: bool = field(validator=validators.flag)
    normalize: Normalize | None = field(converter=_normalize)
    stop_when: FailureLimit | None = field(validator=validators.instance(FailureLimit))
    deadline: float | None = field(validator=validators.number(0, above=True, optional=True))
    keep_created: bool = field(validator=validators.flag)
    journal: Journal | None = field(converter=_journal)
    on_progress: Callable[[Progress], object] | None = field()
    dry_run: bool = field(validator=validators.flag)

    def __attrs_post_init__(self) -> None:
        if self.journal is not None and self.batch_size > MOST_IN_JOURNAL:
            msg = f"batch_size must be at most {MOST_IN_JOURNAL:,} with a journal"
            raise ConfigurationError(msg)

    @retry.validator
    def _check_retry(self, _: Attribute[RetryPolicy], value: object) -> None:
        if not isinstance(value, RetryPolicy):
            msg = (
                f"retry must be a RetryPolicy, not {brief(value)}; "
                "RetryPolicy(attempts=1) never retries"
            )
            raise ConfigurationError(msg)

    @on_progress.validator
    def _check_on_progress(self, _: Attribute[object], value: object) -> None:
        if value is not None and not callable(value):
            msg = f"on_progress must be a function that takes a Progress, not {brief(value)}"
            raise ConfigurationError(msg)

    @property
    def workers(self) -> int:
        """How many requests may be in flight at most."""
        concurrency = self.concurrency
        return concurrency.max if isinstance(concurrency, Adaptive) else concurrency
