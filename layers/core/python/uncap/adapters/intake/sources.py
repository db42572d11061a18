"""Where an uploaded file's bytes come from: any stretch of it at any time, from S3 or a disk.

Ranged reads, not one long stream: a slow consumer cannot lose its connection, and a continuation begins anywhere.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from uncap.domain.errors import NotFoundError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class ByteSource(Protocol):
    """A file of known size that can be read anywhere."""

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on; fewer only at the end. Raises TransientError."""
        ...


class BytesSource:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        """See `ByteSource`."""
        return self._data[offset : offset + length]


class FileSource:
    """A file on a disk, for the command line and for measurements."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """See `ByteSource`."""
        with self._path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


class S3Source:
    """One object. `etag` pins it: a file replaced while it is read is refused, not half read."""

    def __init__(self, s3: "S3Client", bucket: str, key: str) -> None:
        """Raises NotFoundError (`upload_missing`), TransientError (`store_unavailable`)."""
        self._s3, self._bucket, self._key = s3, bucket, key
        try:
            head = s3.head_object(Bucket=bucket, Key=key)
        except (BotoCoreError, ClientError) as cause:
            raise _translated(cause) from cause
        self.size = head["ContentLength"]
        self._etag = head["ETag"]

    def read_at(self, offset: int, length: int) -> bytes:
        """See `ByteSource`. Raises NotFoundError (`upload_missing`), TransientError (`store_unavailable`)."""
        stop = min(offset + length, self.size)
        if offset >= stop:
            return b""
        try:
            reply = self._s3.get_object(
                Bucket=self._bucket, Key=self._key, Range=f"bytes={offset}-{stop - 1}", IfMatch=self._etag
            )
            data = reply["Body"].read()
        except (BotoCoreError, ClientError, OSError) as cause:
            raise _translated(cause) from cause
        if len(data) != stop - offset:
            raise TransientError("store_unavailable", "the file's store gave fewer bytes than it promised")
        return data


def _translated(cause: Exception) -> NotFoundError | TransientError:
    code = cause.response.get("Error", {}).get("Code", "") if isinstance(cause, ClientError) else ""
    if code in _MISSING:
        return NotFoundError("upload_missing", "the file has not been uploaded, or has expired")
    return TransientError("store_unavailable", "the file's store did not answer")
