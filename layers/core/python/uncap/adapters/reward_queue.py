"""RewardQueue and ParkedQueue on SQS: batches of ten, partial failures sent again, nothing counted as sent that is not.

Used by relay, sweeper, reconcile, the console and the redrive command. Message forms: docs/architecture.md.
"""

import itertools
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from uncap.domain.errors import PoisonError, TransientError
from uncap.domain.rewards.ports import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MESSAGE_VERSION = 1
LOOKS = 100
_BATCH = 10
_TRIES = 5
_BACKOFF_S = 0.05


class RewardMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message on RewardQueue: a reward to move towards paid, or rewards to look at once if they still wait."""

    v: int
    reward_id: str = ""
    look: tuple[str, ...] = ()


class ParkedMessage(msgspec.Struct, frozen=True):
    """One message on ParkedQueue. `record` names its code by key, never by serial."""

    v: int
    source: str
    reason: str
    detail: str
    record: dict[str, Any]


def message_of(body: str) -> RewardMessage:
    """Decode and check a RewardQueue body. PoisonError (`message_malformed`, `message_version_unknown`)."""
    try:
        message = msgspec.json.decode(body, type=RewardMessage)
    except msgspec.MsgspecError as cause:
        raise PoisonError("message_malformed", "not a reward message") from cause
    if message.v != MESSAGE_VERSION:
        raise PoisonError("message_version_unknown", f"version {message.v} is not known here")
    if bool(message.reward_id) == bool(message.look):
        raise PoisonError("message_malformed", "a message names one reward to pay, or some to look at")
    return message


def sqs_client() -> "SQSClient":
    """A client with short time-outs; region, credentials and endpoint are botocore's to find."""
    config = Config(connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("sqs", config=config)


class SqsRewardQueue:
    """`domain.rewards.ports.RewardQueue`."""

    def __init__(
        self,
        client: "SQSClient",
        url: str,
        *,
        pool: Executor | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`pool` sends batches side by side; without one they go in order."""
        self._client = client
        self._url = url
        self._pool = pool
        self._pause = pause

    def send(self, reward_ids: Sequence[str]) -> None:
        """See `RewardQueue`. Entries that SQS refuses are sent again, with jitter, up to five times."""
        self._send([RewardMessage(MESSAGE_VERSION, one) for one in reward_ids])

    def later(self, reward_ids: Sequence[str], delay_s: int) -> None:
        """See `DelayedQueue`."""
        self._send([RewardMessage(MESSAGE_VERSION, one) for one in reward_ids], delay_s)

    def look(self, reward_ids: Sequence[str], delay_s: int) -> None:
        """See `RewardQueue`. A hundred rewards share a message."""
        chunks = [tuple(reward_ids[at : at + LOOKS]) for at in range(0, len(reward_ids), LOOKS)]
        self._send([RewardMessage(MESSAGE_VERSION, look=one) for one in chunks], delay_s)

    def _send(self, messages: Sequence[RewardMessage], delay_s: int = 0) -> None:
        texts = [msgspec.json.encode(one).decode() for one in messages]
        batches = [texts[at : at + _BATCH] for at in range(0, len(texts), _BATCH)]
        run = self._pool.map if self._pool else map
        for _ in run(self._send_batch, batches, itertools.repeat(delay_s)):
            pass  # consumed so that a batch's error is raised here

    def _send_batch(self, texts: Sequence[str], delay_s: int) -> None:
        left = {str(number): text for number, text in enumerate(texts)}
        for turn in range(_TRIES):
            if turn:
                self._pause(random.uniform(0, _BACKOFF_S * 2**turn))
            try:
                reply = self._client.send_message_batch(
                    QueueUrl=self._url,
                    Entries=[{"Id": key, "MessageBody": text, "DelaySeconds": delay_s} for key, text in left.items()],
                )
            except (ClientError, BotoCoreError) as cause:
                raise TransientError("queue_unavailable", "RewardQueue did not take the messages") from cause
            for sent in reply.get("Successful", []):
                left.pop(sent["Id"], None)
            if not left:
                return
        raise TransientError("queue_refused", f"RewardQueue refused {len(left)} messages again and again")


class SqsParkedQueue:
    """`domain.rewards.ports.ParkedQueue`."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def park(self, source: str, reason: str, detail: str, record: Mapping[str, Any]) -> None:
        """See `ParkedQueue`."""
        message = ParkedMessage(MESSAGE_VERSION, source, reason, detail, dict(record))
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=msgspec.json.encode(message).decode())
        except (ClientError, BotoCoreError) as cause:
            raise TransientError("queue_unavailable", "ParkedQueue did not take the record") from cause


class SqsInbox:
    """`domain.rewards.ports.Inbox` on any queue. A message taken and not deleted is back after a minute."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def receive(self) -> Sequence[Message]:
        """See `Inbox`. Waits up to a second, so that a queue that looks empty most likely is."""
        try:
            reply = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=1, VisibilityTimeout=60
            )
        except (ClientError, BotoCoreError) as cause:
            raise TransientError("queue_unavailable", "the queue gave nothing") from cause
        return [Message(one["ReceiptHandle"], one["Body"]) for one in reply.get("Messages", [])]

    def delete(self, receipt: str) -> None:
        """See `Inbox`."""
        try:
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)
        except (ClientError, BotoCoreError) as cause:
            raise TransientError("queue_unavailable", "the queue kept the message") from cause
