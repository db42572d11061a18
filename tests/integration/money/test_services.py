"""The use cases around the main road: redrive, statement, holds decided by people, ended budgets, guards."""

import dataclasses
import datetime

import msgspec
import pytest

from tests.histories.history import History
from tests.histories.rail import FakeRail
from tests.histories.stores import FakeLedger
from tests.histories.world import Rates, World
from tests.integration.money.conftest import BATCH, CAMPAIGN, NOW, bodies, put, release
from tests.unit.domain.rewards.rewards import ID, attempt, reward
from uncap.adapters.catalog import Catalog
from uncap.adapters.documents import DocumentTable
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.models import CatalogItem, ScanItem
from uncap.adapters.reward_queue import SqsInbox, SqsParkedQueue, SqsRewardQueue, sqs_client
from uncap.adapters.scan_items import mark_text
from uncap.domain.catalog import Role
from uncap.domain.errors import ConflictError, NotFoundError, PoisonError
from uncap.domain.rails import StatementLine
from uncap.domain.rewards import ids
from uncap.domain.rewards.reward import State
from uncap.domain.scans import CodeRef, Mark
from uncap.runtime.settings import RelaySettings
from uncap.runtime.wiring_back import PayoutTools, RelayTools
from uncap.services import decide_hold
from uncap.services.close_day import close_day
from uncap.services.compare_statement import compare_statement
from uncap.services.pay_reward import pay
from uncap.services.redrive_parked import redrive_dead, redrive_parked
from uncap.services.reserve_budget import book_breakage, reserve_budget
from uncap.services.stop_money import MAX_AGE_MS, Brakes
from uncap.services.trial_balance import trial_balance

DAY = datetime.date(2026, 9, 21)  # Beijing's day of NOW in tests/unit/domain/rewards
CLAIM = Mark("i1", NOW, "claim", person="p_1", payee="v1.x", release_id="rel-1", campaign="spring@1")
DEAD_AT = 10**13


def ledger_with(world: World, *rewards: object) -> FakeLedger:
    ledger = FakeLedger(world)
    for one in rewards:
        ledger.create(one)  # type: ignore[arg-type]
    return ledger


def test_a_parked_claim_is_granted_once_its_cause_is_gone(settings: RelaySettings, relay: RelayTools) -> None:
    granter = dataclasses.replace(relay.granter, pool=None)
    ref = CodeRef(7, 3, Role.CAP_INNER)
    ScanItem(ref.key(), f=mark_text(CLAIM), l=mark_text(CLAIM), n=1).save()
    parking = SqsParkedQueue(sqs_client(), settings.parked_queue_url)
    parking.park("scans-stream", "batch_unknown", "…", {"event_id": "1", "pk": ref.key()})
    parking.park("scans-stream", "scan_key_malformed", "…", {"event_id": "2", "pk": ""})
    inbox = SqsInbox(sqs_client(), settings.parked_queue_url)
    done = redrive_parked(inbox, relay.scans, granter, 2)
    assert (done.done, [reason for _, reason in done.kept]) == (1, ["redrive_unsupported"])
    assert bodies(settings.reward_queue_url) == [{"v": 1, "reward_id": ids.reward_id(ref, "spring", 1, "consumer")}]


def test_dead_messages_go_back_and_malformed_ones_stay(settings: RelaySettings) -> None:
    client = sqs_client()
    for body in ('{"v": 1, "reward_id": "R1"}', "{", '{"v": 2, "reward_id": "R2"}', '{"v": 1, "look": ["R3"]}'):
        client.send_message(QueueUrl=settings.parked_queue_url, MessageBody=body)
    inbox = SqsInbox(client, settings.parked_queue_url)
    done = redrive_dead(inbox, SqsRewardQueue(client, settings.reward_queue_url), 4)
    assert done.done == 2
    assert sorted(reason for _, reason in done.kept) == ["message_malformed", "message_version_unknown"]
    assert bodies(settings.reward_queue_url) == [{"v": 1, "reward_id": "R1"}, {"v": 1, "look": ["R3"]}]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"hold": "recalled"}, "recalled"),
        ({"hold": "frozen"}, "frozen"),
        ({"paused": True}, "campaign_paused"),
        ({"epoch": "compromised"}, "epoch_compromised"),
    ],
)
def test_what_stops_money(relay: RelayTools, world: World, changes: dict[str, object], reason: str) -> None:
    catalog = Catalog(DocumentTable(CatalogItem), world.clock_ms, 10**9)
    brakes = Brakes(catalog, world.clock_ms)
    assert brakes.reason(reward()) == ""  # and now it is in the caches
    put(CatalogItem, "batch#7", "meta", msgspec.structs.replace(BATCH, hold=str(changes.get("hold", ""))))
    paused = msgspec.structs.replace(CAMPAIGN, version=2, effective_at_ms=DEAD_AT, paused=bool(changes.get("paused")))
    put(CatalogItem, "campaign#spring", "v#000002", paused)
    put(CatalogItem, "epoch#1", "meta", {"state": changes.get("epoch", "minting")})
    world.now_ms += MAX_AGE_MS - 1
    assert brakes.reason(reward()) == "", "an answer holds for a second"
    world.now_ms += 1
    assert brakes.reason(reward()) == reason


