"""The harness's rights and accounts refuse and keep what the real tables do: generated moves, many of them outdated.

As test_store_operations.py does for rewards; the pace of accounts is compared in test_rail_pace.py.
"""

import random
from typing import Any

import msgspec
import pytest

from tests.histories.accrued import FakeBooks
from tests.histories.rights import RightsTable
from tests.histories.stores import FakeLedger
from tests.histories.world import Rates, World
from tests.kits.account_kit import DAY, FIRST, accrual
from tests.kits.moto_bridge import MotoCaller
from tests.kits.replenish_kit import Market
from uncap.adapters.account_books import AccountBooks, Move
from uncap.adapters.ledger_hot import HotLedger
from uncap.adapters.models import LedgerItem, open_tables
from uncap.adapters.replenishments import Move as ClaimMove
from uncap.adapters.replenishments import Replenishments
from uncap.domain.books.accounts import Account, Holder, Period, clawed
from uncap.domain.books.notes import Clawed, CreditNote, Numbers
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import JournalEntry
from uncap.domain.replenishment import Claim, Step, raised
from uncap.domain.rewards import states
from uncap.domain.rewards.reward import Redemption, Reward
from uncap.runtime.settings import RelaySettings

MOVES = 40
GTIN = "06901234567892"
HOLDERS = (Holder("d-1", "CNY"), Holder("d-2", "CNY"))
CALM = Rates(lost=0.0, stale=0.0)


@pytest.fixture
def table(settings: RelaySettings) -> str:
    open_tables({LedgerItem: settings.ledger_table})
    return settings.ledger_table


def said(act: Any, *given: Any) -> str:
    try:
        act(*given)
    except ConflictError as refused:
        return refused.code
    return "done"


def claim_move(rng: random.Random, claims: list[Claim | None]) -> ClaimMove:
    """One piece more, from some state the claim is in or was in; the step or its entry may have been made before."""
    old = rng.choice(claims[-2:])
    claimed = raised(old or Claim("o-1", "d-1", 1), GTIN, 1)
    step = Step(f"{rng.randrange(30):026d}", "o-1", "d-1", GTIN, "raise", 1, 1, "p")
    entry = JournalEntry(f"e{rng.randrange(20)}", "replenish", 1, clawed(HOLDERS[0], "c", 5))
    return ClaimMove(old, claimed, step, rng.choice([None, entry]))


@pytest.mark.parametrize("seed", range(2))
def test_rights_are_kept_alike(table: str, seed: int) -> None:
    rng, world = random.Random(seed), World(seed, CALM)
    fake_ledger, ledger = FakeLedger(world), HotLedger(MotoCaller(), table)
    fake, real = RightsTable(world, fake_ledger, lambda _: False), Replenishments(MotoCaller(), table)
    market = Market()
    market.win()
    (right,) = market.store.rewards.values()
    rights: list[Reward] = [right]
    assert fake_ledger.create(right) == ledger.create(right)
    claims: list[Claim | None] = [None]
    answers = []
    for number in range(MOVES):
        move = claim_move(rng, claims)
        if rng.random() < 0.3:
            old = rng.choice(rights)
            redemption = Redemption(rng.choice(["o-1", "o-2"]), "p", old.claimed_at_ms, f"k{number}", "d-1")
            if old.redeemed:
                continue
            new = states.redeem(old, redemption)
            told = said(fake.redeem, old, new, move)
            assert said(real.redeem, old, new, move) == told
            rights += [new] if told == "done" else []
        else:
            told = said(fake.decide, move)
            assert said(real.decide, move) == told
        answers.append(told)
        assert real.claim("o-1", "d-1") == fake.claim("o-1", "d-1")
        assert real.step(move.step.step_id) == fake.step(move.step.step_id)
        assert ledger.get(right.reward_id) == fake_ledger.get(right.reward_id)
        claims += [move.new] if told == "done" else []
    assert {"done", "claim_moved", "reward_moved"} == set(answers)


def book_move(rng: random.Random, states_of: dict[Holder, list[Account]]) -> Move:
    """Some change to some account from one of its last states, with papers that others may have written meanwhile."""
    holder = rng.choice(HOLDERS)
    old = rng.choice(states_of[holder][-2:])
    new = msgspec.structs.replace(old, rev=old.rev + 1, carried_minor=old.carried_minor - 3)
    at_ms = FIRST + rng.randrange(60) * DAY
    entries = [
        JournalEntry(f"{kind}{rng.randrange(14)}", kind, at_ms, clawed(holder, "c", 3))
        for kind in ("clawback", "coefficient")
    ]
    number = rng.randrange(1, 5)
    note = CreditNote("brand", "2026-09", number, holder.party, "CNY", 3, at_ms, ("ann", "bob"))
    paper = rng.random() < 0.3
    taken = Clawed("r1", 9, rng.randrange(9), rev=rng.randrange(1, 5))
    period = Period(holder.party, "CNY", rng.choice(["2026-09", "2026-10"]), 0, 3, 1)
    return Move(
        old,
        new,
        entries[0] if rng.random() < 0.6 else None,
        note if paper else None,
        Numbers("brand", "2026-09", number) if paper else None,
        taken if rng.random() < 0.3 else None,
        (period,) if rng.random() < 0.15 else (),
        (entries[1],) if rng.random() < 0.2 else (),
    )


@pytest.mark.parametrize("seed", range(2))
def test_accounts_are_kept_alike(table: str, seed: int) -> None:
    rng, world = random.Random(seed), World(seed, CALM)
    fake_ledger, ledger = FakeLedger(world), HotLedger(MotoCaller(), table)
    fake, real = FakeBooks(world, fake_ledger), AccountBooks()
    for number in range(6):
        one = accrual(number, 40 + number, FIRST + number * 9 * DAY, party=rng.choice(HOLDERS).party)
        assert fake_ledger.create(one) == ledger.create(one)
    for party in ("d-1", "d-2"):
        one = accrual(9 + int(party[-1]), 5, FIRST, party=party)
        assert fake_ledger.create(one) == ledger.create(one)
    known: dict[Holder, list[Account]] = {}
    for holder in HOLDERS:
        account = real.account(holder)
        assert account is not None
        assert account == fake.account(holder)
        known[holder] = [account]
    answers = []
    for _ in range(MOVES):
        move = book_move(rng, known)
        told = said(fake.write, move)
        assert said(real.write, move) == told
        answers.append(told)
        known[move.new.holder] += [move.new] if told == "done" else []
        assert real.account(move.new.holder) == fake.account(move.new.holder)
        assert real.numbers("brand", "2026-09") == fake.numbers("brand", "2026-09")
        assert real.clawed("r1") == fake.clawed("r1")
    assert {"done", "account_moved"} == set(answers)
    for holder in HOLDERS:
        for month in ("2026-09", "2026-10"):
            assert list(real.rows(holder, month)) == list(fake.rows(holder, month))
            assert real.period(holder, month) == fake.period(holder, month)
        account = known[holder][-1]
        assert real.balance(account, FIRST + 60 * DAY) == fake.balance(account, FIRST + 60 * DAY)
    assert [real.note("brand", "2026-09", n) for n in range(1, 5)] == [
        fake.note("brand", "2026-09", n) for n in range(1, 5)
    ]
