"""Upload lists in partitions by the executors of a Spark cluster.

    export ASYNCSDK_CLIENT_ID=1234567 ASYNCSDK_API_KEY=... ASYNCSDK_REDIS_URL=redis://host:6379/0
    spark-submit fleet_spark.py STATE GROUP LIST...

`STATE` is a folder that the driver and every executor see under the same path, and the variables
are set there, too (`spark.executorEnv.…`). Spark runs a task again that failed, and with
speculation one that is slow, while it still runs: here the later run takes over, and the earlier
one is refused its next request. So nothing is sent twice, but speculation gains nothing: leave it
off.
"""

import asyncio
import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from asyncsdk import Rate, UploadReport, fleet
from asyncsdk.errors import FencedError
from asyncsdk.integrations.redis import SharedPace


def upload(state: str, index: int) -> str:
    """Upload one partition, or go on with it."""
    pace = SharedPace(os.environ["ASYNCSDK_REDIS_URL"], rate=Rate(10))
    try:
        return str(asyncio.run(fleet.run(state, index, pace=pace)))
    except FencedError:
        return "another executor has it"


def main(state: str, group: str, *lists: str) -> int:
    state = str(Path(state).resolve())
    count = len(asyncio.run(fleet.plan(lists, int(group), state)).partitions)
    spark = SparkSession.builder.appName("asyncsdk").getOrCreate()
    try:
        each = spark.sparkContext.parallelize(range(count), count)
        each.map(lambda index: upload(state, index)).collect()
    finally:
        spark.stop()
    report = UploadReport.open_all(state)
    print(report)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
