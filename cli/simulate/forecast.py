"""What a launch will cost: pieces of the market scaled up, laid prizes as drawn without replacement, the worst case.

Memory is constant in the number of codes: pieces are of fixed size, and laid prizes follow the multivariate
hypergeometric law, which a keyed permutation realises exactly. Used by `command.py` and its check on real services.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from cli.simulate.assumptions import Assumptions
from cli.simulate.draws import (
    closing_counts,
    drawn_counts,
    held_back,
    most_of,
    odds_of,
    region_shares,
    reserved_for_draws,
)
from cli.simulate.market import LAID, Floats, Given, Launch, Piece, play
from uncap.domain.campaigns.draws import CLOSING, DRAWN
from uncap.domain.campaigns.index import RuleIndex
from uncap.domain.campaigns.rules import RulePart
from uncap.domain.catalog import Campaign, CodeBatch, LaidPrize, Release, Role
from uncap.domain.rewards.face_values import face_value
from uncap.domain.rewards.granting import prize_of, values_of, withheld_minor

Ints = npt.NDArray[np.int64]
PIECES, TRIALS = 8, 4_000
DRAWN_SLOT = f"{DRAWN} "


class Spread(msgspec.Struct, frozen=True):
    """A quantity over all trials: its mean and the 5th, 50th and 95th percentile."""

    mean: float
    p5: float
    p50: float
    p95: float


class PrizeLine(msgspec.Struct, frozen=True):
    """One prize in one slot. `laid`: codes that carry it, 0 for prizes given otherwise. `value_minor`: of one.

    `how`: laid | rule | drawn | closing; of the last two there are `most` at most.
    """

    slot: str
    prize_id: str
    kind: str
    value_minor: int
    laid: int
    given: Spread
    how: str = "rule"
    most: int = 0


class CostLine(msgspec.Struct, frozen=True):
    """Per currency. `reserved`: what is booked, the worst case; `breakage`: what comes back of it, expected."""

    currency: str
    cost: Spread
    reserved: int
    breakage: float


class PersonLine(msgspec.Struct, frozen=True):
    """Consumers' winnings in fen, among people who claimed something."""

    people: float
    winners_share: float
    p50: float
    p90: float
    p99: float
    most: int


@dataclass(frozen=True)
class Forecast:
    """`claims`, `cash_count`, `cash_net_minor`: per trial, shape (TRIALS,); the rest as its types say."""

    launch: Launch
    claims: Ints
    cash_count: Floats
    cash_net_minor: Floats
    refused_share: float
    granted_share: float
    picks_per_claim: float
    costs: tuple[CostLine, ...]
    prizes: tuple[PrizeLine, ...]
    persons: PersonLine
    per_code: dict[str, float]


def forecast(campaign: Campaign, rules: RulePart, given: Assumptions, seed: int) -> Forecast:
    """Everything that `uncap campaign simulate` prints about prizes and cost; a few seconds, whatever the size.

    Raises InputError and PoisonError as the domain does for a campaign that contradicts itself.
    """
    launch = Launch(campaign, RuleIndex(rules), given, seed)
    pieces = [play(launch, number) for number in range(PIECES)]
    return _Trials(launch, pieces, np.random.default_rng([seed, 2])).forecast(rules)


def spread(values: npt.NDArray[np.float64] | Ints) -> Spread:
    """Mean and percentiles of one quantity."""
    low, middle, high = (float(one) for one in np.percentile(values, (5, 50, 95)))
    return Spread(float(values.mean()), low, middle, high)


def reserved(launch: Launch, rules: RulePart) -> dict[str, int]:
    """What storing the version and activating all releases reserve, per currency, by the production functions."""
    codes, sums = launch.given.codes, reserved_for_draws(launch.campaign)
    role = Role[codes.role.upper()]
    for size, table in zip(launch.sizes, launch.tables, strict=True):
        release = pseudo_release(launch, size, table)
        batch = CodeBatch(codes.batch_no, launch.gtin, size, 1, (role,))
        for unit, amount in face_value(release, launch.campaign, rules.rules, batch).items():
            sums[unit] = sums.get(unit, 0) + amount
    return sums


