"""The queue adapter: tens, partial failures sent again, and nothing reported as sent that was refused."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from uncap.adapters.reward_queue import SqsInbox, SqsParkedQueue, SqsRewardQueue, message_of
from uncap.domain.errors import PoisonError, TransientError


class Sqs:
    """Refuses each entry as often as `refusals` says; remembers what it took."""

    def __init__(self, refusals: int = 0, error: Exception | None = None) -> None:
        self.refusals, self.error = refusals, error
        self.taken: list[str] = []
        self.calls: list[int] = []
        self.delays: set[int] = set()

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        if self.error:
            raise self.error
        self.calls.append(len(Entries))
        refused = Entries[:1] if self.refusals else []
        self.refusals -= bool(refused)
        good = Entries[len(refused) :]
        self.taken += [json.loads(entry["MessageBody"]).get("reward_id", "look") for entry in good]
        self.delays |= {entry["DelaySeconds"] for entry in good}
        return {
            "Successful": [{"Id": entry["Id"]} for entry in good],
            "Failed": [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in refused],
        }

    def send_message(self, **_: str) -> None:
        raise self.error or AssertionError

    receive_message = delete_message = send_message


def queue(sqs: Sqs) -> SqsRewardQueue:
    return SqsRewardQueue(sqs, "url", pause=lambda _: None)  # type: ignore[arg-type]


def test_messages_go_in_tens() -> None:
    sqs = Sqs()
    queue(sqs).send([str(number) for number in range(23)])
    assert sqs.calls == [10, 10, 3]
    assert sqs.taken == [str(number) for number in range(23)]


def test_a_hundred_rewards_share_a_look() -> None:
    sqs = Sqs()
    queue(sqs).look([str(number) for number in range(205)], 300)
    assert (sqs.taken, sqs.delays) == (["look"] * 3, {300})
    assert message_of('{"v":1,"look":["a","b"]}').look == ("a", "b")


def test_refused_entries_are_sent_again_and_only_those() -> None:
    sqs = Sqs(refusals=2)
    queue(sqs).send(["a", "b", "c"])
    assert sqs.calls == [3, 1, 1]
    assert sorted(sqs.taken) == ["a", "b", "c"]


def test_endless_refusal_is_transient() -> None:
    with pytest.raises(TransientError, match="queue_refused"):
        queue(Sqs(refusals=99)).send(["a"])


ERRORS = [
    ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, "SendMessageBatch"),
    ConnectTimeoutError(endpoint_url="https://sqs"),
]


@pytest.mark.parametrize("error", ERRORS)
def test_an_unavailable_queue_is_transient(error: Exception) -> None:
    client: Any = Sqs(error=error)
    with pytest.raises(TransientError, match="queue_unavailable"):
        queue(client).send(["a"])
    with pytest.raises(TransientError, match="queue_unavailable"):
        SqsParkedQueue(client, "url").park("s", "r", "d", {})
    with pytest.raises(TransientError, match="queue_unavailable"):
        SqsInbox(client, "url").receive()
    with pytest.raises(TransientError, match="queue_unavailable"):
        SqsInbox(client, "url").delete("receipt")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"v":1}',
        '{"v":"1","reward_id":"x"}',
        '{"v":1,"reward_id":7}',
        '{"v":1,"reward_id":"x","look":["y"]}',
    ],
)
def test_malformed_messages_are_poison(body: str) -> None:
    with pytest.raises(PoisonError, match="message_malformed"):
        message_of(body)


def test_fields_of_a_later_deployment_are_tolerated_other_versions_are_not() -> None:
    assert message_of('{"v":1,"reward_id":"x","later":true}').reward_id == "x"
    with pytest.raises(PoisonError, match="message_version_unknown"):
        message_of('{"v":2,"reward_id":"x"}')
