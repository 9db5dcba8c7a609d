"""One upload in partitions, by any number of processes.

`plan` reads the lists once and writes a manifest into a folder; `run` uploads one partition of it,
and may be called any number of times, by whatever starts processes; `UploadReport.open_all` is the
account of all of them, at any time, from anywhere that can read the folder. What a process needs is
in the folder, and the credentials in its environment.
"""

from asyncsdk.fleet.manifest import ListFile, Manifest, Partition
from asyncsdk.fleet.planning import plan
from asyncsdk.fleet.rejecting import to_rejects
from asyncsdk.fleet.running import run
from asyncsdk.fleet.whole import progress, run_all

__all__ = [
    "ListFile",
    "Manifest",
    "Partition",
    "plan",
    "progress",
    "run",
    "run_all",
    "to_rejects",
]
