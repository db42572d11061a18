"""The five handlers with the events of events/, from a stream record to a paid reward, over moto."""

import dataclasses
from typing import Any

import msgspec
import pytest

from functions.payout_callback import handler as callback
from functions.payout_worker import handler as worker
from functions.reconcile_job import handler as reconcile
from functions.reward_relay import handler as relay_function
from functions.sweeper_job import handler as sweeper
from tests.histories.rail import FakeRail
from tests.histories.world import World
from tests.integration.money.conftest import BATCH, CAMPAIGN, NOW, bodies, put, release, sample
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.models import CatalogItem, FlowItem, ScanItem
from uncap.domain.catalog import Release
from uncap.domain.errors import TransientError
from uncap.domain.rewards import ids
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.scans import CodeRef
from uncap.runtime.settings import RelaySettings
from uncap.runtime.wiring_back import PayoutTools, RelayTools
from uncap.services.reserve_budget import reserve_budget
from uncap.services.trial_balance import trial_balance

CLAIMS = 7
LEDGER = DynamoLedger()


class Deaf:
    """A queue that takes nothing."""

    def send(self, reward_ids: object) -> None:
        raise TransientError("queue_unavailable", "no")

    def look(self, reward_ids: object, delay_s: int) -> None:
        raise TransientError("queue_unavailable", "no")

    def later(self, reward_ids: object, delay_s: int) -> None:
        raise TransientError("queue_unavailable", "no")


@pytest.fixture(autouse=True)
def wired(monkeypatch: pytest.MonkeyPatch, relay: RelayTools, payouts: PayoutTools, rail: FakeRail) -> None:
    """The handlers find these tools instead of the environment's."""
    serial = dataclasses.replace(relay, granter=dataclasses.replace(relay.granter, pool=None), rail=rail)
    monkeypatch.setattr(relay_function, "relay_tools", lambda: serial)
    monkeypatch.setattr(reconcile, "reconcile_tools", lambda: serial)
    for module in (worker, callback, sweeper):
        monkeypatch.setattr(module, "payout_tools", lambda: payouts)


def stored(index: int, effect: int = 1, beneficiary: str = "consumer") -> Reward:
    found = LEDGER.get(ids.reward_id(CodeRef.from_key(f"7.{index}.1"), "spring", effect, beneficiary))
    assert found is not None
    return found


def messages(settings: RelaySettings) -> dict[str, Any]:
    """The queue's content as the worker's event."""
    text = [msgspec.json.encode(body).decode() for body in bodies(settings.reward_queue_url)]
    one = sample("payout_worker/messages")["Records"][0]
    return {"Records": [one | {"messageId": str(number), "body": body} for number, body in enumerate(text)]}


def test_claims_become_rewards_once(settings: RelaySettings, context: Any) -> None:
    event = sample("reward_relay/claims")
    first = relay_function.handler(event, context)
    seen = {"records": len(event["Records"]), "rewards": 2 * CLAIMS, "parked": 0}
    assert first == seen | {"paid": CLAIMS, "sent": CLAIMS}, "points are paid with their first put, cash is sent"
    assert stored(0).party == "p_" + "1".zfill(26)
    assert stored(6).party == "p_" + "7".zfill(26), "the buyer, not the warehouse"
    rebate = stored(0, 2, "distributor")
    assert (rebate.party, rebate.state, rebate.rev) == ("d-1", State.PAID, 1)
    assert len(bodies(settings.reward_queue_url)) == CLAIMS
    # Again: nothing new is created, but what is still owed is sent again, for nobody knows if it was.
    assert relay_function.handler(event, context) == first
    assert stored(0).rev == 1
    assert stored(0, 2, "distributor") == rebate


def test_poison_is_parked_with_its_reason_and_the_rest_goes_on(settings: RelaySettings, context: Any) -> None:
    counts = relay_function.handler(sample("reward_relay/poison"), context)
    assert counts == {"records": 5, "rewards": 2, "paid": 1, "sent": 1, "parked": 4}
    parked = bodies(settings.parked_queue_url)
    assert {one["reason"] for one in parked} == {
        "scan_key_malformed",
        "scan_image_malformed",
        "campaign_unknown",
        "batch_unknown",
    }
    assert {one["source"] for one in parked} == {"scans-stream"}
    assert all(set(one["record"]) == {"event_id", "pk"} for one in parked)
    assert stored(8).state is State.PENDING


