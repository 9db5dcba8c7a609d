"""Why a job cannot do what it was asked for; each says what helps, and has its HTTP status."""

from __future__ import annotations

from http import HTTPStatus

from asyncsdk.errors import AsyncSDKError

__all__ = [
    "CrossSiteError",
    "FileRefusedError",
    "GroupRefusedError",
    "JobError",
    "NoRoomError",
    "NoSuchJobError",
    "NotInvitedError",
    "NotKnownError",
    "NotNowError",
    "TooLargeError",
]


class JobError(AsyncSDKError):
    """Root of these errors.

    Attributes:
        status: The HTTP status that says it.
    """

    status: HTTPStatus = HTTPStatus.BAD_REQUEST


class NotKnownError(JobError):
    """Nobody knows who asks: the application gave no owner."""

    status: HTTPStatus = HTTPStatus.UNAUTHORIZED


class NoSuchJobError(JobError):
    """There is no such job, or it is somebody else's: nobody learns which."""

    status: HTTPStatus = HTTPStatus.NOT_FOUND


class NotNowError(JobError):
    """The job is in a state in which this cannot be done."""

    status: HTTPStatus = HTTPStatus.CONFLICT


class TooLargeError(JobError):
    """A file is larger than a list may be here; not all of it was read."""

    status: HTTPStatus = HTTPStatus(413)


class FileRefusedError(JobError):
    """A file is no list, has too many rows, or was refused by whoever scans files."""

    status: HTTPStatus = HTTPStatus(422)


class NoRoomError(JobError):
    """The server has no room for the file, or cannot write it."""

    status: HTTPStatus = HTTPStatus.INSUFFICIENT_STORAGE


class GroupRefusedError(JobError):
    """This user may not put phones into this group."""

    status: HTTPStatus = HTTPStatus.FORBIDDEN


class NotInvitedError(JobError):
    """The page is somebody else's: it was not opened by its secret address."""

    status: HTTPStatus = HTTPStatus.FORBIDDEN


class CrossSiteError(JobError):
    """A request that another site's page made: whoever sits before it did not ask for it."""

    status: HTTPStatus = HTTPStatus.FORBIDDEN
