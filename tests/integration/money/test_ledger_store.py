"""One contract, three ledgers: PynamoDB and the wire client on moto and the harness's fake must answer alike."""

import msgspec
import pytest

from tests.histories.stores import FakeLedger
from tests.histories.world import World
from tests.kits.moto_bridge import MotoCaller
from tests.unit.domain.rewards.rewards import ID, NOW, attempt, reward
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.ledger_hot import HotLedger
from uncap.adapters.models import LedgerItem, open_tables
from uncap.domain import ledger as books
from uncap.domain.campaigns.reference import Place
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.ledger import JournalEntry
from uncap.domain.rails import Paid
from uncap.domain.rewards import states
from uncap.domain.rewards.outcomes import apply_outcome
from uncap.domain.rewards.ports import LedgerStore
from uncap.domain.rewards.reward import Case, Reward, State
from uncap.runtime.settings import RelaySettings

Store = LedgerStore


@pytest.fixture(params=["pynamodb", "wire", "fake"])
def store(request: pytest.FixtureRequest, settings: RelaySettings, world: World) -> Store:
    open_tables({LedgerItem: settings.ledger_table})
    hot = HotLedger(MotoCaller(), settings.ledger_table)
    stores: dict[str, Store] = {"pynamodb": DynamoLedger(), "wire": hot, "fake": FakeLedger(world)}
    return stores[request.param]


def test_creating_twice_keeps_the_first(store: Store) -> None:
    assert store.create(reward()) == reward()
    other = reward(party="p2")
    assert store.create(other) == reward()
    assert store.get(ID) == reward()
    assert store.get("0" * 26) is None
    assert store.get_many([ID, "0" * 26]) == {ID: reward()}


def test_a_reward_moves_only_from_what_was_read(store: Store) -> None:
    old = store.create(reward())
    begun = states.begin_attempt(old, attempt())
    store.replace(old, begun)
    assert store.get(ID) == begun
    with pytest.raises(ConflictError, match="reward_moved"):
        store.replace(old, states.hold(old, "recalled", NOW))
    assert store.get(ID) == begun


def test_a_settlement_is_written_once(store: Store) -> None:
    old = store.create(reward())
    begun = states.begin_attempt(old, attempt())
    store.replace(old, begun)
    paid = apply_outcome(begun, 1, Paid(rail_id="r", amount_minor=188), NOW).reward
    store.replace(begun, paid)
    with pytest.raises(ConflictError, match="reward_moved"):
        store.replace(begun, paid)
    stored = store.get(ID)
    assert stored == paid
    assert stored is not None
    assert sum(one.amount_minor for one in stored.settled) == 0


def test_due_rewards_are_found_until_they_wait_no_longer(store: Store) -> None:
    waiting = store.create(reward(State.HELD, reason="awaiting_shipment", due_at_ms=NOW))
    assert store.due(NOW - 1, 100) == []
    assert list(store.due(NOW, 100)) == [ID]
    later = states.wait_longer(waiting, NOW)
    store.replace(waiting, later)
    assert store.due(NOW, 100) == []
    assert list(store.due(later.due_at_ms, 100)) == [ID]
    held = msgspec.structs.replace(later, rev=later.rev + 1, due_at_ms=0)
    store.replace(later, held)
    assert store.due(NOW * 2, 100) == []


def test_entries_and_cases_are_written_once(store: Store) -> None:
    entry = JournalEntry("reserve-rel-1", "reserve", NOW, books.reserved("spring", "rel-1", {"CNY": 5}))
    assert not store.has_entry(entry.entry_id)
    assert store.put_entry(entry)
    assert not store.put_entry(entry)
    assert store.has_entry(entry.entry_id)
    case = Case("late_success-1", "late_success", NOW)
    assert store.open_case(case)
    assert not store.open_case(case)
    unbalanced = JournalEntry("x", "correction", NOW, entry.postings[:1])
    with pytest.raises(ConflictError, match="entry_unbalanced"):
        store.put_entry(unbalanced)


