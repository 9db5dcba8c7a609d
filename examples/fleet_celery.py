"""Upload lists in partitions by Celery workers, with Redis as the broker and for the pace.

    export ASYNCSDK_CLIENT_ID=1234567 ASYNCSDK_API_KEY=... ASYNCSDK_REDIS_URL=redis://host:6379/0
    celery -A fleet_celery worker --concurrency 4      # on any number of hosts
    python fleet_celery.py STATE GROUP LIST...

`STATE` is a folder that every host sees under the same path. Celery delivers a task again whose
worker was lost, and with Redis also one that takes longer than `visibility_timeout`: here that goes
on where it was, or takes over, and sends nothing twice. Retries are for an outage, not for a key
that was refused.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from celery import Celery, group

from asyncsdk import Rate, TransportError, UploadReport, UploadStopped, fleet
from asyncsdk.errors import FencedError
from asyncsdk.integrations.redis import SharedPace

REDIS = os.environ["ASYNCSDK_REDIS_URL"]

app = Celery("fleet", broker=REDIS, backend=REDIS)
app.conf.update(
    task_acks_late=True,  # a task is over when it is done, not when it begins
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3600},
)


@app.task(bind=True, name="asyncsdk.partition", max_retries=None)
def partition(self: Any, state: str, index: int) -> str:
    """Upload one partition, or go on with it."""
    pace = SharedPace(REDIS, rate=Rate(10))
    try:
        return str(asyncio.run(fleet.run(state, index, pace=pace)))
    except FencedError:
        return "another worker has it"
    except UploadStopped as stopped:
        if isinstance(stopped.cause, TransportError):
            raise self.retry(countdown=60) from None
        raise RuntimeError(str(stopped.cause)) from None


def main(state: str, number: str, *lists: str) -> int:
    state = str(Path(state).resolve())
    manifest = asyncio.run(fleet.plan(lists, int(number), state))
    everything = group(partition.s(state, index) for index in range(len(manifest.partitions)))
    everything.apply_async().get()  # the first error is raised here
    report = UploadReport.open_all(state)
    print(report)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