def test_a_record_that_breaks_the_relay_is_parked_alone(
    monkeypatch: pytest.MonkeyPatch, relay: RelayTools, settings: RelaySettings, context: Any
) -> None:
    def broken(found: Release, index: int) -> str:
        if index == 3:
            raise ZeroDivisionError(f"code {index} of {found.release_id}")
        return relay.granter.laid_prize(found, index)

    granter = dataclasses.replace(relay.granter, pool=None, laid_prize=broken)
    with monkeypatch.context() as patched:
        patched.setattr(relay_function, "relay_tools", lambda: dataclasses.replace(relay, granter=granter))
        counts = relay_function.handler(sample("reward_relay/claims"), context)
    assert (counts["rewards"], counts["parked"]) == (2 * (CLAIMS - 1), 1)
    (parked,) = bodies(settings.parked_queue_url)
    assert (parked["reason"], parked["record"]["pk"]) == ("unforeseen_ZeroDivisionError", "7.3.1")
    assert "code 3" not in parked["detail"]
    assert LEDGER.get(ids.reward_id(CodeRef.from_key("7.3.1"), "spring", 1, "consumer")) is None
    # Once its cause is gone, the claim goes the usual way: redrive, or the reconcile job.
    assert relay_function.handler(sample("reward_relay/claims"), context)["rewards"] == 2 * CLAIMS


def test_a_queue_that_refuses_makes_the_stream_repeat(
    monkeypatch: pytest.MonkeyPatch, relay: RelayTools, settings: RelaySettings, context: Any
) -> None:
    granter = dataclasses.replace(relay.granter, pool=None, queue=Deaf())
    with monkeypatch.context() as patched:
        patched.setattr(relay_function, "relay_tools", lambda: dataclasses.replace(relay, granter=granter))
        with pytest.raises(TransientError):
            relay_function.handler(sample("reward_relay/claims"), context)
    assert stored(0).state is State.PENDING  # written, not sent
    assert relay_function.handler(sample("reward_relay/claims"), context)["sent"] == CLAIMS


def test_from_claim_to_paid(settings: RelaySettings, rail: FakeRail, world: World, context: Any) -> None:
    assert reserve_budget(LEDGER, release(), CAMPAIGN)
    assert not reserve_budget(LEDGER, release(), CAMPAIGN)
    relay_function.handler(sample("reward_relay/claims"), context)
    assert worker.handler(messages(settings), context) == {"batchItemFailures": []}
    waiting = [stored(index) for index in range(CLAIMS)]
    assert all(one.state in (State.ACCEPTED, State.WAIT_USER) and not one.due_at_ms for one in waiting)
    for index in range(2):
        rail._end(rail.bills[ids.bill_no(waiting[index].reward_id, 1)], "SUCCESS", "", notices=0)
    # No callback came: the look asks, and what still waits is the sweeper's from then on.
    world.now_ms += 300_000
    look = messages(settings)
    assert len(look["Records"]) == 1
    assert worker.handler(look, context) == {"batchItemFailures": []}
    assert [stored(index).state for index in range(2)] == [State.PAID] * 2
    assert all(stored(index).due_at_ms > world.now_ms for index in range(2, CLAIMS))
    rail.pay_all()
    world.now_ms += 3_600_000
    swept = sweeper.handler(sample("sweeper_job/schedule"), context)
    assert swept["looked_at"] == CLAIMS - 2
    assert {stored(index).state for index in range(CLAIMS)} == {State.PAID}
    balance = trial_balance(LEDGER)
    assert balance.is_balanced
    assert not balance.overdrawn()
    assert -balance.of("clearing", "fake_transfer", "CNY") == sum(line.amount_minor for line in rail.lines)
    day = sample("reconcile_job/statement")
    assert reconcile.handler(day, context) == {"cases": 0}