def test_every_entry_is_read_back_exactly_once(store: Store) -> None:
    made = [store.create(reward(reward_id=f"{number:026d}")) for number in range(7)]
    store.put_entry(JournalEntry("reserve-rel-1", "reserve", NOW, books.reserved("spring", "rel-1", {"CNY": 5})))
    store.open_case(Case("c", "late_success", NOW))
    store.save_cursor("reconcile", "{}")
    entries = [entry for segment in range(4) for entry in store.postings(segment, 4)]
    assert len(entries) == 8
    found: list[Reward] = [one for segment in range(4) for one in store.rewards(segment, 4)]
    assert sorted(one.reward_id for one in found) == [one.reward_id for one in made]


def test_cursors(store: Store) -> None:
    assert store.read_cursor("reconcile") == ""
    store.save_cursor("reconcile", "a")
    store.save_cursor("reconcile", "b")
    assert store.read_cursor("reconcile") == "b"


def test_a_table_that_does_not_answer_is_transient(settings: RelaySettings) -> None:
    open_tables({LedgerItem: "no-such-table"})
    for store in (DynamoLedger(), HotLedger(MotoCaller(), "no-such-table")):
        with pytest.raises(TransientError, match="table_unavailable"):
            store.get(ID)
        with pytest.raises(TransientError, match="table_unavailable"):
            store.create(reward())


def test_both_clients_write_the_same_item(settings: RelaySettings) -> None:
    open_tables({LedgerItem: settings.ledger_table})
    items = []
    for store in (DynamoLedger(), HotLedger(MotoCaller(), settings.ledger_table)):
        old = store.create(reward(State.HELD, reason="awaiting_shipment", due_at_ms=NOW))
        resumed = states.resume(old, NOW)
        store.replace(old, resumed)
        begun = states.begin_attempt(resumed, attempt())
        store.replace(resumed, begun)
        store.replace(begun, apply_outcome(begun, 1, Paid(rail_id="r", amount_minor=188), NOW).reward)
        items.append(LedgerItem.get(f"reward#{ID}").serialize())
        LedgerItem(f"reward#{ID}").delete()
    assert items[0] == items[1]
    assert "due_at" not in items[0]


def test_a_reward_born_paid_brings_both_entries(store: Store) -> None:
    paid = apply_outcome(states.begin_attempt(reward(), attempt()), 1, Paid(rail_id="r", amount_minor=188), NOW).reward
    born = msgspec.structs.replace(paid, rev=1)
    assert store.create(born) == born
    assert store.get(ID) == born
    lame = msgspec.structs.replace(born, reward_id="0" * 26, settled=born.settled[:1])
    with pytest.raises(ConflictError, match="entry_unbalanced"):
        store.create(lame)


def test_an_item_at_its_largest_stays_within_one_write_unit(settings: RelaySettings) -> None:
    open_tables({LedgerItem: settings.ledger_table})
    rich = attempt(
        campaign_name="开" * 32,
        reward_note="奖" * 32,
        notify_url="https://abcdefghij.execute-api.cn-north-1.amazonaws.com.cn/v1/rails/wechat/notify",
        rail_id="1330000071100999991182020050700019480001",
        key_expires_at_ms=NOW,
    )
    store = DynamoLedger()
    place = Place("510104", "dist-chengdu-0012", "outlet-00012345")
    old = store.create(
        reward(payee="v1." + "x" * 76, party="p_" + "0" * 26, campaign="autumn-2026-north@12", place=place)
    )
    store.replace(old, states.begin_attempt(old, rich))
    paid = apply_outcome(states.begin_attempt(old, rich), 1, Paid(rail_id="r", amount_minor=188), NOW).reward
    store.replace(states.begin_attempt(old, rich), paid)
    item = LedgerItem.get(f"reward#{ID}").serialize()
    assert sum(len(name) + len(str(next(iter(value.values()))).encode()) for name, value in item.items()) <= 1_024
