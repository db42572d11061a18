"""The campaigns of the harness, each a shape that histories take in turn, up to one whose rules ask for everything.

`FakeCatalog` serves any of them; `rich_problems` says what is wrong with the decisions that a history took.
"""

from collections import defaultdict
from datetime import UTC

import msgspec

from tests.histories.decisions import FakeDecisions, FakeMembers
from tests.histories.scans import FakeChannel
from tests.histories.world import START_MS
from uncap.adapters.catalog import Catalog
from uncap.domain.campaigns.draws import Draw, DrawShare
from uncap.domain.campaigns.explaining import explain
from uncap.domain.campaigns.index import RuleIndex, slots_in
from uncap.domain.campaigns.ports import Member
from uncap.domain.campaigns.reference import PauseScope, PayN, RuleSetRef
from uncap.domain.campaigns.rules import Condition, Exclusion, Nth, Rule, RulePart, Streak, needs_of
from uncap.domain.catalog import (
    Campaign,
    CodeBatch,
    Effect,
    LaidPrize,
    PersonLimit,
    PoolShare,
    Prize,
    Release,
    Role,
    Territory,
)
from uncap.domain.rewards.reward import Reward
from uncap.domain.scans import ScanImage
from uncap.services.decide_claims import Targeting

DAY_MS = 86_400_000
CODES = 8
CLAIM_DAYS = 5
TEXT = {"zh-CN": "再来一瓶"}
CAMPAIGN = Campaign(
    campaign_id="spring",
    version=1,
    effective_at_ms=0,
    name=TEXT,
    rules=TEXT,
    starts_at_ms=0,
    ends_at_ms=START_MS + CLAIM_DAYS * DAY_MS,
    claim_until_ms=START_MS + CLAIM_DAYS * DAY_MS,
    gtins=("06901234567892",),
    prizes=(
        Prize("cash", "cash", 188, TEXT),
        Prize("taxed", "cash", 10_000, TEXT, tax_class="incidental"),
        Prize("points", "points", 20, TEXT),
    ),
    pool=(PoolShare("cash", 1, 2),),
    effects=(Effect(1, "consumer", "laid"), Effect(2, "distributor", "fixed", "points")),
)
RELEASE = Release(
    release_id="rel-1",
    batch_no=7,
    campaign_id="spring",
    campaign_version=1,
    start=0,
    stop=CODES,
    eligible_count=CODES,
    eligible_hash="",
    prize_table=(LaidPrize("cash", 5), LaidPrize("taxed", 1)),
    seed_hash="",
    beacon_source="",
    beacon_round="",
    claim_until_ms=START_MS + CLAIM_DAYS * DAY_MS,
    state="activated",
    activated_at_ms=START_MS,
)
BATCH = CodeBatch(
    batch_no=7,
    gtin="06901234567892",
    size=CODES,
    epoch=1,
    roles=(Role.CAP_OUTER, Role.CAP_INNER),
    state="commissioned",
)


def gives(no: int, beneficiary: str, prize: str) -> Effect:
    return Effect(no, beneficiary, "fixed", prize)


RULES = RulePart(
    rules=(
        Rule(1, (gives(2, "distributor", "more"),), Condition(regions=("510000",)), name="top-up for a province"),
        Rule(2, (gives(3, "consumer", "points"), gives(3, "outlet", "more")), Condition(person_nth=Nth(every=2))),
        Rule(3, (gives(4, "salesperson", "points"),), Condition(outlets=("o-1",))),
        Rule(4, (gives(4, "salesperson", "more"),), Condition(outlets=("o-1",), hours=()), precedence=200),
        Rule(5, (gives(5, "outlet", "cash"),), Condition(first_of_case=True, roles=(Role.CAP_INNER,))),
        Rule(6, (gives(6, "consumer", "cash"),), Condition(person_streak=Streak(days=2), tags=("vip",))),
        Rule(7, (gives(7, "outlet", "more"), gives(7, "inviter", "points")), Condition(invited=True)),
        Rule(8, (gives(8, "outlet", "more"),), Condition(outlet_nth=Nth(at=(3,)))),
        *(Rule(20 + no, (gives(4, "salesperson", "points"),), Condition(outlets=(f"x-{no}",))) for no in range(30)),
    ),
    excluded=Exclusion(people=("p4",)),
)
RICH = msgspec.structs.replace(
    CAMPAIGN,
    prizes=(*CAMPAIGN.prizes, Prize("more", "points", 30, TEXT)),
    rule_set=RuleSetRef(("rich",), len(RULES.rules), slots_in(RULES.rules), needs_of(RULES)),
)
RICH_BATCH = msgspec.structs.replace(BATCH, case_batch_no=9, units_per_case=4)
TERRITORIES = (Territory("d-1", "510104", ()), Territory("d-2", "500100", ()))