def test_a_stop_leaves_points_to_the_worker_which_holds_them(settings: RelaySettings, context: Any) -> None:
    put(CatalogItem, "batch#7", "meta", msgspec.structs.replace(BATCH, hold="frozen"))
    counts = relay_function.handler(sample("reward_relay/claims"), context)
    assert (counts["paid"], counts["sent"]) == (0, 2 * CLAIMS)
    worker.handler(messages(settings), context)
    assert {stored(0).reason, stored(0, 2, "distributor").reason} == {"frozen"}


def test_a_look_that_cannot_be_scheduled_brings_the_messages_back(
    monkeypatch: pytest.MonkeyPatch, payouts: PayoutTools, settings: RelaySettings, world: World, context: Any
) -> None:
    relay_function.handler(sample("reward_relay/claims"), context)
    event = messages(settings)
    with monkeypatch.context() as patched:
        patched.setattr(worker, "payout_tools", lambda: dataclasses.replace(payouts, queue=Deaf()))
        failed = worker.handler(event, context)["batchItemFailures"]
    assert [one["itemIdentifier"] for one in failed] == [one["messageId"] for one in event["Records"]]
    assert not stored(0).due_at_ms
    worker.handler(event, context)  # delivered again: what waits unwatched is asked about at once
    assert all(stored(index).due_at_ms > world.now_ms for index in range(CLAIMS))
    assert {one.attempt.no for index in range(CLAIMS) if (one := stored(index)).attempt} == {1}


def test_what_no_message_looks_at_is_found_by_reconciliation(
    settings: RelaySettings, world: World, context: Any
) -> None:
    relay_function.handler(sample("reward_relay/claims"), context)
    worker.handler(messages(settings), context)
    assert len(bodies(settings.reward_queue_url)) == 1, "the look, which is lost here"
    for record in sample("reward_relay/claims")["Records"]:
        image = record["dynamodb"]["NewImage"]
        ScanItem(image["pk"]["S"], f=image.get("f", {}).get("S"), l=image["l"]["S"], n=1).save()
    world.now_ms += 3_600_000
    assert reconcile.handler(sample("reconcile_job/schedule"), context)["resent"] == CLAIMS
    worker.handler(messages(settings), context)
    assert all(stored(index).due_at_ms > world.now_ms for index in range(CLAIMS))


def test_bad_messages_come_back_alone(settings: RelaySettings, context: Any) -> None:
    relay_function.handler(sample("reward_relay/claims"), context)
    event = sample("payout_worker/malformed")
    failed = worker.handler(event, context)["batchItemFailures"]
    assert [one["itemIdentifier"] for one in failed] == [one["messageId"] for one in event["Records"][1:]]
    assert stored(0).state is not State.PENDING


def test_callbacks(settings: RelaySettings, rail: FakeRail, context: Any) -> None:
    relay_function.handler(sample("reward_relay/claims"), context)
    worker.handler(sample("payout_worker/messages"), context)
    rail.pay_all()
    body = rail.callbacks[0]
    event = sample("payout_callback/notify")
    before = stored(0)
    assert callback.handler(event | {"body": body.decode()}, context)["statusCode"] == 401
    assert stored(0) == before
    signed = event | {"body": body.decode(), "headers": event["headers"] | {"signature": "good"}}
    assert callback.handler(signed, context)["statusCode"] == 204
    settled = [stored(0), stored(1)]
    assert State.PAID in {one.state for one in settled}
    assert callback.handler(signed, context)["statusCode"] == 204
    assert [stored(0), stored(1)] == settled, "a duplicate writes nothing"
    for told, other, status in (
        ('"amount_minor":188', '"amount_minor":189', 400),
        ('"bill_no":"', '"bill_no":"X', 404),
        ('000001"', '000002"', 404),  # an attempt that was never made
    ):
        changed = body.decode().replace(told, other)
        assert callback.handler(signed | {"body": changed}, context)["statusCode"] == status
    assert [stored(0), stored(1)] == settled


