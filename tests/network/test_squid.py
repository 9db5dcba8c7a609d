"""The law of accounts behind a real forward proxy: with a password, refusing, dying in the middle.

squid has a clock of its own, so these run in real time, with waits of fractions of a second.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import ssl
import traceback
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from asyncsdk import RetryPolicy, UploadReport, UploadStopped
from asyncsdk.sandbox import Sandbox
from tests.network.squid import PASSWORD, USER, Squid, squid
from tests.rig import Rig, assert_accounts, client_at, phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator
    from pathlib import Path

    from asyncsdk import Phone

SOURCE = phones(1200)

QUICK = RetryPolicy(attempts=12, base=0.02, cap=0.2)

SCHEMES = ("http", "https")

GOOD = f"{USER}:{PASSWORD}"
WRONG = f"{USER}:wr0ng-{PASSWORD}"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment only what a test sets."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def behind_squid(
    scheme: str,
    rules: str,
    monkeypatch: pytest.MonkeyPatch,
    credentials: str = "",
    **options: Any,
) -> AsyncIterator[tuple[Rig, Squid]]:
    """A sandbox that is reached through a squid alone."""
    authority, trusting = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trusting)
    served = None
    if scheme == "https":
        served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(served)
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(ssl=served, latency=0.005))
        proxy = await stack.enter_async_context(squid(rules))
        monkeypatch.setenv("HTTP_PROXY", proxy.url(credentials))
        monkeypatch.setenv("HTTPS_PROXY", proxy.url(credentials))
        client = client_at(
            sandbox.url,
            client_id=sandbox.client_id,
            api_key=sandbox.api_key,
            ssl=trusting,
            trust_env=True,
            timeout=10.0,
            **options,
        )
        await stack.enter_async_context(client)
        yield Rig(sandbox, client, sandbox.add_group("people")), proxy


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


async def paced(rows: list[Phone]) -> AsyncIterator[Phone]:
    for i, row in enumerate(rows):
        if i % 50 == 0:
            await asyncio.sleep(0.02)
        yield row


def texts_of(error: BaseException | None) -> Iterator[str]:
    """Everything that somebody may print or keep of an error, and of what is behind it."""
    while error is not None:
        yield from (str(error), repr(error), repr(vars(error)), repr(error.args))
        yield "".join(traceback.format_exception(error))
        if isinstance(error, UploadStopped):
            yield from texts_of_report(error.report)
        else:
            yield pickle.dumps(error).decode("latin-1")
        error = error.__cause__ or error.__context__


def texts_of_report(report: UploadReport) -> Iterator[str]:
    yield from (str(report), repr(report), str(report.to_dict()))
    yield from (str(result) for result in report.results())


def assert_no_secret(texts: list[str], proxy: Squid) -> None:
    """No password, and no URL that would hold one."""
    for text in texts:
        assert PASSWORD not in text
        assert f"{USER}:" not in text
        assert proxy.url(GOOD) not in text
        assert proxy.url(WRONG) not in text


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("rules", "credentials"), [("open", ""), ("password", GOOD)])
def test_an_upload_through_it(
    scheme: str, rules: str, credentials: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with behind_squid(scheme, rules, monkeypatch, credentials) as (rig, proxy):
            report = await rig.upload(SOURCE, batch_size=20, on_unknown="reconcile")
            assert report.ok
            assert_accounts(report, rig.sandbox, SOURCE)
            assert any(line.startswith("20") for line in proxy.log) or scheme == "https"

    run(scenario())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("rules", "credentials", "status"),
    [("password", "", "407"), ("password", WRONG, "407"), ("refusing", "", "403")],
    ids=["no password", "wrong password", "refusing"],
)
def test_one_that_refuses_stops_it_at_once(
    scheme: str,
    rules: str,
    credentials: str,
    status: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario() -> None:
        async with behind_squid(scheme, rules, monkeypatch, credentials) as (rig, proxy):
            upload = rig.upload(SOURCE, batch_size=20, concurrency=8)
            with pytest.raises(UploadStopped) as caught:
                async with asyncio.timeout(8):
                    await upload
            report = caught.value.report
            await asyncio.sleep(0.3)  # its log follows
            asked = [line for line in proxy.log if not line.endswith(" -")]
            assert 1 <= len(asked) <= 3
            assert {line.partition(" ")[0] for line in asked} == {status}
            assert report.failed_count == report.submitted
            assert report.unknown_count == 0
            assert not report.complete
            assert status in str(caught.value)
            assert_accounts(report, rig.sandbox, SOURCE)
            assert not rig.sandbox.requests
            logged = [record.getMessage() + str(record.exc_text) for record in caplog.records]
            texts = [*texts_of(caught.value), repr(rig.client), repr(upload), *logged]
            assert_no_secret(texts, proxy)

    run(scenario())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_other_calls_say_it_too(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with behind_squid(scheme, "password", monkeypatch, WRONG) as (rig, proxy):
            for call in (
                rig.client.me,
                lambda: rig.client.groups.get(rig.group_id),
                lambda: rig.client.phones.create_batch(rig.group_id, ["+491601234567"]),
            ):
                with pytest.raises(Exception, match="407") as caught:
                    await call()
                assert_no_secret([*texts_of(caught.value)], proxy)

    run(scenario())


@pytest.mark.parametrize("how", ["memory", "journal"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_one_that_dies_in_the_middle_and_comes_back(
    scheme: str, how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    journal = tmp_path / "upload.journal" if how == "journal" else None

    async def scenario() -> None:
        async with behind_squid(scheme, "password", monkeypatch, GOOD) as (rig, proxy):
            upload = rig.upload(
                paced(SOURCE),
                batch_size=20,
                on_unknown="reconcile",
                quiet_period=0.3,
                retry=QUICK,
                journal=journal,
            ).start()
            for part in (300, 700):
                while upload.progress.created < part:  # noqa: ASYNC110 - real time, real proxy
                    await asyncio.sleep(0.01)
                await proxy.program.stop()
                await asyncio.sleep(0.5)
                await proxy.program.start()
            report = await upload
            assert report.ok, report.failed[0].error
            assert_accounts(report, rig.sandbox, SOURCE)

    run(scenario())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_one_that_dies_for_good_leaves_a_whole_account(
    scheme: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario() -> None:
        async with behind_squid(scheme, "password", monkeypatch, GOOD) as (rig, proxy):
            policy = RetryPolicy(attempts=3, base=0.05, cap=0.2, max_wait=1.0)
            upload = rig.upload(paced(SOURCE), batch_size=20, retry=policy).start()
            while upload.progress.created < 300:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.01)
            await proxy.program.stop()
            with pytest.raises(UploadStopped) as caught:
                await upload
            assert not upload.report.complete
            assert_accounts(upload.report, rig.sandbox, SOURCE)
            logged = [record.getMessage() + str(record.exc_text) for record in caplog.records]
            assert_no_secret([*texts_of(caught.value), *logged], proxy)

    run(scenario())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_without_trust_env_it_is_not_asked(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with behind_squid(scheme, "refusing", monkeypatch) as (rig, proxy):
            good = {"client_id": rig.sandbox.client_id, "api_key": rig.sandbox.api_key}
            if scheme == "http":
                async with client_at(rig.sandbox.url, **good) as client:
                    assert (await client.phones.upload(rig.group_id, SOURCE[:50])).ok
            assert not [line for line in proxy.log if not line.endswith(" -")]

    run(scenario())