LAID = msgspec.structs.replace(CAMPAIGN, effects=CAMPAIGN.effects[:1])
WIDE = msgspec.structs.replace(
    CAMPAIGN,
    effects=(
        *CAMPAIGN.effects,
        gives(3, "consumer", "cash"),
        gives(3, "outlet", "points"),
        gives(4, "salesperson", "points"),
        gives(5, "outlet_staff", "points"),
    ),
)
DRAWN = msgspec.structs.replace(
    CAMPAIGN,
    effects=(*CAMPAIGN.effects, Effect(6, "consumer", "drawn", "gala")),
    draws=(Draw("gala", (DrawShare("taxed", 1, 2, 1), DrawShare("cash", 1, 2, 2)), fall_back=True, per_person=1),),
)
LIMITED = msgspec.structs.replace(CAMPAIGN, limit=PersonLimit(per_day=1, per_campaign=2))
TERMS = PayN("06901234567892", 100, START_MS + 9 * DAY_MS, fee_minor=20, per_day=2, excluded_outlets=("o-4",))
RIGHTS = msgspec.structs.replace(
    CAMPAIGN,
    prizes=(*CAMPAIGN.prizes, Prize("again", "pay_n", 1, {"zh-CN": "加1元再来一瓶"}, pay_n=TERMS)),
    pool=(PoolShare("again", 3, 4),),
)
BOOKS_DAYS = 8
"""Histories with books begin so much later: a day before a month ends."""
KEPT = msgspec.structs.replace(
    CAMPAIGN,
    prizes=(*CAMPAIGN.prizes, Prize("rebate", "cash", 90_001, TEXT), Prize("small", "cash", 7, TEXT)),
    effects=(Effect(1, "consumer", "laid"), gives(2, "distributor", "rebate"), gives(3, "outlet", "small")),
    ends_at_ms=START_MS + (BOOKS_DAYS + CLAIM_DAYS) * DAY_MS,
    claim_until_ms=START_MS + (BOOKS_DAYS + CLAIM_DAYS) * DAY_MS,
)
SHAPES: dict[str, tuple[Campaign, CodeBatch]] = {
    "plain": (CAMPAIGN, BATCH),
    "laid": (LAID, BATCH),
    "wide": (WIDE, BATCH),
    "limited": (LIMITED, BATCH),
    "drawn": (DRAWN, BATCH),
    "rich": (RICH, RICH_BATCH),
    "rights": (RIGHTS, BATCH),
    "books": (KEPT, BATCH),
    "accounts": (WIDE, BATCH),
    "gated": (WIDE, msgspec.structs.replace(BATCH, units_per_case=1)),
}
CLAIMING = ("plain", "limited", "wide", "drawn", "laid")
WINGED = ("rights", "accounts", "books", "rights", "gated", "books", "accounts")


def shape_of(seed: int) -> str:
    """A quarter has rules, which can go wrong in most ways, a quarter is about claims and draws; the other half adds
    a wing (see `wings.py`). Within each the shapes take turns."""
    kind, turn = seed % 4, seed // 4
    if kind == 0:
        return "rich"
    return CLAIMING[turn % len(CLAIMING)] if kind == 1 else WINGED[(2 * turn + kind) % len(WINGED)]


