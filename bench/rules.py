"""rule_evaluation: deciding a claim under 1, 100 and 10,000 rules against reading them all; linked_rebate_writes: what
a campaign with rules costs the ledger per claim, in requests and write units. Figures of this machine, no network.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC

import msgspec

from bench.report import Row, median_seconds, paired, row
from tests.histories.campaigns import BATCH, CAMPAIGN, RELEASE
from tests.histories.decisions import FakeDecisions, FakeMembers
from tests.histories.scans import FakeChannel
from tests.histories.stores import FakeLedger, FakeQueue
from tests.histories.world import Rates, World
from uncap.adapters.catalog import Catalog
from uncap.adapters.decisions import decision_key
from uncap.adapters.rails.own_ledger import OwnLedgerRail
from uncap.adapters.rule_sets import packed, unpacked
from uncap.domain.campaigns.counting import Tally
from uncap.domain.campaigns.deciding import decide
from uncap.domain.campaigns.facts import Decision, Facts
from uncap.domain.campaigns.index import CompiledRule, RuleIndex, slots_in
from uncap.domain.campaigns.matching import Seen
from uncap.domain.campaigns.reference import RuleSetRef
from uncap.domain.campaigns.rules import Condition, Nth, Rule, RulePart, needs_of
from uncap.domain.catalog import Campaign, Effect, Role
from uncap.domain.rewards.reward import Reward
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.services.decide_claims import Targeting
from uncap.services.grant_rewards import Granter, grant_claims
from uncap.services.stop_money import Brakes

_GTIN = "06901234567892"
_SIZES = (1, 100, 10_000)
_CLAIMS = 200
_KB = 1_024


def rule_evaluation() -> Iterator[Row]:
    """Microseconds per claim once the index is warm; compiling and storing as rows of their own."""
    for size in _SIZES:
        yield _evaluation(size)
    rules, most = _rules(_SIZES[-1]), _SIZES[-1]
    yield row("rule_evaluation.compile", median_seconds(lambda: RuleIndex(rules), rounds=3) * 1000, "ms", rules=most)
    texts = [packed(RulePart(rules.rules[at : at + 1_000]))[1] for at in range(0, most, 1_000)]
    load_s = median_seconds(lambda: [unpacked(text) for text in texts], rounds=3)
    stored_kb = round(sum(map(len, texts)) / _KB)
    yield row("rule_evaluation.load", load_s * 1000, "ms", rules=most, items=len(texts), stored_kb=stored_kb)


def _evaluation(size: int) -> Row:
    rules, claims, few = _rules(size), _claims(size), max(2, min(_CLAIMS, 20_000 // size))
    index, plain = RuleIndex(rules), _Unindexed(rules)
    times = paired(
        lambda: [decide(CAMPAIGN.effects, index, one) for one in claims],
        lambda: [decide(CAMPAIGN.effects, plain, one) for one in claims[:few]],
        scale=len(claims) / few,
    )
    return row(
        "rule_evaluation", times.own_s / len(claims) * 1e6, "us/claim", peer="reading every rule",
        peer_value=times.peer_s / few * 1e6, ratio=times.ratio, rules=size,
    )  # fmt: skip


def linked_rebate_writes() -> Iterator[Row]:
    """Requests and write units per claim: unconditional effects, rules, and rules that count openings."""
    chain = tuple(
        Effect(no, who, "fixed", "points") for no, who in enumerate(("outlet", "distributor", "salesperson"), 2)
    )
    consumer = CAMPAIGN.effects[:1]
    plain = _cost(CAMPAIGN, consumer + chain, RulePart())
    alone = _cost(CAMPAIGN, consumer, RulePart())
    linked = _cost(CAMPAIGN, consumer, RulePart((Rule(1, chain, Condition(roles=(Role.CAP_INNER,))),)))
    counted = _cost(CAMPAIGN, consumer, RulePart((Rule(1, chain, Condition(person_nth=Nth(first=10**6))),)))
    for name, cost in (("no rebate", alone), ("effects for three", plain), ("a rule for three", linked),
                       ("a counting rule for three", counted)):  # fmt: skip
        yield row(
            "linked_rebate_writes", cost["units"] / _CLAIMS, "write units/claim", peer="no rebate",
            peer_value=alone["units"] / _CLAIMS, requests=cost["requests"] / _CLAIMS, campaign=name,
        )  # fmt: skip


def _rules(size: int) -> RulePart:
    return RulePart(
        tuple(
            Rule(
                no,
                (Effect(3, "outlet", "fixed", "points"),),
                Condition(outlets=(f"outlet-{no:05d}",), gtins=(_GTIN,), regions=("510000",)),
                100 + no % 3,
                f"rule {no}",
            )
            for no in range(1, size + 1)
        )
    )


def _claims(size: int) -> list[Facts]:
    step = max(1, size // _CLAIMS)
    return [
        Facts(role=1, gtin=_GTIN, outlet=f"outlet-{at * step % size + 1:05d}", region="510104", shipped=True)
        for at in range(_CLAIMS)
    ]


class _Unindexed(RuleIndex):
    """The peer: the same rules and the same decision, every rule tried."""

    def candidates(self, facts: Facts) -> tuple[Seen, list[CompiledRule]]:
        return Seen(facts), sorted(self.rules.values(), key=lambda one: one.rank)


class _Meter(FakeLedger):
    """Counts puts of rewards."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.cost: Counter[str] = Counter()

    def create(self, reward: Reward) -> Reward:
        size = len(msgspec.json.encode(reward)) + 100
        self.cost += Counter(requests=1, units=math.ceil(size / _KB))
        return super().create(reward)


