"""Uploads: their documents in Flow, their bytes in the Uploads bucket, their turns on IntakeQueue (docs/adr/0011).

The console announces and starts uploads through it, the intake job works on them.
"""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from uncap.adapters.documents import DocumentTable
from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import FlowItem
from uncap.domain.errors import InputError, NotFoundError, PoisonError, TransientError
from uncap.domain.intake.faults import RowFault
from uncap.domain.intake.issues import told_once
from uncap.domain.intake.uploads import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sqs import SQSClient

PUT_SECONDS = 3_600
MESSAGE_VERSION = 1
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_FAULTS = msgspec.json.Decoder(tuple[RowFault, ...])


class Entry(msgspec.Struct, frozen=True):
    """An upload in the list: `uploads` / `{created_at_ms:013d}#{upload_id}`."""

    upload_id: str


class Turn(msgspec.Struct, frozen=True):
    """One message on IntakeQueue: work on this run of this upload."""

    v: int
    upload_id: str
    run: int


def turn_of(body: str) -> Turn:
    """Raises PoisonError (`message_malformed`)."""
    try:
        turn = msgspec.json.decode(body, type=Turn)
    except msgspec.MsgspecError as cause:
        raise PoisonError("message_malformed", "not a turn of an upload") from cause
    if turn.v != MESSAGE_VERSION:
        raise PoisonError("message_malformed", f"version {turn.v} is not known here")
    return turn


class UploadTable:
    """Uploads and their faults in Flow."""

    def __init__(self) -> None:
        self._docs = DocumentTable(FlowItem)

    def read(self, upload_id: str) -> Upload | None:
        """Strongly consistent. Raises TransientError."""
        return self._docs.value(f"upload#{upload_id}", "meta", Upload)

    def save(self, upload: Upload) -> Upload:
        """If the stored version is the one before. Raises ConflictError (`changed_meanwhile`), TransientError."""
        item = FlowItem(f"upload#{upload.upload_id}", "meta", doc=_text(upload), v=upload.version)
        condition = FlowItem.pk.does_not_exist() if upload.version == 1 else FlowItem.v == upload.version - 1
        with translated("changed_meanwhile"):
            item.save(condition=condition)
        return upload

    def keep(self, upload: Upload, key: str, faults: Sequence[RowFault]) -> None:
        """Faults of one stretch of the file; the same stretch again replaces them. `key` sorts as the file does."""
        with translated():
            FlowItem(f"upload#{upload.upload_id}", _fault_sk(upload.run, key), doc=_text(tuple(faults)), v=1).save()

    def faults(self, upload: Upload, limit: int) -> list[RowFault]:
        """The kept faults of its run, in order of lines, at most `limit`."""
        found: list[RowFault] = []
        prefix, after = _fault_sk(upload.run, ""), ""
        while True:
            page = self._docs.page(f"upload#{upload.upload_id}", prefix, 50, after)
            for _, doc in page.rows:
                found += _FAULTS.decode(doc)
            after = page.after
            if not after:
                return told_once(found)[:limit]


class UploadStore:
    """The bucket."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    @property
    def client(self) -> "S3Client":
        """For readers of the bytes."""
        return self._s3

    @property
    def bucket(self) -> str:
        """Its name."""
        return self._bucket

    def put_request(self, upload: Upload) -> tuple[str, dict[str, str]]:
        """URL and headers of the one PUT that is allowed for an hour: these very bytes, whose hash S3 checks."""
        checksum = base64.b64encode(bytes.fromhex(upload.sha256)).decode()
        url = self._s3.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self._bucket,
                "Key": upload.key,
                "ContentLength": upload.size,
                "ChecksumSHA256": checksum,
            },
            ExpiresIn=PUT_SECONDS,
            HttpMethod="PUT",
        )
        return url, {"Content-Length": str(upload.size), "x-amz-checksum-sha256": checksum}

    def holds(self, upload: Upload) -> bool:
        """Whether exactly the announced bytes are there. Raises TransientError (`store_unavailable`)."""
        try:
            self.check(upload)
        except NotFoundError:
            return False
        except InputError as error:
            if error.code == "upload_differs":
                return False
            raise
        return True

    def check(self, upload: Upload) -> None:
        """Raises NotFoundError (`upload_missing`), InputError (`upload_differs`), TransientError."""
        try:
            head = self._s3.head_object(Bucket=self._bucket, Key=upload.key, ChecksumMode="ENABLED")
        except ClientError as cause:
            if cause.response.get("Error", {}).get("Code", "") in _MISSING:
                raise NotFoundError("upload_missing", "the file has not been uploaded, or has expired") from cause
            raise TransientError("store_unavailable", "the file's store did not answer") from cause
        except BotoCoreError as cause:
            raise TransientError("store_unavailable", "the file's store did not answer") from cause
        found = base64.b64decode(head.get("ChecksumSHA256", "")).hex()
        if head["ContentLength"] != upload.size or found != upload.sha256:
            raise InputError("upload_differs", "the bytes in the store are not those that were announced")


class IntakeQueue:
    """Turns for the intake job."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client, self._url = client, url

    def send(self, upload: Upload, delay_s: int = 0) -> None:
        """Raises TransientError (`queue_unavailable`)."""
        body = _text(Turn(MESSAGE_VERSION, upload.upload_id, upload.run))
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_s)
        except (ClientError, BotoCoreError) as cause:
            raise TransientError("queue_unavailable", "IntakeQueue did not take the upload") from cause


def s3_client() -> "S3Client":
    """Signature version 4 in the bucket's own region, as temporary credentials and KMS ask for."""
    config = Config(
        connect_timeout=2,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 4},
        signature_version="s3v4",
        s3={"addressing_style": "auto"},
    )
    return boto3.client("s3", config=config)


def _fault_sk(run: int, key: str) -> str:
    return f"faults#{run:04d}#{key}"


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