def release_of(campaign: Campaign) -> Release:
    """The batch's one release under this campaign."""
    release = msgspec.structs.replace(RELEASE, claim_until_ms=campaign.claim_until_ms)
    if any(prize.pay_n for prize in campaign.prizes):
        return msgspec.structs.replace(release, prize_table=(LaidPrize("again", 6), LaidPrize("cash", 1)))
    return release


class FakeCatalog:
    """CatalogSource whose release is activated at some time, whose batch can be frozen and whose campaign can be
    paused, everywhere or for an outlet."""

    def __init__(self, shape: str = "plain") -> None:
        self.hold, self.paused, self.outlet_paused = "", False, ""
        self.activated = True
        self.epoch_state = ""
        self.campaign, self.batch = SHAPES[shape]
        self._release = release_of(self.campaign)
        self._texts: dict[tuple[object, ...], list[tuple[str, str]]] = {}

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> str | None:
        return f'{{"state":"{self.epoch_state}"}}' if pk == "epoch#1" and self.epoch_state else None

    def query(self, pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:
        told = (pk, self.hold, self.paused, self.outlet_paused, self.activated)
        if told not in self._texts:
            self._texts[told] = self._rows(pk)
        return self._texts[told]

    def release(self) -> Release:
        """The batch's one release, activated."""
        return self._release

    def _rows(self, pk: str) -> list[tuple[str, str]]:
        if pk == "campaign#spring":
            scope = PauseScope(outlets=(self.outlet_paused,) if self.outlet_paused else ())
            newest = msgspec.structs.replace(self.campaign, version=2, paused=self.paused, paused_for=scope)
            return [(f"v#{one.version:06d}", _text(one)) for one in (self.campaign, newest)]
        if pk == "territories":
            return [(one.party_id, _text(one)) for one in TERRITORIES]
        batch = msgspec.structs.replace(self.batch, hold=self.hold)
        release = self.release()
        if not self.activated:
            release = msgspec.structs.replace(release, state="committed")
        return [("meta", _text(batch)), ("release#rel-1", _text(release))]


class FakeRuleSets:
    """`RuleSets` with the one there is."""

    def __init__(self) -> None:
        self.index = RuleIndex(RULES)

    def index_of(self, reference: RuleSetRef) -> RuleIndex:
        return self.index


def targeting_of(decisions: FakeDecisions, channel: FakeChannel, catalog: Catalog) -> Targeting:
    members = FakeMembers({"p1": Member(tags=("vip",), referred_by="o-2")})
    return Targeting(FakeRuleSets(), decisions, channel, members, catalog, UTC)


def rich_problems(decisions: FakeDecisions, images: dict[str, ScanImage], rewards: dict[str, Reward]) -> list[str]:
    """Every claim is decided in full, granted as decided, explained as granted; counts have neither gaps nor twins."""
    wrong: list[str] = []
    index = RuleIndex(RULES)
    counts: dict[tuple[str, str], list[int]] = defaultdict(list)
    for pk, image in images.items():
        decision = decisions.items.get((pk, "spring"))
        if decision is None or decision.open or image.first is None:
            wrong.append(f"claim {pk} is undecided")
            continue
        facts = decision.facts
        told = explain(RICH, index, facts, final=not facts.shipped)
        picks = {(one.no, one.beneficiary): (one.rule_no, one.prize_id) for one in decision.picks}
        if picks != {(one.no, one.beneficiary): (one.rule_no, one.prize_id) for one in told.outcomes}:
            wrong.append(f"claim {pk} is explained otherwise than it was decided")
        mine = {(one.effect_no, one.beneficiary): one for one in rewards.values() if one.ref == pk}
        if set(mine) != set(picks) or any(mine[slot].prize_id != prize for slot, (_, prize) in picks.items() if prize):
            wrong.append(f"claim {pk} was granted otherwise than it was decided")
        counts["person", image.first.person].append(facts.person_nth)
        counts["case", str(image.ref.index // 4)].append(facts.case_nth)
        if facts.outlet:
            counts["outlet", facts.outlet].append(facts.outlet_nth)
    wrong += [
        f"{who} was counted {seen}" for who, seen in counts.items() if sorted(seen) != list(range(1, len(seen) + 1))
    ]
    return wrong


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
