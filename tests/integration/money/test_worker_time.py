"""A worker that is short of time begins only what it can end: one ended in the middle brings a whole batch back."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest

from functions.payout_worker import handler as worker
from functions.reward_relay import handler as relay_function
from tests.integration.money.conftest import bodies, sample
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.reward_queue import RewardMessage
from uncap.runtime.settings import RelaySettings
from uncap.runtime.wiring_back import PayoutTools, RelayTools
from uncap.services.take_message import OUT_OF_TIME

RESERVE_MS = 5_000


class Outbox:
    """A queue that remembers what it was given, and when to deliver it."""

    def __init__(self) -> None:
        self.again: dict[str, int] = {}
        self.looks: list[str] = []

    def send(self, reward_ids: Sequence[str]) -> None:
        self.later(reward_ids, 0)

    def later(self, reward_ids: Sequence[str], delay_s: int) -> None:
        self.again |= dict.fromkeys(reward_ids, delay_s)

    def look(self, reward_ids: Sequence[str], delay_s: int) -> None:
        assert delay_s >= 0
        self.looks += reward_ids


@pytest.fixture
def outbox(monkeypatch: pytest.MonkeyPatch, payouts: PayoutTools) -> Outbox:
    """What the worker sends anew."""
    made = Outbox()
    tools = dataclasses.replace(payouts, queue=made, reserve_ms=RESERVE_MS)
    monkeypatch.setattr(worker, "payout_tools", lambda: tools)
    return made


@pytest.fixture
def owed(monkeypatch: pytest.MonkeyPatch, relay: RelayTools, settings: RelaySettings, context: Any) -> list[str]:
    """Rewards with a message each, from the sample's claims."""
    serial = dataclasses.replace(relay, granter=dataclasses.replace(relay.granter, pool=None))
    monkeypatch.setattr(relay_function, "relay_tools", lambda: serial)
    relay_function.handler(sample("reward_relay/claims"), context)
    return [one["reward_id"] for one in bodies(settings.reward_queue_url)]


def event_of(messages: Iterable[RewardMessage]) -> dict[str, Any]:
    one = sample("payout_worker/messages")["Records"][0]
    texts = [msgspec.json.encode(message).decode() for message in messages]
    return {"Records": [one | {"messageId": str(number), "body": body} for number, body in enumerate(texts)]}


def attempted(reward_id: str) -> bool:
    reward = DynamoLedger().get(reward_id)
    return reward is not None and reward.attempt is not None


def test_what_there_is_no_time_for_goes_back_as_new(outbox: Outbox, owed: list[str], context: Any) -> None:
    left = iter([30_000, RESERVE_MS, *[RESERVE_MS - 1] * len(owed)])  # asked at first, then before each message
    context.get_remaining_time_in_millis = lambda: next(left)
    failed = worker.handler(event_of(RewardMessage(1, one) for one in owed), context)
    assert failed == {"batchItemFailures": []}, "a message that comes back is one receive nearer to the dead letters"
    assert outbox.again == dict.fromkeys(owed[1:], 1)
    assert outbox.looks == owed[:1]
    assert [attempted(one) for one in owed] == [True, *[False] * (len(owed) - 1)]


def test_with_hardly_any_time_something_is_begun_all_the_same(outbox: Outbox, owed: list[str], context: Any) -> None:
    """Else a start from cold that takes most of the time would send everything back for ever."""
    context.get_remaining_time_in_millis = lambda: 700
    worker.handler(event_of(RewardMessage(1, one) for one in owed), context)
    assert outbox.again == {}
    assert all(attempted(one) for one in owed)


def test_a_look_there_is_no_time_for_stays_in_the_queue(
    outbox: Outbox, owed: list[str], context: Any, caplog: pytest.LogCaptureFixture
) -> None:
    left = iter([30_000, RESERVE_MS - 1])
    context.get_remaining_time_in_millis = lambda: next(left)
    failed = worker.handler(event_of([RewardMessage(1, look=tuple(owed))]), context)
    assert failed == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert (outbox.again, outbox.looks) == ({}, [])
    assert [vars(one)["reason"] for one in caplog.records] == [OUT_OF_TIME]
