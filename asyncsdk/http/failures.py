"""The errors of aiohttp become ours, which say what is certain."""

from __future__ import annotations

import re
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from asyncsdk.errors import NotSentError, OutcomeUnknownError
from asyncsdk.http.certainty import CertificateError, ProxyRefusedError, StaleConnectionError

if TYPE_CHECKING:
    from asyncsdk.http.exchange import Attempt

__all__ = ["failure_of"]

_UNTRUSTED = (aiohttp.ClientConnectorCertificateError, aiohttp.ServerFingerprintMismatch)
_REFUSED_BY_PROXY = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED})
_SIGNERS = frozenset({18, 19, 20, 21})
"""What OpenSSL calls a certificate that nobody known has signed:
https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/"""
_USERINFO = re.compile(r"(?<=://)[^/@\s]*@")


def failure_of(error: Exception, attempt: Attempt) -> NotSentError | OutcomeUnknownError:
    """The error of an exchange that failed, other than by running out of time.

    Messages name the kind of failure, never headers, bodies or what stands before an `@` in a URL.
    """
    if isinstance(error, ValueError) and not isinstance(error, aiohttp.ClientError):
        # aiohttp's parser, on a reply that is no HTTP
        return OutcomeUnknownError(f"the reply was not HTTP: {type(error).__name__}")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _refused_by_proxy(error.status)
    kind = _USERINFO.sub("", f"{type(error).__name__}: {error}".removesuffix(": "))
    if attempt.left and not isinstance(error, aiohttp.ClientConnectorError):
        return OutcomeUnknownError(f"the connection was lost before a whole reply came ({kind})")
    return _not_sent(error, kind)


def _not_sent(error: Exception, kind: str) -> NotSentError:
    if isinstance(error, _UNTRUSTED):
        if _signed_by_others(error):
            msg = (
                f"the server's certificate is not trusted ({kind}): SSL_CERT_FILE, or ssl=, names "
                "other authorities"
            )
            return CertificateError(msg)
        return CertificateError(f"the server's certificate is not trusted ({kind})")
    if isinstance(error, aiohttp.ClientConnectorError):
        return NotSentError(f"no connection ({kind})")
    return StaleConnectionError(f"the connection was closed before the request left ({kind})")


def _signed_by_others(error: Exception) -> bool:
    """Whether nobody known has signed it; else it has expired, or is of another name."""
    found = getattr(error, "certificate_error", None)
    return isinstance(found, ssl.SSLCertVerificationError) and found.verify_code in _SIGNERS


def _refused_by_proxy(status: int) -> NotSentError:
    if status in _REFUSED_BY_PROXY:
        needs = "its user and password" if status != HTTPStatus.FORBIDDEN else "what it allows"
        return ProxyRefusedError(f"the proxy refuses to connect (HTTP {status}): check {needs}")
    return NotSentError(f"no connection: the proxy answered HTTP {status}")
