"""The launch simulator's word kept: campaigns that run through the production granting cost what was forecast."""

import random
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cli.campaign import loaded
from cli.simulate.assumptions import Assumptions, Claimed, Codes, People, Place
from cli.simulate.forecast import forecast
from tests.histories.decisions import FakeDecisions, FakeMembers
from tests.histories.scans import FakeLimits
from tests.histories.stores import FakeLedger, FakeQueue
from tests.histories.world import Rates, World
from uncap.adapters.catalog import Catalog
from uncap.domain.campaigns.index import RuleIndex
from uncap.domain.campaigns.reference import RuleSetRef
from uncap.domain.campaigns.rules import RulePart
from uncap.domain.catalog import Campaign, CodeBatch, Release, Role, Territory
from uncap.domain.prizes.commitment import derive_seed, seed_hash
from uncap.domain.prizes.eligible import EligibleSet
from uncap.domain.prizes.laying import laid_prize, prize_counts
from uncap.domain.rewards.ports import Channel
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.services.claim_limits import ClaimSlots
from uncap.services.decide_claims import Targeting
from uncap.services.grant_rewards import Granter, grant_claims
from uncap.services.stop_money import Brakes

EXAMPLES = Path(__file__).parents[2] / "examples"
CODES, PER_CASE, BATCH_NO, RUNS = 1_200, 12, 7, 10
ZONE = ZoneInfo("Asia/Shanghai")
PLACES = (("510104", "d-1", 3), ("500100", "d-2", 1))
"""Region, distributor, weight."""
GIVEN = msgspec.structs.replace(
    Assumptions(),
    codes=Codes(CODES, units_per_case=PER_CASE, batch_no=BATCH_NO, release_id="rel-1"),
    claimed=Claimed(0.35, 0.45, 0.55),
    people=People(bottles_mean=4, spread=1.0, come_back_share=0.0),
    places=tuple(Place(weight, region, party, salesperson="", more_outlets=8) for region, party, weight in PLACES),
)


class Launched:
    """A campaign that really runs: catalog, channel and draw for the production services, on fakes without faults."""

    def __init__(self, campaign: Campaign, rules: RulePart, seed: int) -> None:
        self.campaign, self.index, self.rng = campaign, RuleIndex(rules), random.Random(seed)
        eligible = EligibleSet(0, CODES)
        self.seed = derive_seed(bytes([seed]) * 32, "rel-1")
        self.release = Release(
            "rel-1", BATCH_NO, campaign.campaign_id, campaign.version, 0, CODES, CODES, eligible.digest(BATCH_NO),
            prize_counts(campaign.pool, CODES), seed_hash(self.seed), "drand", "1", campaign.claim_until_ms,
            beacon_value=f"{seed:064x}", state="activated",
        )  # fmt: skip
        self.batch = CodeBatch(
            BATCH_NO, campaign.gtins[0], CODES, 1, (Role.CAP_INNER,), "commissioned",
            units_per_case=PER_CASE, case_batch_no=BATCH_NO + 1,
        )  # fmt: skip
        weights = [weight for *_, weight in PLACES]
        self.cases = [
            (*place[:2], self.rng.randrange(8)) for place in self.rng.choices(PLACES, weights, k=CODES // PER_CASE)
        ]
        world = World(seed, Rates())
        world.calm()
        world.now_ms = campaign.ends_at_ms
        self.ledger, self.limits = FakeLedger(world), FakeLimits(world)
        catalog = Catalog(self, world.clock_ms, 5_000)
        targeting = Targeting(self, FakeDecisions(world), self, FakeMembers({}), catalog, ZONE)
        self.granter = Granter(
            catalog, self, self.ledger, FakeQueue(world), self._laid, Brakes(catalog, world.clock_ms), world.clock_ms,
            targeting=targeting,
        )  # fmt: skip

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> str | None:
        return None

    def query(self, pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:
        rows: dict[str, list[tuple[str, object]]] = {
            f"campaign#{self.campaign.campaign_id}": [(f"v#{self.campaign.version:06d}", self.campaign)],
            f"batch#{BATCH_NO}": [("meta", self.batch), ("release#rel-1", self.release)],
            "territories": [(party, Territory(party, region, ())) for region, party, _ in PLACES],
        }
        return [(sk, msgspec.json.encode(one).decode()) for sk, one in rows.get(pk, [])]

    def index_of(self, reference: RuleSetRef) -> RuleIndex:
        return self.index

    def channel_of(self, batch_no: int, index: int) -> Channel:
        _, distributor, outlet = self.cases[index // PER_CASE]
        return Channel(True, distributor, f"{distributor}.{outlet}")

    def tree_of(self, party_id: str) -> Channel:
        return Channel(outlet=party_id)

    def sell(self) -> Counter[str]:
        """Everything is opened; what was granted, per currency."""
        share = self.rng.triangular(GIVEN.claimed.low, GIVEN.claimed.high, GIVEN.claimed.likely)
        codes = [code for code in range(CODES) if self.rng.random() < share]
        people = range(max(1, len(codes) // 4))
        thirst = [self.rng.lognormvariate(0, 1) for _ in people]
        campaign, claims = self.campaign, []
        for code in codes:
            person = f"p{self.rng.choices(people, thirst)[0]}"
            claims.append((self.rng.randrange(campaign.starts_at_ms, campaign.ends_at_ms), code, person))
        for at_ms, code, person in sorted(claims):
            if ClaimSlots(self.limits, campaign, person, f"c{code:020d}", at_ms, ZONE).take() is None:
                mark = Mark(f"c{code:020d}", at_ms, "claim", person, "v1.x", campaign=_named(campaign))
                ref = CodeRef(BATCH_NO, code, Role.CAP_INNER)
                grant_claims([ScanImage(ref.key(), mark, 1, mark)], self.granter)
        total: Counter[str] = Counter()
        for reward in self.ledger.items.values():
            total[reward.currency] += reward.amount_minor
        return total

    def _laid(self, release: Release, index: int) -> str:
        return laid_prize(release, self.seed, index)


def _named(campaign: Campaign) -> str:
    return f"{campaign.campaign_id}@{campaign.version}"


@pytest.mark.parametrize(
    ("file", "currency"),
    [
        ("simulate/spring-draw.campaign.json", "CNY"),
        ("campaigns/regional-top-up.json", "CNY"),
        ("campaigns/two-way-red-packet.json", "CNY"),
        ("campaigns/nth-opening.json", "PTS"),
    ],
)
def test_what_a_launch_costs_was_forecast(file: str, currency: str) -> None:
    """Most real launches fall into the 90 % interval, and their mean is near the forecast's."""
    campaign, rules, _ = loaded(EXAMPLES / file)
    line = next(one for one in forecast(campaign, rules, GIVEN, 1).costs if one.currency == currency)
    real = [Launched(campaign, rules, seed).sell()[currency] for seed in range(1, RUNS + 1)]
    inside = sum(line.cost.p5 <= one <= line.cost.p95 for one in real)
    deviation = sum(real) / len(real) / line.cost.mean - 1
    assert inside >= 0.7 * RUNS
    assert abs(deviation) < 0.1
    assert max(real) <= line.reserved
