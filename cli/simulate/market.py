"""A piece of the market drawn whole (people, cases, outlets, every claim) and put through the production rules.

Used by `forecast.py`. A piece is what tallies, limits and streaks need to be right; a large campaign is many of them.
"""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from cli.simulate.assumptions import Assumptions, Place
from cli.simulate.draws import acceptance, odds_of
from uncap.domain.campaigns.counting import Tally, counted
from uncap.domain.campaigns.deciding import decide
from uncap.domain.campaigns.draws import DRAWN, Draw
from uncap.domain.campaigns.facts import Facts, Pick, moment
from uncap.domain.campaigns.index import RuleIndex
from uncap.domain.catalog import Campaign, LaidPrize, Role
from uncap.domain.prizes.bulk import BulkPermutation
from uncap.domain.prizes.laying import prize_counts
from uncap.domain.prizes.permutation import KEY_BYTES
from uncap.domain.rewards.granting import prize_of, values_of

Floats = npt.NDArray[np.float64]
PIECE_CLAIMS = 4_000
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
LAID = "laid"
Given = tuple[int, str, str]
"""Effect number, beneficiary, prize id (`LAID` for what lies on the code; for a draw "drawn " and its id)."""


class Launch:
    """A campaign with its rules and what is assumed about it; everything that pieces share."""

    def __init__(self, campaign: Campaign, index: RuleIndex, given: Assumptions, seed: int) -> None:
        self.campaign, self.index, self.given, self.seed = campaign, index, given, seed
        self.zone = ZoneInfo(given.timing.zone)
        count, parts = given.codes.count, given.codes.releases
        self.release_size = count // parts
        self.sizes = [self.release_size] * (parts - 1) + [count - self.release_size * (parts - 1)]
        self.tables: list[tuple[LaidPrize, ...]] = [prize_counts(campaign.pool, size) for size in self.sizes]
        self.days = max(1, -(-(campaign.ends_at_ms - campaign.starts_at_ms) // DAY_MS))
        self.day_weights = day_weights(given, self.days)
        self.hour_weights = _shares(np.asarray(given.timing.hours, np.float64))
        key = np.random.default_rng([seed, 0]).bytes(KEY_BYTES)
        self.draw = BulkPermutation(key, self.release_size)
        self.piece_size = min(self.release_size, self._whole_cases(PIECE_CLAIMS / max(given.claimed.likely, 1e-6)))
        self.gtin = given.codes.gtin or campaign.gtins[0]
        self.draws: dict[str, Draw] = {draw.draw_id: draw for draw in campaign.draws}

    @property
    def laid(self) -> dict[str, int]:
        """Prizes on all codes together."""
        total: Counter[str] = Counter()
        for table in self.tables:
            for one in table:
                total[one.prize_id] += one.count
        return dict(total)

    def _whole_cases(self, codes: float) -> int:
        per_case = self.given.codes.units_per_case
        return max(1, round(codes / per_case)) * per_case

    def local_midnight_ms(self) -> int:
        """The first day's midnight where the brand is."""
        first = datetime.datetime.fromtimestamp(self.campaign.starts_at_ms / 1000, self.zone)
        return int(first.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


@dataclass
class Piece:
    """What became of one piece. `fixed` and `laid` count picks; `won` counts laid prizes that were hit.

    `persons`: winnings per person in the campaign's currency, fen.
    """

    tried: int = 0
    refused: int = 0
    granted: int = 0
    picks: int = 0
    given: Counter[Given] = field(default_factory=Counter)
    won: Counter[str] = field(default_factory=Counter)
    persons: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    tries: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """Per draw, how often each person took part; who takes part for others counts apart, each time."""


class Claim(NamedTuple):
    """One attempt to claim; `tries` counts those before it."""

    at_ms: int
    code: int
    person: int
    tries: int = 0


def day_weights(given: Assumptions, days: int) -> Floats:
    """The curve as a share per day, shape (days,)."""
    curve = np.asarray(given.timing.curve, np.float64)
    return _shares(curve[np.minimum(np.arange(days) * len(curve) // days, len(curve) - 1)])


def play(launch: Launch, number: int) -> Piece:
    """Piece `number` of the launch, the same for the same seed."""
    rng = np.random.default_rng([launch.seed, 1, number])
    crowd = _Crowd(launch, rng)
    piece, market = Piece(), _Market(launch, crowd, rng)
    for claim in market.granted(piece):
        market.decide(claim, piece)
    return piece


class _Crowd:
    """The people of a piece and the cases' places."""

    def __init__(self, launch: Launch, rng: np.random.Generator) -> None:
        given, people = launch.given, launch.given.people
        self.claims = int(rng.binomial(launch.piece_size, given.claimed.likely))
        count = max(1, round(self.claims / people.bottles_mean))
        activity = rng.lognormal(0.0, people.spread, count)
        self.persons = rng.choice(count, self.claims, p=activity / activity.sum())
        names, shares = ["", *people.tiers], list(people.tiers.values())
        self.tiers = [names[one] for one in rng.choice(len(names), count, p=[max(0.0, 1 - sum(shares)), *shares])]
        has = {tag: rng.random(count) < share for tag, share in people.tags.items()}
        self.tags = [tuple(tag for tag in has if has[tag][one]) for one in range(count)]
        self.excluded = rng.random(count) < people.excluded_share
        cases = -(-launch.piece_size // given.codes.units_per_case)
        weights = _shares(np.asarray([place.share for place in given.places], np.float64))
        places = rng.choice(len(given.places), cases, p=weights)
        self.cases = [_case_facts(given.places[place], rng) for place in places]


class _Market:
    """One piece being played: limits, tallies and decisions in the order of time."""

    def __init__(self, launch: Launch, crowd: _Crowd, rng: np.random.Generator) -> None:
        self.launch, self.crowd, self.rng = launch, crowd, rng
        self.tallies: dict[tuple[str, object], Tally] = {}
        self.taken: Counter[tuple[object, ...]] = Counter()
        offset = int(rng.integers(0, launch.release_size - launch.piece_size + 1))
        self.codes = rng.choice(launch.piece_size, crowd.claims, replace=False).astype(np.int64)
        positions = launch.draw.positions(self.codes + offset) if crowd.claims else self.codes
        self.prizes = {int(code): self._at(int(one)) for code, one in zip(self.codes, positions, strict=True)}

    def granted(self, piece: Piece) -> Iterator[Claim]:
        """Claims within the limits, in order; those refused come back later or never."""
        waiting = sorted(self._first_tries())
        piece.tried = len(waiting)
        while waiting:
            again: list[Claim] = []
            for claim in waiting:
                if self._within_limits(claim):
                    piece.granted += 1
                    yield claim
                    continue
                piece.refused += claim.tries == 0
                again += self._come_back(claim)
            waiting = sorted(again)

    def decide(self, claim: Claim, piece: Piece) -> None:
        """One claim's picks, by the function that grants (`domain/campaigns/deciding.py`)."""
        campaign = self.launch.campaign
        facts = self._facts(claim)
        for pick in decide(campaign.effects, self.launch.index, facts, final=True).picks:
            piece.picks += 1
            if not (pick.kind == LAID or pick.prize_id):
                continue
            if pick.kind == DRAWN:
                self._draw(claim, pick, facts, piece)
                continue
            piece.given[pick.no, pick.beneficiary, LAID if pick.kind == LAID else pick.prize_id] += 1
            prize_id = self.prizes[claim.code] if pick.kind == LAID else pick.prize_id
            if pick.kind == LAID and prize_id:
                piece.won[prize_id] += 1
            if prize_id and pick.beneficiary == "consumer":
                worth = values_of(prize_of(campaign, prize_id), campaign).get(campaign.currency, 0)
                piece.persons[claim.person] += worth
        piece.persons.setdefault(claim.person, 0)

    def _draw(self, claim: Claim, pick: Pick, facts: Facts, piece: Piece) -> None:
        """One claim's chance in a draw: counted, and for a person's own winnings drawn by the odds."""
        if pick.beneficiary == "consumer" and facts.scanner == "outlet":
            return  # who scans for an outlet does not win the consumers' draw
        campaign, draw = self.launch.campaign, self.launch.draws[pick.prize_id]
        piece.given[pick.no, pick.beneficiary, f"{DRAWN} {pick.prize_id}"] += 1
        mine = pick.beneficiary == "consumer"
        piece.tries[pick.prize_id][claim.person if mine else -1 - claim.code] += 1
        point, likely = self.rng.random(), self.launch.given.codes.count * self.launch.given.claimed.likely
        for share, odds, let in zip(draw.shares, odds_of(draw), acceptance(draw, likely), strict=True):
            if point < odds * let and mine:
                won = (pick.prize_id, claim.person)
                if not draw.per_person or self.taken[won] < draw.per_person:
                    self.taken[won] += 1
                    worth = values_of(prize_of(campaign, share.prize_id), campaign).get(campaign.currency, 0)
                    piece.persons[claim.person] += worth
                return
            point -= odds * let

    def _at(self, position: int) -> str:
        for one in self.launch.tables[0]:
            if position < one.count:
                return one.prize_id
            position -= one.count
        return ""

    def _first_tries(self) -> Iterator[Claim]:
        launch, count = self.launch, self.crowd.claims
        days = self.rng.choice(launch.days, count, p=launch.day_weights)
        hours = self.rng.choice(24, count, p=launch.hour_weights)
        within = self.rng.integers(0, HOUR_MS, count)
        at = launch.local_midnight_ms() + days.astype(np.int64) * DAY_MS + hours * HOUR_MS + within
        at = np.clip(at, launch.campaign.starts_at_ms, launch.campaign.ends_at_ms - 1)
        for moment_ms, code, person in zip(at.tolist(), self.codes.tolist(), self.crowd.persons.tolist(), strict=True):
            yield Claim(moment_ms, code, person)

    def _within_limits(self, claim: Claim) -> bool:
        limit = self.launch.campaign.limit
        if not (limit.per_day or limit.per_campaign):
            return True
        day = (claim.person, moment(claim.at_ms, self.launch.zone)[0])
        if limit.per_day and self.taken[day] >= limit.per_day:
            return False
        if limit.per_campaign and self.taken[claim.person,] >= limit.per_campaign:
            return False
        self.taken[day] += 1
        self.taken[claim.person,] += 1
        return True

    def _come_back(self, claim: Claim) -> Iterator[Claim]:
        people, limit = self.launch.given.people, self.launch.campaign.limit
        spent = limit.per_campaign and self.taken[claim.person,] >= limit.per_campaign
        later = claim.at_ms + DAY_MS * int(self.rng.integers(1, people.come_back_days + 1))
        if not spent and later < self.launch.campaign.ends_at_ms and self.rng.random() < people.come_back_share:
            yield Claim(later, claim.code, claim.person, claim.tries + 1)

    def _facts(self, claim: Claim) -> Facts:
        launch, crowd, codes = self.launch, self.crowd, self.launch.given.codes
        day, weekday, hour = moment(claim.at_ms, launch.zone)
        case = claim.code // codes.units_per_case
        place = crowd.cases[case]
        needs = launch.index.needs
        counts: dict[str, Any] = {}
        if "person_count" in needs:
            counts |= self._counted("person", claim.person, day)
        if "outlet_count" in needs and place["outlet"]:
            counts |= self._counted("outlet", place["outlet"], day)
        if "case_count" in needs:
            counts["case_nth"] = self._counted("case", case, day)["case_nth"]
        return Facts(
            role=int(Role[codes.role.upper()]),
            gtin=launch.gtin,
            batch_no=codes.batch_no,
            release_id=codes.release_id,
            day=day,
            weekday=weekday,
            hour=hour,
            scanner="outlet" if codes.role.startswith("case") else "consumer",
            tier=crowd.tiers[claim.person],
            tags=tuple(tag for tag in crowd.tags[claim.person] if tag in launch.index.tags),
            excluded=bool(crowd.excluded[claim.person]),
            **place,
            **counts,
        )

    def _counted(self, kind: str, who: object, day: str) -> dict[str, int]:
        key = (kind, who)
        self.tallies[key], standing = counted(self.tallies.get(key, Tally()), day)
        return {f"{kind}_nth": standing.nth, f"{kind}_days": standing.days, f"{kind}_row": standing.row}


def _case_facts(place: Place, rng: np.random.Generator) -> dict[str, Any]:
    """Where one case went, as facts."""
    if rng.random() < place.unshipped_share:
        return {"shipped": False, "outlet": ""}
    at = int(rng.integers(0, len(place.outlets) + place.more_outlets))
    outlet = place.outlets[at] if at < len(place.outlets) else f"{place.distributor}.{at}"
    invited = rng.random() < place.invited_share
    return {
        "shipped": True,
        "region": place.region,
        "distributor": place.distributor,
        "sub_distributor": place.sub_distributor,
        "salesperson": place.salesperson,
        "outlet": outlet,
        "invited": invited,
        "inviter": "inviter" if invited else "",
    }


def _shares(weights: Floats) -> Floats:
    return np.asarray(weights / weights.sum(), np.float64)
