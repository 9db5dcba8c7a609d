"""A Dask DataFrame as files: each of its partitions is written once, by the worker that has it."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from asyncsdk.errors import SourceError, reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["is_frame", "paths_of", "write", "writing"]

_LONGEST = 200
"""Characters of what an error of others says: it may show cells."""


def is_frame(sources: object) -> bool:
    """Whether these are the partitions of a frame, not paths."""
    return hasattr(sources, "to_delayed") and hasattr(sources, "npartitions")


def paths_of(frame: Any, state: str) -> list[Path]:
    """Where each partition is to be, in its order.

    Raises:
        SourceError: Another frame was written there.
    """
    folder = Path(state) / "frame"
    paths = [folder / f"part-{index:06d}.parquet" for index in range(frame.npartitions)]
    if set(folder.glob("part-*.parquet")) - set(paths):
        msg = (
            f"{folder} has the partitions of another data frame: give another folder as state= "
            "for this one"
        )
        raise SourceError(msg)
    return paths


def writing(frame: Any, paths: Sequence[Path]) -> list[Any]:
    """What is to be computed so that those files are there which are not."""
    from dask.delayed import delayed

    parts = frame.to_delayed()
    return [
        delayed(write, pure=False)(part, str(path))
        for part, path in zip(parts, paths, strict=True)
        if not path.exists()
    ]


def write(part: Any, path: str) -> str | None:
    """Write one partition; what is wrong where that cannot be done.

    Nothing is raised: the cluster would write a log of it. A file that is there stays as it is: it
    may have been planned, and a frame need not give the same rows twice.
    """
    target = Path(path)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=target.parent, suffix=".tmp") as file:
            part.to_parquet(file, index=False)
            file.flush()
            os.fsync(file.fileno())
            if not target.exists():
                os.link(file.name, target)
    except FileExistsError:  # another worker was faster
        return None
    except Exception as error:  # noqa: BLE001 - frames of others may raise anything
        return f"{target.name}: {reason_of(error)[:_LONGEST]}"
    return None
