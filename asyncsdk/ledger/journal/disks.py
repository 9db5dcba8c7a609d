"""Whether a file is on a disk of this host: what SQLite keeps in memory beside a log is not shared.

A journal with a log is written to by the processes of one host, which map a file into their memory;
over a network each host would see one of its own, and take for free what another one writes.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["network_disk"]

_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\([0-7]{3})")
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|9p|afs|ceph|lustre|beegfs\w*|fhgfs|gpfs|glusterfs|gfs2?|ocfs2|orangefs|pvfs2"
    r"|ncpfs|coda|davfs|wekafs|vboxsf|prl_fs"
    r"|fuse\.(?:sshfs|ceph\w*|gluster\w*|s3fs|rclone|davfs2?|gcsfuse|blobfuse2?|goofys|juicefs"
    r"|curlftpfs|vmhgfs-fuse|mount-s3|mountpoint-s3|nfs\w*|smb\w*)"
)
"""What file systems of several hosts are called there."""


def network_disk(path: Path, mounts: Path | None = None) -> str | None:
    """The file system that a file is on, if that is one of a network; None where nobody can tell.

    Args:
        path: The file, which need not be there.
        mounts: The mounts of this process, as proc(5) describes them; None for where these are.
    """
    try:
        table = (
            (mounts or _MOUNTS).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        )
    except OSError:  # another system
        return None
    place = path.resolve()
    above = {place, *place.parents}
    found: tuple[int, str] = 0, ""
    for line in table:
        fields, _, rest = line.partition(" - ")
        where = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), fields.split()[4]))
        if where in above and len(where.parts) >= found[0]:  # of two the later covers the other
            found = len(where.parts), rest.split()[0]
    return found[1] if _NETWORK.fullmatch(found[1]) else None
