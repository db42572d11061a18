"""The shared state of the rates: DynamoDB's and the one of the simulated world say the same to the same questions."""

import random
from typing import Any

import boto3
import pytest

from tests.kits.moto_bridge import MotoCaller
from tests.kits.payout_world import MemoryPace
from uncap.adapters.rail_pace import WirePace
from uncap.adapters.wire.client import RefusedError
from uncap.domain.errors import TransientError
from uncap.domain.rail_schedule import Allowance, Pace

NOW_MS = 1_795_312_900_000


@pytest.fixture
def pace(aws: None) -> WirePace:
    attributes: Any = [{"AttributeName": "pk", "AttributeType": "S"}]
    key: Any = [{"AttributeName": "pk", "KeyType": "HASH"}]
    boto3.client("dynamodb").create_table(
        TableName="limits", AttributeDefinitions=attributes, KeySchema=key, BillingMode="PAY_PER_REQUEST"
    )
    return WirePace(MotoCaller(), "limits")


def item(pk: str) -> dict[str, Any]:
    found: dict[str, Any] = boto3.client("dynamodb").get_item(TableName="limits", Key={"pk": {"S": pk}})["Item"]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_both_stores_answer_alike(pace: WirePace, seed: int) -> None:
    rng, memory = random.Random(seed), MemoryPace()
    now = 1_000
    for _ in range(60):
        now += rng.randrange(8)
        account = rng.choice(("m1", "m2"))
        act = rng.random()
        if act < 0.5:
            asked = (account, now, now + rng.randrange(12), rng.randrange(1, 5), NOW_MS + now)
            assert pace.lease(*asked) == memory.lease(*asked)
        elif act < 0.6:
            until = NOW_MS + now + rng.randrange(20)
            pace.rest(account, until)
            memory.rest(account, until)
            assert pace.rests_until(account) == memory.rests_until(account)
        else:
            limit = Allowance(rng.choice((None, 300, 900)), rng.choice((None, 0, 5)))
            spent = (f"{account}#1", rng.randrange(1, 200), limit, 99)
            if limit:
                assert pace.spend(*spent) == memory.spend(*spent)


def test_slots_are_nobody_elses(pace: WirePace) -> None:
    first = pace.lease("m1", 100, 200, 4, NOW_MS)
    second = pace.lease("m1", 90, 200, 4, NOW_MS)
    assert (first, second) == (Pace(100), Pace(104))
    assert pace.lease("m1", 90, 107, 1, NOW_MS) == Pace(None, 108, 0)
    assert pace.lease("m2", 90, 107, 1, NOW_MS) == Pace(90)
    assert item("rail#m1")["nxt"] == {"N": "108"}


def test_counts_are_forgotten_by_ttl_and_a_rest_is_not_shortened(pace: WirePace) -> None:
    assert pace.spend("m1#5#p_1", 100, Allowance(100, None), 77)
    assert not pace.spend("m1#5#p_1", 1, Allowance(100, None), 77)
    assert item("rail#m1#5#p_1")["ttl"] == {"N": "77"}
    pace.rest("m1", NOW_MS + 10)
    pace.rest("m1", NOW_MS + 5)
    assert pace.lease("m1", 1, 9, 1, NOW_MS + 9) == Pace(None, 0, NOW_MS + 10)
    assert pace.lease("m1", 1, 9, 1, NOW_MS + 10) == Pace(1)


class Refusing:
    def call(self, operation: str, body: bytes) -> bytes:
        raise RefusedError(operation, "AccessDeniedException", "no", b"{}")


def test_a_table_that_refuses_is_an_error_and_never_a_slot() -> None:
    with pytest.raises(TransientError):
        WirePace(Refusing(), "limits").lease("m1", 1, 9, 1, NOW_MS)
    with pytest.raises(TransientError):
        WirePace(Refusing(), "limits").spend("m1#1", 1, Allowance(1, 1), 9)
