"""Lists that go up from a browser, in an application of FastAPI (the extra `web`).

from asyncsdk.web import UploadJobs, upload_router

jobs = UploadJobs("/var/lib/app/uploads")
app = FastAPI(lifespan=jobs.lifespan)
app.include_router(upload_router(jobs, owner=user_name), prefix="/uploads")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncsdk.web.job import Choices, Job, JobState
    from asyncsdk.web.jobs import UploadJobs
    from asyncsdk.web.router import upload_router

__all__ = ["Choices", "Job", "JobState", "UploadJobs", "upload_router"]

_HOMES = {
    "Choices": "job",
    "Job": "job",
    "JobState": "job",
    "UploadJobs": "jobs",
    "upload_router": "router",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    try:
        return getattr(import_module(f"asyncsdk.web.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("asyncsdk"):
            raise
        msg = f"asyncsdk.web needs {error.name}: pip install 'asyncsdk[web]'"
        raise ImportError(msg) from error
