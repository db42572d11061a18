"""Drawn prizes and the draw at the close in a forecast: odds, person limits, hard counts, over all trials at once.

Used by `forecast.py` and, for people's winnings, by `market.py`. Budgets are those of docs/adr/0019: per day they
follow the launch's curve, per region its places; a prize that is gone makes way for the next where the draw says so.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import comb

import numpy as np
import numpy.typing as npt

from cli.simulate.assumptions import Assumptions
from uncap.domain.campaigns.draws import ClosingTerms, Draw, DrawShare
from uncap.domain.catalog import Campaign
from uncap.domain.rewards.face_values import Sums, closing_value, drawn_value

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def odds_of(draw: Draw) -> list[float]:
    """Each share's odds."""
    return [share.win / share.per for share in draw.shares]


def held_back(tries: Iterable[int], odds: float, limit: int) -> float:
    """The share of wins that a limit per person leaves, exactly: for someone with k tries, E[min(X, limit)] / (k odds).

    X is binomial; E[min(X, limit)] is the sum of P(X > j) over j below the limit.
    """
    if not limit or not odds:
        return 1.0
    wanted = kept = 0.0
    for k, people in Counter(tries).items():
        wanted += people * k * odds
        kept += people * sum(1 - _at_most(k, odds, j) for j in range(min(limit, k)))
    return kept / wanted if wanted else 1.0


def _at_most(k: int, odds: float, j: int) -> float:
    return sum(comb(k, i) * odds**i * (1 - odds) ** (k - i) for i in range(j + 1))


def drawn_counts(
    draw: Draw, tries: Ints, left_by_limit: float, days: Floats, regions: Floats, rng: np.random.Generator
) -> dict[str, Ints]:
    """How many of each prize are given per trial, of `tries` claims per trial. `days`, `regions`: shares of claims."""
    point, over, found = tries.copy(), np.zeros_like(tries), dict[str, Ints]()
    reached = 0.0
    for share, odds in zip(draw.shares, odds_of(draw), strict=True):
        # Shares lie end to end: what the earlier ones did not take falls into this one with what remains of the odds.
        rest = max(0.0, 1.0 - reached)
        hit = rng.binomial(point, min(1.0, odds / rest) if rest else 0.0)
        point, reached = point - hit, reached + odds
        wanted = rng.binomial(hit, left_by_limit) + (over if draw.fall_back else 0)
        found[share.prize_id] = _within(share, wanted, days, regions, rng)
        over = wanted - found[share.prize_id]
    return found


def _within(share: DrawShare, wanted: Ints, days: Floats, regions: Floats, rng: np.random.Generator) -> Ints:
    left = wanted
    for limit, weights in ((share.per_day, days), (share.per_region, regions)):
        if limit:
            left = np.minimum(rng.multinomial(left, weights), limit).sum(axis=1)
    return np.minimum(left, share.total)


def region_shares(given: Assumptions) -> Floats:
    """Shares of claims per region; goods of which nobody says where they went share one line."""
    sums: dict[str, float] = {}
    for place in given.places:
        known = place.share * (1 - place.unshipped_share)
        sums[place.region] = sums.get(place.region, 0.0) + known
        sums[""] = sums.get("", 0.0) + place.share - known
    weights = np.asarray(list(sums.values()), np.float64)
    return np.asarray(weights / weights.sum(), np.float64)


def closing_counts(terms: ClosingTerms, claims: Ints, people: Floats) -> dict[str, Ints]:
    """How many of each prize the draw at the close gives away: all, unless too few took part; dearest first."""
    able = np.minimum(claims, (people * terms.per_person).astype(np.int64)) if terms.per_person else claims
    left, found = np.minimum(able, terms.total), dict[str, Ints]()
    for prize in terms.prizes:
        found[prize.prize_id] = np.minimum(left, prize.count)
        left = left - found[prize.prize_id]
    return found


def acceptance(draw: Draw, claims: float) -> list[float]:
    """Roughly which share of the wins of each prize its total lets through, for one person's prospects."""
    return [
        min(1.0, share.total / max(1e-9, claims * odds)) for share, odds in zip(draw.shares, odds_of(draw), strict=True)
    ]


def reserved_for_draws(campaign: Campaign) -> Sums:
    """What storing the version reserves beside its releases."""
    drawn, closing = drawn_value(campaign), closing_value(campaign)
    return {unit: drawn.get(unit, 0) + closing.get(unit, 0) for unit in {*drawn, *closing}}


def most_of(campaign: Campaign) -> Mapping[tuple[str, str], int]:
    """(how, prize id) → how many there are at most, drawn or at the close."""
    found: Counter[tuple[str, str]] = Counter()
    for draw in campaign.draws:
        found.update({("drawn", share.prize_id): share.total for share in draw.shares})
    for prize in campaign.closing.prizes if campaign.closing else ():
        found["closing", prize.prize_id] += prize.count
    return found
