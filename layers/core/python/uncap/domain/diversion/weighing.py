"""How much likelier whole diverted cases explain what was seen than travel, presents, borders and chance do. Pure.

Called by `judgement.py`. The unit of evidence is the case: goods that were diverted leave the territory by the case, so
the case-mates of a bottle that was seen there are seen there too; a traveller's bottle leaves its case-mates at home.
Of a case's located scans, the number that lie there follows

    innocent  a beta-binomial with mean m (the travel share) and correlation 0.15 (several bottles to a purchase), mixed
              with a whole case that a household took along (1 in 50; 1 in 3000 once five people have scanned it)
    moved     a beta-binomial with Beta(4, 1): nearly all of them there

and a shipment of which the share s was moved is a mixture of the two. What is reported is ln of the likelihood ratio,
maximised over s, and over m under both explanations. A travel share m beyond the expected m0 costs 2 ln(m / m0), but up
to a quarter of the shipment no more than ln 10: one place in ten is a festival's, a resort's, a fair's. Beyond that
the share alone, without a single whole case, may speak for broken-up ones. docs/adr/0016 has the measurements.
"""

import math
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

CORRELATION = 0.15
HOUSEHOLD_RATES = (0.02, 0.02, 0.02, 0.006, 0.002)
"""How often a household takes a whole case to any one place, by the people who scanned it there."""
STRANGERS_RATE = 1 / 3_000
_MOVED_ALPHA, _MOVED_BETA = 4.0, 1.0
_TRAVEL_COST = 2.0
_FESTIVAL_COST = math.log(10)
_FESTIVAL_SHARE = 0.25
_LOOSE_COST = 1.0
_MEANS = (1.0, 2.0, 4.0, 8.0, 12.0, 17.0, 22.0, 27.0, 34.0)
_MOST_TRAVEL = 0.6
_SHARES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 0.95)
_MOST_SCANS = 60
_TINY = 1e-300
_STRANGERS = len(HOUSEHOLD_RATES)
_Kind = tuple[int, int, int]
"""Scans there, scans at home, people there; the last two bounded."""


class CaseCount(NamedTuple):
    """One case: scans in the place, scans at home, and distinct people of the place first met in this case."""

    there: int
    home: int
    people: int


class Weight(NamedTuple):
    """ln of the likelihood ratio, the share of moved cases that explains it best, the travel share held against it."""

    odds_ln: float
    moved_share: float
    travel_share: float


def weigh(cases: Iterable[CaseCount], other_cases: int, other_scans: int, travel_share: float) -> Weight:
    """The weight of what was seen. `other_cases` of the shipment were never seen there, with `other_scans` at home."""
    kinds = Counter((min(c.there, _MOST_SCANS), min(c.home, _MOST_SCANS), min(c.people, _STRANGERS)) for c in cases)
    kinds.update(_unseen(other_cases, other_scans))
    groups = tuple(kinds.items())
    best = innocent = -math.inf
    found = (0.0, 0.0)
    for factor in _MEANS:
        mean = min(travel_share * factor, _MOST_TRAVEL)
        cost = _cost(mean, travel_share)
        terms = [(n, _innocent(kind, mean), _moved(kind[0], kind[1])) for kind, n in groups]
        alone = sum(n * math.log(f) for n, f, _ in terms) - cost
        if alone > innocent:
            innocent, found = alone, (found[0], mean)
        if mean > _FESTIVAL_SHARE and alone + cost - _LOOSE_COST > best:
            best, found = alone + cost - _LOOSE_COST, (0.0, found[1])
        for share in _SHARES:
            mixed = sum(n * math.log((1 - share) * f + share * g) for n, f, g in terms) - cost
            if mixed > best:
                best, found = mixed, (share, found[1])
    return Weight(best - innocent, *found)


def _cost(mean: float, expected: float) -> float:
    cost = _TRAVEL_COST * math.log(mean / expected)
    return min(cost, _FESTIVAL_COST) if mean <= _FESTIVAL_SHARE else cost


def _unseen(cases: int, scans: int) -> dict[_Kind, int]:
    """Cases never seen there by how often they were scanned at home: evenly, as nothing else is known of them."""
    if cases <= 0:
        return {}
    each, more = divmod(max(0, scans), cases)
    even = {(0, min(each, _MOST_SCANS), 0): cases - more, (0, min(each + 1, _MOST_SCANS), 0): more}
    return {kind: n for kind, n in even.items() if n}


@lru_cache(maxsize=1 << 16)
def _innocent(kind: _Kind, mean: float) -> float:
    there, home, people = kind
    rate = HOUSEHOLD_RATES[people] if people < _STRANGERS else STRANGERS_RATE
    spread = 1 / CORRELATION - 1
    travel = _beta_binomial(there, there + home, mean * spread, (1 - mean) * spread)
    return (1 - rate) * travel + rate * _moved(there, home)


@lru_cache(maxsize=1 << 12)
def _moved(there: int, home: int) -> float:
    return _beta_binomial(there, there + home, _MOVED_ALPHA, _MOVED_BETA)


def _beta_binomial(k: int, n: int, alpha: float, beta: float) -> float:
    """P(X = k) for X ~ BetaBin(n, alpha, beta)."""
    choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return max(_TINY, math.exp(choose + _beta_ln(k + alpha, n - k + beta) - _beta_ln(alpha, beta)))


def _beta_ln(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
