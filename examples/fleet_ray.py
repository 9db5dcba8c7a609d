"""Upload lists in partitions on a Ray cluster.

    export ASYNCSDK_CLIENT_ID=1234567 ASYNCSDK_API_KEY=... ASYNCSDK_REDIS_URL=redis://host:6379/0
    python fleet_ray.py STATE GROUP LIST...

`STATE` is a folder that every node sees under the same path; the variables are set on every node,
too, as `ray start` found them. Ray runs a task again whose worker died: here that goes on where it
was, and sends nothing twice. The same command goes on with what was interrupted.
"""

import asyncio
import os
import sys
from pathlib import Path

import ray

from asyncsdk import Rate, UploadReport, fleet
from asyncsdk.integrations.redis import SharedPace


@ray.remote(max_retries=-1, num_cpus=0.5)
def partition(state: str, index: int) -> str:
    """Upload one partition, or go on with it."""
    pace = SharedPace(os.environ["ASYNCSDK_REDIS_URL"], rate=Rate(10))
    return str(asyncio.run(fleet.run(state, index, pace=pace)))


def main(state: str, group: str, *lists: str) -> int:
    state = str(Path(state).resolve())
    manifest = asyncio.run(fleet.plan(lists, int(group), state))
    ray.init(address=os.environ.get("RAY_ADDRESS"), log_to_driver=False)
    waiting = [partition.remote(state, index) for index in range(len(manifest.partitions))]
    try:
        while waiting:
            done, waiting = ray.wait(waiting)
            ray.get(done)  # the first error ends the whole: a key that is refused, for one
            print(fleet.progress(state))
    finally:
        for task in waiting:
            ray.cancel(task)
        ray.shutdown()
    report = UploadReport.open_all(state)
    print(report)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