def test_unshipped_goods_are_paid_after_the_upload(settings: RelaySettings, world: World, context: Any) -> None:
    for row in FlowItem.query("batch#7"):
        shipment = row.doc
        row.delete()
    relay_function.handler(sample("reward_relay/claims"), context)
    assert stored(0).reason == "awaiting_shipment"
    assert stored(0, 2, "distributor").reason == "awaiting_association"
    assert bodies(settings.reward_queue_url) == []
    world.now_ms += 3_600_000
    assert sweeper.handler(sample("sweeper_job/schedule"), context)["sent"] == 0
    FlowItem("batch#7", "ship#000000000#s-1", doc=shipment).save()
    world.now_ms += 24 * 3_600_000
    assert sweeper.handler(sample("sweeper_job/schedule"), context)["sent"] == CLAIMS
    for record in sample("reward_relay/claims")["Records"]:
        image = record["dynamodb"]["NewImage"]
        ScanItem(image["pk"]["S"], f=image.get("f", {}).get("S"), l=image["l"]["S"], n=1).save()
    counts = reconcile.handler(sample("reconcile_job/schedule"), context)
    assert counts["associated"] == CLAIMS
    assert stored(0, 2, "distributor").party == "d-1"


def test_what_the_stream_lost_is_reconciled(settings: RelaySettings, context: Any) -> None:
    for record in sample("reward_relay/claims")["Records"]:
        image = record["dynamodb"]["NewImage"]
        ScanItem(image["pk"]["S"], f=image.get("f", {}).get("S"), l=image["l"]["S"], n=1).save()
    counts = reconcile.handler(sample("reconcile_job/schedule"), context)
    assert (counts["rewards_created"], counts["scans"]) == (2 * CLAIMS, 8)
    assert len(bodies(settings.reward_queue_url)) == CLAIMS
    assert reconcile.handler(sample("reconcile_job/schedule"), context)["rewards_created"] == 0


def test_a_recall_stops_money_until_it_is_lifted(settings: RelaySettings, world: World, context: Any) -> None:
    relay_function.handler(sample("reward_relay/claims"), context)
    put(CatalogItem, "batch#7", "meta", msgspec.structs.replace(BATCH, hold="recalled"))
    worker.handler(messages(settings), context)
    held = stored(0)
    assert (held.state, held.reason, held.due_at_ms, held.attempt) == (State.HELD, "recalled", 0, None)
    for record in sample("reward_relay/claims")["Records"]:
        image = record["dynamodb"]["NewImage"]
        ScanItem(image["pk"]["S"], f=image.get("f", {}).get("S"), l=image["l"]["S"], n=1).save()
    world.now_ms += 3_600_000
    assert reconcile.handler(sample("reconcile_job/schedule"), context)["resent"] == 0
    put(CatalogItem, "batch#7", "meta", BATCH)
    world.now_ms += 3_600_000
    assert reconcile.handler(sample("reconcile_job/schedule"), context)["resent"] >= CLAIMS
    assert stored(0).state is State.PENDING


def test_an_expired_payout_comes_back_with_its_owner(
    settings: RelaySettings, rail: FakeRail, world: World, context: Any
) -> None:
    relay_function.handler(sample("reward_relay/claims"), context)
    worker.handler(messages(settings), context)
    for bill in rail.bills.values():
        bill.state = "WAIT_USER"
    world.now_ms += 25 * 3_600_000
    rail.live()
    worker.handler(messages(settings), context)  # the look, late
    assert (stored(0).state, stored(0).reason) == (State.CLAIMABLE, "expired")
    returned = relay_function.handler(sample("reward_relay/owner_returned"), context)
    assert returned["sent"] == 1
    worker.handler(messages(settings), context)
    attempt = stored(0).attempt
    assert attempt is not None
    assert (attempt.no, attempt.closed) == (2, "")
    assert attempt.at_ms > NOW


def test_an_item_that_is_no_scan_does_not_stop_the_reconciliation(settings: RelaySettings, context: Any) -> None:
    for record in sample("reward_relay/claims")["Records"]:
        image = record["dynamodb"]["NewImage"]
        ScanItem(image["pk"]["S"], f=image.get("f", {}).get("S"), l=image["l"]["S"], n=1).save()
    for pk in ("nonsense", "7.-1.1", "7.90.1"):
        ScanItem(pk, l="{" if pk == "7.90.1" else '{"i":"x","t":1,"w":"claim"}', n=1).save()
    counts = reconcile.handler(sample("reconcile_job/schedule"), context)
    assert (counts["rewards_created"], counts["scans"]) == (2 * CLAIMS, 8)
