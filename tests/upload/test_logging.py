"""What the logger `asyncsdk` says of an upload, and how loud."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from asyncsdk import FailureLimit, ServerError, UploadStopped
from asyncsdk.errors import InsufficientFundsError
from asyncsdk.sandbox import Faults
from tests.rig import connected, numbers, phones

if TYPE_CHECKING:
    from tests.rig import Rig


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "asyncsdk")


def told(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "asyncsdk" and record.levelno == level
    ]


async def test_what_began_and_how_it_ended(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.sandbox.hold(rig.group_id, numbers(1))
    await rig.upload([*numbers(3), ""], existing="skip")
    assert told(caplog, logging.INFO) == [
        f"an upload into group {rig.group_id} begins",
        f"an upload into group {rig.group_id} ended: 2 created, 1 invalid, 0 failed, 1 skipped",
    ]
    assert not told(caplog, logging.WARNING)


async def test_a_dry_run_is_told_as_one(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    await rig.upload([*numbers(3), "", *numbers(1)], dry_run=True, duplicates="skip")
    ended = told(caplog, logging.INFO)[-1]
    assert ended.endswith("0 created, 1 invalid, 0 failed, 3 would be sent, 1 skipped")


async def test_a_pause_and_what_it_is_for(caplog: pytest.LogCaptureFixture) -> None:
    async with connected(faults=Faults.script(["503"], retry_after=0.0)) as rig:
        await rig.upload(phones(3))
    (pause,) = told(caplog, logging.WARNING)
    assert pause.startswith("all requests pause for ")
    assert "503" in pause


async def test_why_it_stopped(caplog: pytest.LogCaptureFixture) -> None:
    async with connected(faults=Faults.script(["402"])) as rig:
        upload = rig.upload(phones(3)).start()
        with pytest.raises(UploadStopped):
            await upload
        assert upload.done
        assert isinstance(upload.error, InsufficientFundsError)
    (why,) = told(caplog, logging.WARNING)
    assert why.startswith("an upload stops: ")
    assert not isinstance(upload.error, ServerError)


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"stop_when": FailureLimit(count=1)}, "stop_when"), ({"deadline": 1e-9}, "deadline")],
)
async def test_a_limit_that_was_reached_is_a_warning(
    rig: Rig, caplog: pytest.LogCaptureFixture, options: dict[str, Any], reason: str
) -> None:
    await rig.upload(["", *numbers(30)], batch_size=1, **options)
    assert told(caplog, logging.WARNING) == [f"an upload stops: {reason}"]


async def test_what_its_holder_does_is_none(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    await rig.upload(phones(3)).stop()
    upload = rig.upload(phones(3))
    assert (upload.done, upload.error) == (False, None)
    upload.cancel()
    assert upload.done, "it never begins"
    started = rig.upload(phones(3)).start()
    started.cancel()
    await started
    assert (started.done, started.error) == (True, None)
    assert not told(caplog, logging.WARNING)