def test_every_difference_with_the_statement_is_a_case_and_nothing_else(world: World, rail: FakeRail) -> None:
    stated, silent = "1" * 26, "2" * 26
    paid = [
        reward(
            State.PAID,
            reward_id=one,
            attempt=attempt(rail="fake_transfer", closed="paid"),
            paid_at_ms=int(datetime.datetime(2026, 9, 21, 4, tzinfo=datetime.UTC).timestamp()) * 1000,
        )
        for one in (stated, silent)
    ]
    ledger = ledger_with(world, *paid, reward(State.WAIT_USER, attempt=attempt(rail="fake_transfer")))
    rail.lines = [
        line(ids.bill_no(stated, 1), 188),
        line(ids.bill_no(ID, 1), 188),  # the rail paid, and we have not heard of it
        line(ids.bill_no("3" * 26, 1), 188),
        line("SOMEONE-ELSES", 5),
    ]
    before = dict(ledger.items)
    cases = compare_statement(rail, DAY, ledger, NOW)
    kinds = sorted(case.kind for case in cases)
    assert kinds == ["statement_extra", "statement_extra", "statement_missing", "statement_unsettled"]
    assert [case.case_id for case in compare_statement(rail, DAY, ledger, NOW + 1)] == [one.case_id for one in cases]
    assert len(ledger.cases) == 4
    assert ledger.items == before
    rail.lines = [line(ids.bill_no(stated, 1), 189), line(ids.bill_no(silent, 1), 188)]
    assert [case.kind for case in compare_statement(rail, DAY, ledger, NOW)] == ["statement_amount"]


def line(bill: str, amount: int) -> StatementLine:
    return StatementLine(bill_no=bill, rail_id=f"r-{bill}", amount_minor=amount, at_ms=NOW)


def test_people_decide_about_holds(settings: RelaySettings, payouts: PayoutTools, world: World) -> None:
    tools = payouts.payouts
    queue = SqsRewardQueue(sqs_client(), settings.reward_queue_url)
    store = DynamoLedger()
    store.create(reward(State.HELD, reason="epoch_compromised"))
    assert decide_hold.approve(ID, store, queue, world.now_ms).state is State.PENDING
    assert bodies(settings.reward_queue_url) == [{"v": 1, "reward_id": ID}]
    held = "4" * 26
    store.create(reward(State.HELD, reward_id=held, reason="recalled", attempt=attempt(at_ms=world.now_ms)))
    with pytest.raises(ConflictError, match="transition_illegal"):
        decide_hold.refuse(held, "fraud", store)
    young = decide_hold.withdraw(held, tools).attempt
    assert young is not None
    assert young.is_open, "a call may be under way"
    world.now_ms += 2 * 3_600_000
    withdrawn = decide_hold.withdraw(held, tools).attempt
    assert withdrawn is not None
    assert withdrawn.closed == "withdrawn"
    assert decide_hold.refuse(held, "fraud", store).state is State.RELEASED
    with pytest.raises(NotFoundError, match="reward_unknown"):
        decide_hold.approve("0" * 26, store, queue, NOW)


def test_a_message_about_nothing_and_a_reward_no_rail_pays(payouts: PayoutTools) -> None:
    with pytest.raises(PoisonError, match="reward_unknown"):
        pay("0" * 26, payouts.payouts)
    DynamoLedger().create(reward(kind="gold_bar"))
    assert pay(ID, payouts.payouts).reason == "no_rail"


def test_a_payee_that_does_not_open_is_held_with_its_bill(payouts: PayoutTools) -> None:
    def refuse(_: object) -> str:
        raise PoisonError("payee_unreadable", "no")

    DynamoLedger().create(reward())
    held = pay(ID, dataclasses.replace(payouts.payouts, open_payee=refuse))
    assert (held.state, held.reason) == (State.HELD, "rail_payee_unreadable")
    assert held.attempt is not None


def test_ended_budgets_become_breakage_once(world: World) -> None:
    ledger = ledger_with(world, reward(State.PAID))
    one = release()
    assert reserve_budget(ledger, one, CAMPAIGN)
    assert book_breakage(ledger, [one], one.claim_until_ms) == [], "claims may still be on their way"
    late = one.claim_until_ms + 8 * 86_400_000
    assert book_breakage(ledger, [one], late) == ["rel-1"]
    assert book_breakage(ledger, [one], late) == []
    balance = trial_balance(ledger)
    assert balance.is_balanced
    assert balance.of("budget", "rel-1", "CNY") == 0
    assert balance.of("breakage", "spring", "CNY") == -9 * 188


def test_closing_the_day_compares_yesterday_once_and_reports_overdrafts(world: World, rail: FakeRail) -> None:
    ledger = ledger_with(world, reward(State.PENDING))  # granted, and nothing was ever reserved
    at_11 = int(datetime.datetime(2026, 11, 22, 3, tzinfo=datetime.UTC).timestamp()) * 1000
    rail.lines = [line("SOMEONE-ELSES", 5)]
    assert close_day(ledger, [], rail, at_11) == {"unbalanced": 1, "cases": 1, "closed": 0}
    assert close_day(ledger, [], rail, at_11) == {"unbalanced": 1, "cases": 0, "closed": 0}
    assert "budget_overdrawn-budget:rel-1:CNY" in ledger.cases


def test_two_workers_on_one_reward_make_one_bill() -> None:
    for seed in range(30):
        history = History(seed)
        history.world.rates = Rates()
        history.rail.trouble = 0.0
        history.ledger.create(reward())
        history.world.run(*([lambda h=history: pay(ID, h.payouts)] * 4))
        assert len(history.rail.bills) == 1
