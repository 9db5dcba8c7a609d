"""Upload lists in partitions on a Dask cluster.

    export ASYNCSDK_CLIENT_ID=1234567 ASYNCSDK_API_KEY=... ASYNCSDK_REDIS_URL=redis://host:6379/0
    dask worker tcp://scheduler:8786                    # on any number of hosts
    DASK_SCHEDULER=tcp://scheduler:8786 python fleet_dask.py STATE GROUP LIST...

`STATE` is a folder that every host sees under the same path, and the first two variables are set on
every worker. Without `DASK_SCHEDULER` it makes a cluster of its own on this host. Ctrl-C stops all
workers; the same command goes on with what was interrupted.
"""

import os
import sys

from distributed import Client

from asyncsdk import UploadStopped
from asyncsdk.integrations import dask


def main(state: str, group: str, *lists: str) -> int:
    with Client(os.environ.get("DASK_SCHEDULER")) as client:
        try:
            report = dask.upload(
                list(lists),
                group=int(group),
                state=state,
                redis=os.environ["ASYNCSDK_REDIS_URL"],
                client=client,
                on_progress=print,
            )
        except UploadStopped as stopped:
            print(f"stopped: {stopped.cause}", file=sys.stderr)
            report = stopped.report
    print(report)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
