"""What a pass of the reconcile job reads: young claims, held rewards however old, and the older claims in turns."""

import msgspec
import pytest

from tests.histories.script import FAIR, Script
from tests.histories.test_matrix import DAY_MS
from uncap.domain.catalog import Role
from uncap.domain.rewards.reward import State
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.services import reconcile_scans
from uncap.services.reconcile_scans import SLICES, Reconciled, reconcile

CODES = [CodeRef(7, index, Role.CAP_INNER) for index in range(8)]


def a_pass(script: Script) -> Reconciled:
    done = reconcile(script.scans, script.granter, script.world.clock_ms, lambda: False, script.ledger)
    assert done.complete
    return done


def unheard(script: Script) -> None:
    """Eight claims of which the stream tells nobody."""
    script.world.rates = msgspec.structs.replace(FAIR, lost=1.0)
    for code in CODES:
        script.claim(f"p{code.index}", code)


def test_old_claims_are_compared_once_and_then_in_turns() -> None:
    script = Script()
    unheard(script)
    first = a_pass(script)
    assert (first.scans, first.compared, len(first.created)) == (8, 8, 16)
    assert a_pass(script).compared == 8, "a young claim is compared by every pass"
    script.pass_ms(4 * DAY_MS)
    a_pass(script)
    lost = dict(script.ledger.items)
    script.ledger.items.clear()  # as if the table had been restored to a moment before
    turns = [a_pass(script) for _ in range(SLICES)]
    assert sum(one.compared for one in turns) == 8, "each of them once in so many passes"
    assert set(script.ledger.items) == set(lost)


def test_a_claim_older_than_any_pass_is_found_by_the_next() -> None:
    script = Script()
    unheard(script)
    script.pass_ms(20 * DAY_MS)
    assert len(a_pass(script).created) == 16


def test_a_pass_that_met_what_it_cannot_grant_has_verified_nothing() -> None:
    script = Script()
    unheard(script)
    nowhere = CodeRef(7, 9, Role.CAP_INNER)
    mark = Mark("c-9", script.world.now_ms, "claim", person="p9", campaign="spring@99")
    script.scans.images[nowhere.key()] = ScanImage(nowhere.key(), mark, 1, mark)
    assert len(a_pass(script).poison) == 1
    script.pass_ms(9 * DAY_MS)
    again = a_pass(script)
    assert (again.compared, len(again.poison)) == (9, 1), "the alarm stays until it is mended"


def test_a_recall_that_was_lifted_lets_old_rewards_go() -> None:
    script = Script()
    unheard(script)
    a_pass(script)
    a_pass(script)
    reward_id, reward = next((key, one) for key, one in script.ledger.items.items() if one.kind == "cash")
    script.pass_ms(40 * DAY_MS)
    a_pass(script)
    held = msgspec.structs.replace(script.ledger.items[reward_id], state=State.HELD, reason="recalled", due_at_ms=0)
    script.ledger.items[reward_id] = msgspec.structs.replace(held, attempt=None, settled=())
    done = a_pass(script)
    assert script.ledger.items[reward_id].state is not State.HELD, reward
    assert done.resent >= 1


def test_a_run_out_of_time_goes_on_with_the_held_rewards_where_it_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile_scans, "_HELD_PAGE", 1)
    script = Script()
    unheard(script)
    a_pass(script)
    cash = [one for one in script.ledger.items.values() if one.kind == "cash"][:4]
    for one in cash:
        held = msgspec.structs.replace(one, state=State.HELD, reason="recalled", attempt=None, settled=())
        script.ledger.items[one.reward_id] = held
    for left in (3, 2, 1, 0):
        turns = iter((False, True, True))
        done = reconcile(script.scans, script.granter, script.world.clock_ms, turns.__next__, script.ledger)
        assert len([one for one in script.ledger.items.values() if one.reason == "recalled"]) == left
        assert not done.complete
    assert a_pass(script).scans == 8, "and then with the scans"
