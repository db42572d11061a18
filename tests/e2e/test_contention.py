"""Many hands on one code: exactly one wins, and everyone is told the truth."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from cli.clients import ScanAnswer
from tests.kits.market import Market

CLAIMANTS = 64


def test_of_64_parallel_claimants_one_wins(market: Market) -> None:
    index = market.next("points")
    phones = [market.phone() for _ in range(CLAIMANTS)]
    start = Barrier(CLAIMANTS)

    def claim(place: int) -> ScanAnswer:
        start.wait(timeout=60)
        return market.claim(phones[place], index)

    with ThreadPoolExecutor(CLAIMANTS) as pool:
        answers = list(pool.map(claim, range(CLAIMANTS)))
    assert Counter(answer.outcome for answer in answers) == {"first": 1, "repeat": CLAIMANTS - 1}
    [winner] = [place for place, answer in enumerate(answers) if answer.outcome == "first"]
    assert market.reward_when(phones[winner], answers[winner].rewards[0], "PAID")["amount_minor"] == 50
    losers = [phones[place].reward(answers[winner].rewards[0]) for place in range(CLAIMANTS) if place != winner]
    assert losers == [None] * (CLAIMANTS - 1)
