"""Open rewards in the index `waiting`: in and out with every move, in both ledgers, and a list that reads it."""

import msgspec
import pytest

from tests.kits.moto_bridge import MotoCaller
from tests.unit.domain.rewards.rewards import ID, NOW, attempt, reward
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.ledger_hot import HotLedger
from uncap.adapters.models import LedgerItem, open_tables
from uncap.adapters.reward_lists import RewardLists
from uncap.adapters.reward_updates import WireRewards
from uncap.domain.errors import ConflictError
from uncap.domain.rewards import states
from uncap.domain.rewards.ports import LedgerStore
from uncap.domain.rewards.reward import AWAITING_NAME, State
from uncap.runtime.settings import RelaySettings

LISTS = RewardLists()


@pytest.fixture(params=["pynamodb", "wire"])
def store(request: pytest.FixtureRequest, settings: RelaySettings) -> LedgerStore:
    open_tables({LedgerItem: settings.ledger_table})
    return DynamoLedger() if request.param == "pynamodb" else HotLedger(MotoCaller(), settings.ledger_table)


def listed(state: str = "", campaign_id: str = "") -> list[str]:
    return [one.state.value for one in LISTS.page(state=state, campaign_id=campaign_id, limit=9).rewards]


def test_what_stands_still_is_listed_and_nothing_else(store: LedgerStore) -> None:
    old = store.create(reward())
    assert listed() == [], "on its way, and in nobody's list"
    held = states.hold(old, "recalled", NOW)
    store.replace(old, held)
    assert listed() == listed("HELD") == listed("HELD", old.campaign_id) == ["HELD"]
    assert (listed("HELD", "other"), listed("CLAIMABLE")) == ([], [])
    again = states.resume(held, NOW)
    store.replace(held, again)
    assert (listed(), listed("HELD")) == (["PENDING"], [])
    begun = states.begin_attempt(again, attempt())
    store.replace(again, begun)
    assert listed() == []
    stored = LedgerItem.get(f"reward#{ID}").attribute_values
    assert not {"wait_shard", "wait_key", "due_shard", "due_at"} & set(stored)


def test_pages_go_through_all_states_without_a_gap(store: LedgerStore) -> None:
    wanted = set()
    for number in range(13):
        state = (State.HELD, State.FAILED, State.CLAIMABLE)[number % 3]
        wanted.add(f"{number:026d}")
        store.create(reward(reward_id=f"{number:026d}", state=state, reason="x", claimed_at_ms=NOW + number // 4))
    found: list[str] = []
    after = ""
    for _ in range(9):
        page = LISTS.page(state="", campaign_id="", limit=2, after=after)
        found += [one.reward_id for one in page.rewards]
        if not (after := page.after):
            break
    assert (set(found), len(found)) == (wanted, 13)
    held = LISTS.page(state="HELD", campaign_id="", limit=9).rewards
    assert [one.claimed_at_ms for one in held] == sorted((one.claimed_at_ms for one in held), reverse=True)


def test_the_wallets_own_write_moves_only_what_was_read(settings: RelaySettings) -> None:
    open_tables({LedgerItem: settings.ledger_table})
    store, wallet = DynamoLedger(), WireRewards(MotoCaller(), settings.ledger_table)
    held = store.create(reward(state=State.HELD, reason=AWAITING_NAME, party="p1"))
    named = states.named(held, "v1.sealed", NOW)
    wallet.replace(held, named)
    assert wallet.get(ID) == msgspec.structs.replace(named, granted=(), settled=())
    assert store.get(ID) == named, "its entries stay"
    with pytest.raises(ConflictError, match="reward_moved"):
        wallet.replace(held, named)
    assert listed() == ["PENDING"]
