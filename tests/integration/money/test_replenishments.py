"""Redemptions and claims on DynamoDB: one transaction each, conditions that hold, lists by owner."""

import msgspec
import pytest

from tests.kits.moto_bridge import MotoCaller
from tests.kits.replenish_kit import TERMS, Market
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.ledger_hot import HotLedger
from uncap.adapters.models import LedgerItem, open_tables
from uncap.adapters.owner_lists import OwnerLists, person_owner
from uncap.adapters.replenishments import Move, Replenishments
from uncap.domain.errors import ConflictError
from uncap.domain.replenishment import Claim, Step, raised
from uncap.domain.rewards import states
from uncap.domain.rewards.reward import Redemption, Reward, State
from uncap.domain.rewards.rights import code_of, lookup_key
from uncap.runtime.settings import RelaySettings
from uncap.services.redeem_right import RedeemDesk, Wanted, redeem_right
from uncap.services.replenish import Act, ReplenishDesk, decide_claim
from uncap.services.trial_balance import trial_balance

KEY = b"k" * 32


@pytest.fixture
def table(settings: RelaySettings) -> str:
    open_tables({LedgerItem: settings.ledger_table})
    return settings.ledger_table


@pytest.fixture
def store(table: str) -> Replenishments:
    return Replenishments(MotoCaller(), table)


@pytest.fixture
def market() -> Market:
    return Market()


def desk(market: Market, store: Replenishments, table: str) -> RedeemDesk:
    return msgspec.structs.replace(market.desk, rewards=HotLedger(MotoCaller(), table), store=store)


def won(market: Market, store: Replenishments, table: str) -> tuple[str, Reward]:
    """A right in the table; its code."""
    market.win()
    reward = list(market.store.rewards.values())[-1]
    HotLedger(MotoCaller(), table).create(reward)
    code = code_of(KEY, reward.reward_id)
    store.note_right(lookup_key(code), reward.reward_id)
    return code, reward


def test_redeemed_approved_and_settled_to_zero(market: Market, store: Replenishments, table: str) -> None:
    codes = [won(market, store, table)[0] for _ in range(2)]
    mine = desk(market, store, table)
    for at, code in enumerate(codes):
        first = redeem_right(mine, market.member(), Wanted(code, f"k{at}"), market.now_ms)
        assert redeem_right(mine, market.member(), Wanted(code, f"k{at}"), market.now_ms + 1) == first
        with pytest.raises(ConflictError, match="redemption_used"):
            redeem_right(mine, market.member("o-2"), Wanted(code, f"k{at}"), market.now_ms)
    upper = ReplenishDesk(store, market.parties.get)
    for claimant, upstream in (("o-1", "s-1"), ("s-1", "d-1"), ("d-1", "brand")):
        for kind, pieces in (("approve", 2), ("goods", 1), ("credit", 1)):
            given = {"kind": kind, "gtin": TERMS.gtin, "pieces": pieces, "key": f"{kind}-1"}
            if kind != "approve":
                given |= {"reference": "ref-1", "amount_minor": 450}
            act = msgspec.convert(given, Act)
            for _ in range(2):  # the second is a retry
                claim = decide_claim(upper, claimant, upstream, act, "p_x", market.now_ms)
        assert claim.open == 0
    balance = trial_balance(DynamoLedger())
    assert balance.is_balanced
    assert [balance.of("voucher", one, "VCH") for one in ("o-1", "s-1", "d-1")] == [0, 0, 0]
    assert balance.of("credit", "o-1", "CNY") == -40
    assert balance.of("credit", "d-1", "CNY") == -450
    assert [one.upstream for one in store.claims_of("s-1")] == ["d-1"]
    assert [one.claimant for one in store.claims_on("s-1")] == ["o-1"]
    assert sorted(one.kind for one in store.steps_of("o-1")) == ["approve", "credit", "goods", "raise", "raise"]


def test_conditions(market: Market, store: Replenishments, table: str) -> None:
    _, reward = won(market, store, table)
    done = states.redeem(reward, Redemption("o-1", "p_s", market.now_ms, "k1", "d-1"))
    claim = raised(Claim("o-1", "d-1", market.now_ms), TERMS.gtin, 1)
    step = Step("1" * 26, "o-1", "d-1", TERMS.gtin, "raise", 1, market.now_ms, "p_s")
    store.redeem(reward, done, Move(None, claim, step))
    with pytest.raises(ConflictError, match="reward_moved"):
        store.redeem(
            reward, done, Move(claim, raised(claim, TERMS.gtin, 1), msgspec.structs.replace(step, step_id="2" * 26))
        )
    _, other = won(market, store, table)
    again = states.redeem(other, Redemption("o-1", "p_s", market.now_ms, "k1", "d-1"))
    with pytest.raises(ConflictError, match="claim_moved"):
        store.redeem(other, again, Move(None, claim, msgspec.structs.replace(step, step_id="3" * 26)))
    with pytest.raises(ConflictError, match="claim_moved"):  # a step is made once
        store.decide(Move(claim, raised(claim, TERMS.gtin, 1), step))
    assert store.claim("o-1", "d-1") == claim
    stored = DynamoLedger().get(other.reward_id)
    assert stored is not None
    assert stored.state is State.CLAIMABLE
    assert store.reward_of("0" * 26) == ""


def test_a_wallet_lists_what_is_kept_here_and_what_had_to_wait(
    market: Market, store: Replenishments, table: str
) -> None:
    _, right = won(market, store, table)
    ledger = HotLedger(MotoCaller(), table)
    cash = msgspec.structs.replace(
        right, reward_id="C" * 26, kind="cash", state=State.PENDING, due_at_ms=0, granted=(), fee_minor=0
    )
    ledger.create(cash)
    lists = OwnerLists(MotoCaller(), table)
    assert lists.keys(person_owner("p_ann"), 10) == [f"reward#{right.reward_id}"]
    held = states.hold(cash, "no_payee", market.now_ms)
    ledger.replace(cash, held)
    assert len(lists.keys(person_owner("p_ann"), 10)) == 2
    # Once listed it stays, whatever becomes of it.
    ledger.replace(held, states.resume(held, market.now_ms))
    assert set(lists.items(lists.keys(person_owner("p_ann"), 10))) == {
        f"reward#{right.reward_id}",
        f"reward#{'C' * 26}",
    }
    assert lists.keys(person_owner("p_bob"), 10) == []
