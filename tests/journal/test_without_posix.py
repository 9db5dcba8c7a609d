"""Where there is nothing that only POSIX has: the package is imported, and a journal is kept."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from asyncsdk import UploadReport
from tests.parts import ZSTD
from tests.rig import known

if TYPE_CHECKING:
    from pathlib import Path

TAKEN_AWAY = """
import asyncio, importlib, importlib.abc, os, pkgutil, signal, sys, types
import aiohttp, aiohttp.web, aiolimiter, attrs, cattrs, jinja2, msgspec, rich.console, typer
import rich.live, rich.progress, rich.table, concurrent.futures, ctypes, http.server
import multiprocessing, shlex, socket, sqlite3, subprocess, tempfile, unittest.mock
import tarfile, xml.sax, zipfile
import narwhals, polars, pandas, python_calamine, phonenumbers, duckdb
import fastapi, uvicorn, trustme, pytest
importlib.import_module(sys.argv[2])

OS = '''
    O_ACCMODE O_ASYNC O_CLOEXEC O_DIRECT O_DIRECTORY O_DSYNC O_NDELAY O_NOATIME O_NOCTTY O_NOFOLLOW
    O_NONBLOCK O_PATH O_RSYNC O_SYNC chown chroot ctermid eventfd fchdir fchmod fchown fdatasync
    fork forkpty fpathconf fstatvfs get_blocking getegid geteuid getgid getgrouplist getgroups
    getloadavg getpgid getpgrp getpriority getresgid getresuid getsid getuid initgroups killpg
    lchown lockf major makedev memfd_create minor mkfifo mknod nice openpty pathconf
    pidfd_open pipe2 posix_fadvise posix_fallocate posix_spawn posix_spawnp pread preadv pwrite
    pwritev readv register_at_fork sched_getaffinity sched_setaffinity sched_yield sendfile
    set_blocking setegid seteuid setgid setgroups setpgid setpriority setregid setresgid setresuid
    setreuid setsid setuid splice statvfs sync sysconf tcgetpgrp tcsetpgrp ttyname uname wait wait3
    wait4 waitid writev WIFSIGNALED WIFEXITED WNOHANG
'''.split()
SIGNALS = '''
    SIGALRM SIGBUS SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGPROF SIGQUIT SIGSTOP SIGTSTP SIGTTIN
    SIGTTOU SIGUSR1 SIGUSR2 SIGWINCH alarm getitimer pause pidfd_send_signal pthread_kill
    pthread_sigmask setitimer siginterrupt sigpending sigtimedwait sigwait sigwaitinfo
'''.split()
MODULES = {"fcntl", "grp", "pwd", "resource", "termios", "tty", "pty", "syslog"}
for module, names in ((os, OS), (signal, SIGNALS)):
    taken = [name for name in names if hasattr(module, name)]
    assert len(taken) > len(names) * 0.7, "this is a test for POSIX"
    for name in taken:
        delattr(module, name)
os.process_cpu_count = os.cpu_count  # as os has it where there is no affinity

class Nowhere(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in MODULES:
            raise ImportError(name)

sys.meta_path.insert(0, Nowhere())
for name in MODULES:
    sys.modules.pop(name, None)

locked = {}

def locking(file, mode, size):
    found, own = os.fstat(file), os.lseek(file, 0, os.SEEK_CUR)
    place = (found.st_dev, found.st_ino, own)
    holder = locked.get(place)
    if holder is not None and holder != file:
        try:
            if os.path.samestat(os.fstat(holder), found):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            if error.errno == 13:
                raise
    locked[place] = file

msvcrt = sys.modules["msvcrt"] = types.ModuleType("msvcrt")
msvcrt.locking, msvcrt.LK_NBLCK, msvcrt.LK_UNLCK = locking, 2, 0

import asyncsdk

for module in pkgutil.walk_packages(asyncsdk.__path__, "asyncsdk."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)

from asyncsdk import JournalError, UploadReport, UploadStopped
from tests.rig import assert_accounts, connected, phones

async def main():
    source, journal = phones(2000), sys.argv[1]
    async with connected() as rig:
        options = {"journal": journal, "batch_size": 10, "on_unknown": "reconcile"}
        upload = rig.upload(source, **options).start()
        while upload.progress.created < 500:
            await asyncio.sleep(0)
        assert UploadReport.open(journal).stopped_by == "running"
        try:
            await rig.upload(source, **options)
        except (JournalError, UploadStopped) as error:
            assert f"in use by process {os.getpid()}" in str(error)
        else:
            raise AssertionError
        report = await upload.stop()
        assert_accounts(report, rig.sandbox, source)
        report = await rig.upload(source, **options)
        assert_accounts(report, rig.sandbox, source)
        assert report.created_count == 2000
        print(report)

asyncio.run(main())
"""


def test_without_what_only_posix_has(journal: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TAKEN_AWAY, str(journal), ZSTD],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2,000 phones: 2,000 created")
    assert len(known(UploadReport.open(journal))) == 2000