def pseudo_release(launch: Launch, size: int, table: tuple[LaidPrize, ...]) -> Release:
    """A release of `size` codes as far as money is concerned."""
    codes, campaign = launch.given.codes, launch.campaign
    return Release(
        codes.release_id, codes.batch_no, campaign.campaign_id, campaign.version, 0, size, size, "", table, "", "", "",
        campaign.claim_until_ms,
    )  # fmt: skip


def hits(rng: np.random.Generator, counts: list[int], size: int, taken: Ints) -> list[Ints]:
    """How many of each laid prize are among `taken` codes, per trial: draws without replacement, prize after prize."""
    left, rest, found = np.full_like(taken, size), taken.copy(), []
    for count in counts:
        hit = rng.hypergeometric(count, left - count, rest)
        found.append(hit)
        left, rest = left - count, rest - hit
    return found


class _Trials:
    """Pieces turned into totals of many possible launches."""

    def __init__(self, launch: Launch, pieces: list[Piece], rng: np.random.Generator) -> None:
        self.launch, self.pieces, self.rng = launch, pieces, rng
        self.granted = np.asarray([piece.granted for piece in pieces], np.float64)
        tried = sum(piece.tried for piece in pieces)
        self.granted_share = float(self.granted.sum() / tried) if tried else 0.0
        self.refused_share = sum(piece.refused for piece in pieces) / tried if tried else 0.0
        claimed, count = launch.given.claimed, launch.given.codes.count
        share = _triangular(rng, claimed.low, claimed.likely, claimed.high)
        self.claims: Ints = np.floor(rng.binomial(count, share) * self.granted_share).astype(np.int64)

    def forecast(self, rules: RulePart) -> Forecast:
        counts = self._counts()
        campaign = self.launch.campaign
        costs: dict[str, Floats] = {}
        cash_count, cash_net = np.zeros(TRIALS), np.zeros(TRIALS)
        lines = []
        for (no, beneficiary, prize_id), values in counts.items():
            prize = prize_of(campaign, prize_id)
            worth = values_of(prize, campaign)
            for unit, amount in worth.items():
                costs[unit] = costs.get(unit, np.zeros(TRIALS)) + amount * values
            if prize.kind == "cash":
                cash_count = cash_count + values
                cash_net = cash_net + values * (prize.amount_minor - withheld_minor(prize))
            lines.append(self._line((no, beneficiary, prize_id), spread(values)))
        worst = reserved(self.launch, rules)
        tables = tuple(
            CostLine(unit, spread(costs.get(unit, np.zeros(TRIALS))), amount, amount - float(_mean(costs.get(unit))))
            for unit, amount in sorted(worst.items())
        )
        mean_claims = max(float(self.claims.mean()), 1e-9)
        return Forecast(
            self.launch, self.claims, cash_count, cash_net, self.refused_share, self.granted_share,
            sum(piece.picks for piece in self.pieces) / max(1.0, float(self.granted.sum())),
            tables, tuple(lines), self._persons(), {line.currency: line.cost.mean / mean_claims for line in tables},
        )  # fmt: skip

    def _line(self, key: Given, given: Spread) -> PrizeLine:
        no, beneficiary, prize_id = key
        prize, how = prize_of(self.launch.campaign, prize_id), self._how.get(key, "rule")
        laid = self.launch.laid.get(prize_id, 0) if how == LAID else 0
        most = most_of(self.launch.campaign).get((how, prize_id), 0)
        return PrizeLine(f"{no}.{beneficiary}", prize_id, prize.kind, prize.amount_minor, laid, given, how, most)

    def _counts(self) -> dict[Given, Floats]:
        """Per slot and prize, how many are given in each trial."""
        found: dict[Given, Floats] = {}
        self._how: dict[Given, str] = {}
        drawn: dict[str, dict[Given, Floats]] = {}
        for key in sorted({key for piece in self.pieces for key in piece.given}):
            totals = self._scaled(key)
            if key[2] == LAID:
                for prize_id, hit in self._laid(totals).items():
                    self._add(found, (key[0], key[1], prize_id), LAID, hit.astype(np.float64))
            elif key[2].startswith(DRAWN_SLOT):
                drawn.setdefault(key[2].removeprefix(DRAWN_SLOT), {})[key] = totals
            else:
                found[key] = totals
        for draw_id, slots in drawn.items():
            self._add_drawn(found, draw_id, slots)
        return found | self._closing()

    def _add(self, found: dict[Given, Floats], slot: Given, how: str, number: Floats) -> None:
        self._how[slot] = how
        found[slot] = number + found.get(slot, 0.0)

    def _add_drawn(self, found: dict[Given, Floats], draw_id: str, slots: dict[Given, Floats]) -> None:
        """Slots that name one draw share its budgets; what is given is theirs as they took part."""
        totals = np.asarray(sum(slots.values()), np.float64)
        counts = self._drawn(draw_id, totals)
        for (no, beneficiary, _), tries in slots.items():
            share = tries / np.maximum(totals, 1.0)
            for prize_id, number in counts.items():
                self._add(found, (no, beneficiary, prize_id), DRAWN, number * share)

    def _laid(self, totals: Floats) -> dict[str, Ints]:
        laid, count = self.launch.laid, self.launch.given.codes.count
        taken = np.clip(np.rint(totals), 0, count).astype(np.int64)
        return dict(zip(laid, hits(self.rng, list(laid.values()), count, taken), strict=True))

    def _drawn(self, draw_id: str, totals: Floats) -> dict[str, Ints]:
        draw = self.launch.draws[draw_id]
        tries = [number for piece in self.pieces for number in piece.tries[draw_id].values()]
        kept = held_back(tries, sum(odds_of(draw)), draw.per_person)
        claims = np.rint(totals).astype(np.int64)
        regions = region_shares(self.launch.given)
        return drawn_counts(draw, claims, kept, self.launch.day_weights, regions, self.rng)

    def _closing(self) -> dict[Given, Floats]:
        terms = self.launch.campaign.closing
        if terms is None:
            return {}
        people = sum(len(piece.persons) for piece in self.pieces) / max(1.0, float(self.granted.sum()))
        fit = 1 - self.launch.given.people.excluded_share
        counts = closing_counts(terms, self.claims, np.asarray(self.claims * people * fit, np.float64))
        found = {(terms.no, "consumer", prize_id): one.astype(np.float64) for prize_id, one in counts.items()}
        self._how |= dict.fromkeys(found, CLOSING)
        return found

    def _scaled(self, key: Given) -> Floats:
        """A ratio estimate per claim, with the noise that pieces show among each other and that their number leaves."""
        given = np.asarray([piece.given[key] for piece in self.pieces], np.float64)
        ratio = given.sum() / max(1.0, self.granted.sum())
        variance = float(np.var(given - ratio * self.granted, ddof=1))
        many = self.claims / max(1.0, float(self.granted.mean()))  # how many pieces the launch is
        noise = self.rng.standard_normal(TRIALS) * np.sqrt(variance * (many + many**2 / len(self.pieces)))
        return np.asarray(np.clip(ratio * self.claims + noise, 0, self.claims), np.float64)

    def _persons(self) -> PersonLine:
        sums = np.asarray([one for piece in self.pieces for one in piece.persons.values()] or [0], np.int64)
        per_claim = len(sums) / max(1.0, float(self.granted.sum()))
        # A small launch is all in one piece, where people were counted once per piece.
        p50, p90, p99 = (float(one) for one in np.percentile(sums, (50, 90, 99)))
        return PersonLine(
            per_claim * float(self.claims.mean()), float((sums > 0).mean()), p50, p90, p99, int(sums.max())
        )


def _triangular(rng: np.random.Generator, low: float, likely: float, high: float) -> Floats:
    if low == high:
        return np.full(TRIALS, low)
    return rng.triangular(low, likely, high, TRIALS)


def _mean(values: Floats | None) -> float:
    return 0.0 if values is None else float(values.mean())
