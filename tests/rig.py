"""What the tests share: a sandbox and a client in one loop, phones, and the law of accounts."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from attrs import frozen

from asyncsdk import Client, Delivery, Outcome, Phone
from asyncsdk.numbers import tail
from asyncsdk.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from asyncsdk import PhoneResult, Upload, UploadReport
    from asyncsdk.sandbox.thread import SandboxThread

__all__ = [
    "Rig",
    "assert_accounts",
    "client_at",
    "client_of",
    "connected",
    "known",
    "numbers",
    "phones",
    "rows",
]


@frozen
class Rig:
    """A sandbox with one group, and a client that has good credentials."""

    sandbox: Sandbox
    client: Client
    group_id: int

    def upload(self, source: Any, **options: Any) -> Upload:
        """An upload into the group, without a rate limit unless one is asked for."""
        return self.client.phones.upload(self.group_id, source, **{"rate": None, **options})

    @property
    def batches(self) -> list[int | None]:
        """How many phones each request held, in the order of arrival."""
        return [request.phones for request in self.sandbox.requests]

    @property
    def arrivals(self) -> list[float]:
        """When each request arrived."""
        return [request.at for request in self.sandbox.requests]

    @property
    def stored(self) -> list[str]:
        """The numbers that were stored, in the order of storing."""
        return [commit.phone for commit in self.sandbox.commits]


@asynccontextmanager
async def connected(*, client: dict[str, Any] | None = None, **options: Any) -> AsyncIterator[Rig]:
    """A sandbox with these options, and a client to it."""
    sandbox = Sandbox(**options)
    group_id = sandbox.add_group("people")
    async with sandbox, client_of(sandbox, **(client or {})) as opened:
        yield Rig(sandbox, opened, group_id)


def client_of(sandbox: Sandbox, **options: Any) -> Client:
    """A client of this sandbox, with good credentials unless others are given."""
    good = {"client_id": sandbox.client_id, "api_key": sandbox.api_key}
    return client_at(sandbox.url, **{**good, **options})


def client_at(url: str, **options: Any) -> Client:
    """A client of the server at this URL, whatever its credentials are."""
    return Client(
        **{"client_id": 1234567, "api_key": "key", "base_url": url, "rate": None, **options}
    )


def numbers(count: int) -> list[str]:
    """Different numbers."""
    return [f"+49160{i:07}" for i in range(count)]


def rows(count: int) -> list[dict[str, str]]:
    """Different rows as they are posted."""
    return [{"phone": number} for number in numbers(count)]


def phones(count: int) -> list[Phone]:
    """Different phones that carry their index, so that `known` finds them in the commit log."""
    return [Phone(number, callback_data=str(index)) for index, number in enumerate(numbers(count))]


def known(report: UploadReport) -> list[PhoneResult]:
    """Every result that the report keeps, by index."""
    return sorted(report.results(), key=lambda result: result.index)


def assert_accounts(
    report: UploadReport,
    sandbox: Sandbox | SandboxThread,
    source: Sequence[Phone],
    *,
    resent: bool = False,
    ids: bool = True,
) -> None:
    """The law of accounts, by the sandbox's commit log.

    Args:
        report: What the upload says.
        sandbox: What was stored.
        source: The phones that were uploaded; they carry their index in `callback_data`.
        resent: Whether phones were sent again blindly: those may be stored more than once.
        ids: Whether the server told the ids of all that it created.
    """
    results = known(report)
    rejected = report.invalid_count + report.failed_count
    assert report.submitted == report.created_count + rejected + report.skipped_count
    assert [result.index for result in results] == list(range(report.submitted))
    assert [result.phone for result in results] == list(source[: report.submitted])
    counts = Counter(result.outcome for result in results)
    assert counts[Outcome.CREATED] == report.created_count
    assert counts[Outcome.INVALID] == report.invalid_count
    assert counts[Outcome.FAILED] == report.failed_count
    assert counts[Outcome.SKIPPED] == report.skipped_count
    unknown = [result for result in results if result.delivery is Delivery.UNKNOWN]
    assert len(unknown) == report.unknown_count
    kept = {
        Outcome.CREATED: report.created,
        Outcome.INVALID: report.invalid,
        Outcome.FAILED: report.failed,
        Outcome.SKIPPED: report.skipped,
    }
    for outcome in Outcome:
        assert [r.index for r in kept[outcome]] == [
            r.index for r in results if r.outcome is outcome
        ]
    _assert_skipped(report, sandbox, source)
    _assert_commits(results, sandbox, most=1_000_000 if resent else 1, ids=ids)


def _assert_skipped(
    report: UploadReport, sandbox: Sandbox | SandboxThread, source: Sequence[Phone]
) -> None:
    """A phone is skipped for a number that came before, or that the group holds from before."""
    if not report.skipped:
        return
    brought = {commit.phone_id for commit in sandbox.commits}
    held = {
        tail(phone.phone)
        for group in sandbox.groups
        for phone in sandbox.phones(group.id)
        if phone.id not in brought
    }
    for result in report.skipped:
        assert result.delivery is Delivery.NOT_SENT
        assert result.error is not None
        first = result.error.duplicate_of
        if first is None:
            assert result.error.in_group
            assert tail(result.phone.phone) in held
        else:
            assert first < result.index
            assert tail(source[first].phone) == tail(result.phone.phone)


def _assert_commits(
    results: list[PhoneResult], sandbox: Sandbox | SandboxThread, *, most: int, ids: bool
) -> None:
    """A phone is created if and only if it was stored, once, under the id that is told."""
    stored = defaultdict(list)
    for commit in sandbox.commits:
        assert commit.callback_data is not None
        stored[int(commit.callback_data)].append(commit)
    assert set(stored) <= {result.index for result in results}
    for result in results:
        commits = stored[result.index]
        if result.outcome is Outcome.CREATED:
            assert 1 <= len(commits) <= most
            told = result.created.id if result.created else None
            assert told in {commit.phone_id for commit in commits} or (told is None and not ids)
        elif result.delivery is Delivery.UNKNOWN:
            assert len(commits) <= most
        else:
            assert not commits
