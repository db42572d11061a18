"""What a launch will cost: pieces of the market scaled up, laid prizes as drawn without replacement, the worst case.

Memory is constant in the number of codes: pieces are of fixed size, and laid prizes follow the multivariate
hypergeometric law, which a keyed permutation realises exactly. Used by `command.py` and its check on real services.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from cli.simulate.assumptions import Assumptions
from cli.simulate.market import LAID, Floats, Given, Launch, Piece, play
from uncap.domain.campaigns.index import RuleIndex
from uncap.domain.campaigns.rules import RulePart
from uncap.domain.catalog import Campaign, CodeBatch, LaidPrize, Release, Role
from uncap.domain.rewards.face_values import face_value
from uncap.domain.rewards.granting import prize_of, values_of, withheld_minor

Ints = npt.NDArray[np.int64]
PIECES, TRIALS = 8, 4_000


class Spread(msgspec.Struct, frozen=True):
    """A quantity over all trials: its mean and the 5th, 50th and 95th percentile."""

    mean: float
    p5: float
    p50: float
    p95: float


class PrizeLine(msgspec.Struct, frozen=True):
    """One prize in one slot. `laid`: codes that carry it, 0 for prizes that rules give. `value_minor`: of one."""

    slot: str
    prize_id: str
    kind: str
    value_minor: int
    laid: int
    given: Spread


class CostLine(msgspec.Struct, frozen=True):
    """Per currency. `reserved`: what activation books, the worst case; `breakage`: what comes back of it, expected."""

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
    """What activating all releases reserves, per currency, by the production function."""
    codes, sums = launch.given.codes, dict[str, int]()
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
            laid = self.launch.laid.get(prize_id, 0) if (no, beneficiary, prize_id) in self._laid_slots else 0
            lines.append(
                PrizeLine(f"{no}.{beneficiary}", prize_id, prize.kind, prize.amount_minor, laid, spread(values))
            )
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

    def _counts(self) -> dict[Given, Floats]:
        """Per slot and prize, how many are given in each trial."""
        found: dict[Given, Floats] = {}
        self._laid_slots: set[Given] = set()
        for key in sorted({key for piece in self.pieces for key in piece.given}):
            totals = self._scaled(key)
            if key[2] != LAID:
                found[key] = totals
                continue
            laid = self.launch.laid
            taken = np.clip(np.rint(totals), 0, self.launch.given.codes.count).astype(np.int64)
            for prize_id, hit in zip(
                laid, hits(self.rng, list(laid.values()), self.launch.given.codes.count, taken), strict=True
            ):
                slot = (key[0], key[1], prize_id)
                self._laid_slots.add(slot)
                found[slot] = hit.astype(np.float64) + found.get(slot, 0.0)
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