class _Decisions(FakeDecisions):
    """Counts what `WireDecisions` would send: a put, or a transaction at two units per KB and item."""

    def __init__(self, world: World, cost: Counter[str]) -> None:
        super().__init__(world)
        self.cost = cost

    def read(self, ref: str, campaign_id: str) -> Decision | None:
        self.cost["requests"] += 1
        return super().read(ref, campaign_id)

    def tallies(self, keys: Sequence[str]) -> Mapping[str, Tally]:
        self.cost["requests"] += 1
        return super().tallies(keys)

    def decide(self, decision: Decision, tallies: Mapping[str, Tally]) -> Decision:
        items = [decision, *tallies.values()]
        key = len(decision_key(decision.ref, decision.campaign_id))
        units = sum(math.ceil((len(msgspec.json.encode(item)) + key + 20) / _KB) for item in items)
        self.cost += Counter(requests=1, units=units * (2 if tallies else 1))
        return super().decide(decision, tallies)


class _Source:
    def __init__(self, campaign: Campaign) -> None:
        self._rows = {
            "campaign#spring": [("v#000001", msgspec.json.encode(campaign).decode())],
            "batch#7": [
                ("meta", msgspec.json.encode(msgspec.structs.replace(BATCH, size=10**6)).decode()),
                ("release#rel-1", msgspec.json.encode(msgspec.structs.replace(RELEASE, stop=10**6)).decode()),
            ],
        }

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> str | None:  # noqa: ARG002  # the protocol
        return None

    def query(self, pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:  # noqa: ARG002  # the protocol
        return self._rows.get(pk, [])


class _OneSet:
    def __init__(self, rules: RulePart) -> None:
        self._index = RuleIndex(rules)

    def index_of(self, reference: RuleSetRef) -> RuleIndex:  # noqa: ARG002  # there is one
        return self._index


def _cost(base: Campaign, effects: tuple[Effect, ...], rules: RulePart) -> Counter[str]:
    """What granting the claims costs, the queue left aside."""
    reference = (
        RuleSetRef(("x",), len(rules.rules), slots_in(rules.rules), needs_of(rules)) if rules.rules else RuleSetRef()
    )
    catalog_source = _Source(msgspec.structs.replace(base, effects=effects, rule_set=reference))
    world = World(1, Rates())
    catalog, channel, ledger = Catalog(catalog_source, world.clock_ms, 10**9), FakeChannel(), _Meter(world)
    channel.shipped, channel.outlet, channel.salesperson = True, "o-1", "s-1"
    decisions = _Decisions(world, ledger.cost)
    targeting = Targeting(_OneSet(rules), decisions, channel, FakeMembers({}), catalog, UTC)
    granter = Granter(
        catalog, channel, ledger, FakeQueue(world), lambda _release, _index: "cash", Brakes(catalog, world.clock_ms),
        world.clock_ms, {"points": OwnLedgerRail()}, targeting=targeting,
    )  # fmt: skip
    grant_claims([_claim(index, world.now_ms) for index in range(_CLAIMS)], granter)
    return ledger.cost


def _claim(index: int, at_ms: int) -> ScanImage:
    mark = Mark(f"i{index}", at_ms, "claim", f"p_{index % 7}", "v1." + "x" * 76, campaign="spring@1")
    return ScanImage(CodeRef(7, index, Role.CAP_INNER).key(), mark, 1, mark)
