"""Every injectable fault, seen from the adapter: what the payout worker is told, and that the same bill pays once."""

import time

import pytest

from tests.integration.rails.conftest import ORDER, Simulator, order
from uncap.domain.rails import Accepted, FailedFinal, NeedUser, NotAccepted, NotFound, Paid, RailOutcome, Unknown

HASTY_MS = 150


def test_time_out_after_accepting_then_query_adopts(simulator: Simulator) -> None:
    rail = simulator.rail(timeout_ms=HASTY_MS)
    simulator.fault("timeout_after_accept")
    assert rail.submit(ORDER) == Unknown(reason="rail_timeout")
    assert isinstance(rail.query("B0001"), NeedUser)
    waiting = rail.submit(ORDER)
    simulator.tap(waiting)
    simulator.settled(rail, "B0001", Paid)
    assert simulator.total_minor() == 500


def test_time_out_before_accepting_then_the_same_bill_again(simulator: Simulator) -> None:
    rail = simulator.rail(timeout_ms=HASTY_MS)
    simulator.fault("timeout_before_accept")
    assert rail.submit(ORDER) == Unknown(reason="rail_timeout")
    assert rail.query("B0001") == NotFound()
    assert isinstance(rail.submit(ORDER), NeedUser)


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("http_500", Unknown(reason="http_500")),
        ("429", NotAccepted(reason="rate_limited", retry_after_ms=1_000)),
        ("not_enough", NotAccepted(reason="not_enough", retry_after_ms=600_000)),
        ("system_error", Unknown(reason="system_error")),
        ("unheard_code", Unknown(reason="code_something_new_in_2027", hold=True)),
    ],
)
def test_refusals_leave_the_bill_as_it_was(simulator: Simulator, kind: str, outcome: RailOutcome) -> None:
    rail = simulator.rail()
    simulator.fault(kind, next=2, on="any")
    assert rail.submit(ORDER) == outcome
    assert rail.query("B0001") == outcome
    assert rail.query("B0001") == NotFound()
    assert isinstance(rail.submit(ORDER), NeedUser)


@pytest.mark.parametrize(("kind", "reason"), [("bad_signature", "rail_forged"), ("skewed_clock", "rail_stale")])
def test_an_unproven_yes_is_not_believed(simulator: Simulator, kind: str, reason: str) -> None:
    rail = simulator.rail()
    simulator.fault(kind, next=2, on="any")
    assert rail.submit(ORDER) == Unknown(reason=reason)
    assert rail.query("B0001") == Unknown(reason=reason)
    assert isinstance(rail.query("B0001"), NeedUser)


@pytest.mark.parametrize("skew_ms", [-600_000, 600_000])
def test_a_clock_ten_minutes_off_loses_nothing(simulator: Simulator, skew_ms: int) -> None:
    off = simulator.rail(skew_ms=skew_ms)
    assert off.submit(ORDER) == NotAccepted(reason="sign_error", retry_after_ms=60_000)
    assert off.query("B0001") == NotAccepted(reason="sign_error", retry_after_ms=60_000)
    assert isinstance(simulator.rail().submit(ORDER), NeedUser)


def test_slow_is_slow_and_nothing_else(simulator: Simulator) -> None:
    simulator.fault("slow", delay_ms=120)
    started = time.monotonic()
    assert isinstance(simulator.rail().submit(ORDER), NeedUser)
    assert time.monotonic() - started >= 0.12


def test_a_final_failure_after_the_tap_gives_the_money_back(simulator: Simulator) -> None:
    rail = simulator.rail()
    simulator.fault("final_fail", reason="REAL_NAME_CHECK_FAIL")
    simulator.tap(rail.submit(ORDER))
    failed = simulator.settled(rail, "B0001", FailedFinal)
    assert isinstance(failed, FailedFinal)
    assert failed.reason == "real_name_check_fail"
    # The rail keeps saying so for this number; a new attempt is a new number.
    assert rail.submit(ORDER) == failed
    assert isinstance(rail.submit(order("B0001x2")), NeedUser)
    assert simulator.total_minor() == 0
    assert simulator.balance_minor() == 1_000_000 - 500


def test_a_bill_may_need_a_moment_before_it_can_be_confirmed(simulator: Simulator) -> None:
    rail = simulator.rail()
    simulator.fault("processing")
    accepted = rail.submit(ORDER)
    assert isinstance(accepted, Accepted)
    simulator.settled(rail, "B0001", NeedUser)
    again = rail.submit(ORDER)
    assert isinstance(again, NeedUser)
    assert again.action is not None


def test_probable_faults_repeat_by_their_seed(simulator: Simulator) -> None:
    rail = simulator.rail()

    def run() -> list[bool]:
        simulator.http.delete("/_sim/faults")
        simulator.fault("system_error", probability=0.5, seed=7, on="query")
        return [isinstance(rail.query("B9"), Unknown) for _ in range(20)]

    first = run()
    assert first == run()
    assert True in first
    assert False in first


@pytest.mark.parametrize(
    "order_document",
    [
        {"kind": "fire"},
        {"kind": "slow", "next": 0},
        {"kind": "slow", "on": "x"},
        {"kind": "slow", "probability": 2},
        {},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(simulator: Simulator, order_document: dict[str, object]) -> None:
    assert simulator.http.post("/_sim/faults", json=order_document).status_code == 400
    assert simulator.http.get("/_sim/faults").json() == {"faults": []}
