"""Asyncio bulk upload of phone lists to the LOX24 SMS gateway, with an account of every phone."""

from asyncsdk._version import __version__
from asyncsdk.client import Client
from asyncsdk.config import Adaptive, FailureLimit, Journal, Normalize, Rate, RetryPolicy
from asyncsdk.errors import (
    AccountInactiveError,
    ApiError,
    AsyncSDKError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    InsufficientFundsError,
    JournalError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    ProtocolError,
    RateLimitedError,
    ServerError,
    SourceError,
    TransportError,
    UnprocessableError,
)
from asyncsdk.models import (
    Account,
    CreatedPhone,
    Group,
    Phone,
    Problem,
    UnsubscribeReason,
    Violation,
)
from asyncsdk.progress import Progress
from asyncsdk.report import UploadFailed, UploadReport, UploadStopped, UploadSummary
from asyncsdk.results import Delivery, Outcome, PhoneResult, StoppedBy
from asyncsdk.upload.handle import Upload
from asyncsdk.upload.sender import Sender
from asyncsdk.wire.batch import BatchMember, BatchResponse

__all__ = [
    "Account",
    "AccountInactiveError",
    "Adaptive",
    "ApiError",
    "AsyncSDKError",
    "AuthenticationError",
    "BadRequestError",
    "BatchMember",
    "BatchResponse",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "CreatedPhone",
    "Delivery",
    "FailureLimit",
    "Group",
    "InsufficientFundsError",
    "Journal",
    "JournalError",
    "Normalize",
    "NotFoundError",
    "NotSentError",
    "Outcome",
    "OutcomeUnknownError",
    "PayloadTooLargeError",
    "Phone",
    "PhoneResult",
    "Problem",
    "Progress",
    "ProtocolError",
    "Rate",
    "RateLimitedError",
    "RetryPolicy",
    "Sender",
    "ServerError",
    "SourceError",
    "StoppedBy",
    "TransportError",
    "UnprocessableError",
    "UnsubscribeReason",
    "Upload",
    "UploadFailed",
    "UploadReport",
    "UploadStopped",
    "UploadSummary",
    "Violation",
    "__version__",
]
