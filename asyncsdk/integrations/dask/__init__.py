"""An upload in partitions on a Dask cluster: the extra `dask`."""

from asyncsdk.integrations.dask.errors import ClusterError
from asyncsdk.integrations.dask.upload import upload

__all__ = ["ClusterError", "upload"]
