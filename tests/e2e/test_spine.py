"""One bottle, end to end, on the deployed template with IAM enforced: scanned, rewarded, paid, counted, explained."""

import uuid

import pytest

from cli.clients import ApiProblemError
from cli.demo.books import outcomes_of
from dev.stack import http
from tests.kits.market import Market, eventually
from uncap.domain.catalog import Role
from uncap.domain.rewards.ids import bill_no


def test_a_cash_prize_is_claimed_confirmed_and_paid_once(market: Market) -> None:
    phone, index = market.phone(), market.next("cash")
    answer = market.claim(phone, index)
    assert (answer.outcome, answer.reason, len(answer.rewards)) == ("first", "", 1)
    reward = market.pay_out(phone, answer.rewards[0])
    assert reward["amount_minor"] in (88, 888)
    ours = [line for line in market.bills() if line["bill_no"] == bill_no(answer.rewards[0], 1)]
    assert [line["amount_minor"] for line in ours] == [reward["amount_minor"]]


def test_points_are_paid_without_a_tap(market: Market) -> None:
    phone = market.phone()
    answer = market.claim(phone, market.next("points"))
    reward = market.reward_when(phone, answer.rewards[0], "PAID")
    assert (reward["kind"], reward["amount_minor"]) == ("points", 50)


def test_no_prize_is_a_fact_too(market: Market) -> None:
    phone = market.phone()
    answer = market.claim(phone, market.next(""))
    assert market.reward_when(phone, answer.rewards[0], "NONE")["amount_minor"] == 0


def test_a_lost_answer_is_healed_by_the_same_claim_id(market: Market) -> None:
    phone, index, claim_id = market.phone(), market.next("points"), str(uuid.uuid4())
    first = market.claim(phone, index, claim_id=claim_id)
    again = market.claim(phone, index, claim_id=claim_id)
    assert (again.outcome, again.rewards) == ("first", first.rewards)


def test_a_stranger_with_the_same_claim_id_learns_only_that_it_was_claimed(market: Market) -> None:
    index, claim_id = market.next("points"), str(uuid.uuid4())
    winner, stranger = market.phone(), market.phone()
    won = market.claim(winner, index, claim_id=claim_id)
    market.reward_when(winner, won.rewards[0], "PAID")
    assert market.claim(stranger, index, claim_id=claim_id).outcome == "repeat"
    assert stranger.reward(won.rewards[0]) is None


def test_opening_the_page_any_number_of_times_consumes_nothing(market: Market) -> None:
    index = market.next("points")
    for _ in range(3):
        market.phone().open(market.link(index))
    assert market.claim(market.phone(), index).outcome == "first"


def test_an_outer_code_is_never_a_claim(market: Market) -> None:
    index = market.next("cash")
    answer = market.phone().scan(market.gtin, market.serial(index, Role.CAP_OUTER))
    assert (answer.outcome, answer.reason, answer.rewards) == ("observed", "outer_code", ())
    assert market.claim(market.phone(), index).outcome == "first"


def test_a_forged_code_gets_the_uniform_answer(market: Market) -> None:
    with pytest.raises(ApiProblemError) as refused:
        market.phone().scan(market.gtin, "1" + "0" * 16)
    assert (refused.value.status, refused.value.code) == (404, "code_not_issued")


def test_the_rebate_reaches_the_distributor(market: Market) -> None:
    index = market.next("")
    market.claim(market.phone(), index)

    def rebate() -> list[dict[str, object]]:
        found = market.rewards_of(index)
        return [one for one in found if (one["beneficiary"], one["state"]) == ("distributor", "PAID")]

    [found] = eventually(rebate, "the distributor's rebate is paid")
    assert (found["who"], found["amount_minor"]) == ("dist-chengdu" if index < 240 else "dist-chongqing", 5)


def test_the_read_model_counts_the_scan(market: Market) -> None:
    phone, index = market.phone(), market.next("")

    def count(outcome: str) -> int:
        return outcomes_of(market.desk, market.gtin).get(outcome, 0)

    before = count("repeat")
    market.claim(phone, index)
    market.claim(market.phone(), index)
    eventually(lambda: count("repeat") == before + 1, "the repeat is counted")


def test_machine_clients_get_a_linkset(market: Market) -> None:
    with http.client() as client:
        answer = client.get(market.link(market.next("")), headers={"Accept": "application/linkset+json"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/linkset+json")
    assert "linkset" in answer.json()
