"""What goes wrong with the cluster, not with the upload."""

from __future__ import annotations

from asyncsdk.errors import AsyncSDKError

__all__ = ["ClusterError"]


class ClusterError(AsyncSDKError):
    """The cluster does not get the partitions done; the same call goes on with them."""
