"""The kinds of history that have more in them do meet what they are about; and how their shares are dealt."""

from collections import Counter
from typing import cast

import pytest

from tests.histories.bookkeeping import BooksWing
from tests.histories.campaigns import SHAPES, shape_of
from tests.histories.gated import GatedWing
from tests.histories.history import History
from tests.histories.market import RightsWing
from tests.histories.mutants import seeds_of
from tests.histories.winged import WINGS
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.risk import RISK_REVIEW

PLAYED = 24


def played(shape: str) -> list[History]:
    """Histories of one kind, in order."""
    histories = [History(seed, shape=shape) for seed in range(40_000, 40_000 + PLAYED)]
    assert [wrong for history in histories if (wrong := history.play())] == []
    return histories


def test_rights_are_redeemed_refused_and_replenished() -> None:
    wings = [cast("RightsWing", history.wing) for history in played("rights")]
    assert sum(len(wing.handed) for wing in wings) > 15
    kinds = Counter(one.act.kind for wing in wings for one in wing.agreed.values())
    assert kinds["approve"] > 15
    assert kinds["goods"] > 15
    assert any(len(wing.table.claims) >= 3 for wing in wings), "no claim ever went up to the brand"


def test_months_are_settled_and_returns_taken_back() -> None:
    wings = [cast("BooksWing", history.wing) for history in played("books")]
    assert sum(len(wing.books.notes) for wing in wings) > 15
    assert sum(len(wing.counted) for wing in wings) > 30
    entries = [one for wing in wings for one in wing.history.ledger.entries.values()]
    kinds = Counter((one.kind, len(one.by)) for one in entries)
    assert {("clawback", 1), ("clawback", 2), ("correction", 2), ("coefficient", 2)} <= set(kinds)
    assert any(account.carried_minor < 0 for wing in wings for account in wing.history.ledger.accounts.values())


def test_both_accounts_pay_rest_and_are_full() -> None:
    histories = played("accounts")
    begun = [one for history in histories for one in history.ledger.begun if one.attempt and one.attempt.account]
    assert {one.attempt.account for one in begun if one.attempt} == {"m1", "m2"}
    # What waited for another day was left to the sweeper, and paid.
    assert any(one.claimed_at_ms + 12 * 3_600_000 < one.paid_at_ms for history in histories for one in paid(history))


def paid(history: History) -> list[Reward]:
    return [one for one in history.ledger.items.values() if one.kind == "cash" and one.state is State.PAID]


def test_bursts_are_held_and_people_let_some_go() -> None:
    histories = played("gated")
    wings = [cast("GatedWing", history.wing) for history in histories]
    assert sum(any(found) for wing in wings for found in wing.found.values()) > 40
    assert any(not any(found) for wing in wings for found in wing.found.values()), "everybody was held"
    held = [
        one
        for history in histories
        for key, one in history.ledger.items.items()
        if history.ledger.born[key].reason.startswith(RISK_REVIEW)
    ]
    assert {State.HELD, State.PAID} <= {one.state for one in held}


@pytest.mark.parametrize("shape", list(SHAPES))
def test_every_kind_has_its_share(shape: str) -> None:
    assert [shape_of(seed) for seed in range(2_800)].count(shape) >= 140


def test_mutants_of_a_wing_are_hunted_in_its_histories() -> None:
    assert set(WINGS) == {"rights", "books", "accounts", "gated"}
    seeds = seeds_of("redeemed_blindly")
    assert {shape_of(next(seeds)) for _ in range(20)} == {"rights"}
    seeds = seeds_of("new_bill_per_call")
    assert [next(seeds) for _ in range(3)] == [0, 1, 2]
