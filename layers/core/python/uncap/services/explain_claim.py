"""Why did this scan win? A claim that was made, or one that is only imagined. Called by the campaign routes.

Both go through the function that grants (`domain/campaigns/deciding.py`); nothing is written.
"""

from typing import Annotated, Literal

import msgspec

from uncap.adapters.coefficients import coefficient_of
from uncap.adapters.rule_sets import CachedRuleSets
from uncap.domain.campaigns.explaining import Explanation, Outcome, explain, outcome_of
from uncap.domain.campaigns.facts import Decision, Facts
from uncap.domain.campaigns.reference import Slot
from uncap.domain.catalog import Campaign, Role
from uncap.domain.errors import ConflictError, NotFoundError, PoisonError
from uncap.domain.rewards import ids
from uncap.domain.rewards.accruing import ACCRUAL, month_of
from uncap.domain.rewards.granting import unconditional
from uncap.domain.rewards.reward import Reward
from uncap.domain.scans import CodeRef, Mark
from uncap.services.create_product import RoleName
from uncap.services.desk import Desk
from uncap.services.rule_forms import Day, Optional

CodeKey = Annotated[str, msgspec.Meta(pattern=r"^\d{1,8}\.\d{1,9}\.[0-5]$(?!\n)", max_length=21)]
"""A code without its serial: batch.index.role, as logs and rewards name it."""
Name = Annotated[str, msgspec.Meta(max_length=60)]


class NewFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An imagined claim. What is left out is unknown; `shipped`: the goods' place in the channel is as given here."""

    role: RoleName = "cap_inner"
    gtin: Annotated[str, msgspec.Meta(max_length=14)] = ""
    batch_no: Optional = 0
    release_id: Name = ""
    day: Day = ""
    weekday: Annotated[int, msgspec.Meta(ge=0, le=7)] = 0
    hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 0
    scanner: Literal["consumer", "outlet"] = "consumer"
    shipped: bool = True
    region: Name = ""
    distributor: Name = ""
    sub_distributor: Name = ""
    salesperson: Name = ""
    outlet: Name = ""
    outlet_staff: Name = ""
    inviter: Name = ""
    invited: bool = False
    tier: Name = ""
    tags: Annotated[tuple[Name, ...], msgspec.Meta(max_length=100)] = ()
    excluded: bool = False
    person_nth: Optional = 0
    person_days: Optional = 0
    person_row: Optional = 0
    outlet_nth: Optional = 0
    outlet_days: Optional = 0
    outlet_row: Optional = 0
    case_nth: Optional = 0

    def value(self) -> Facts:
        """As rules see it."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__ if name != "role"}
        return Facts(role=int(Role[self.role.upper()]), **fields)


class Imagined(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to explain: a claim under a version (0: the newest), and rules to account for by number in any case."""

    facts: NewFacts
    version: Annotated[int, msgspec.Meta(ge=0, le=999_999)] = 0
    rules: Annotated[tuple[int, ...], msgspec.Meta(max_length=50)] = ()


class ExplainQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`rule`: a rule to account for in any case, 0 for none."""

    rule: Optional = 0


class GivenReward(msgspec.Struct, frozen=True):
    """A slot's reward as it stands; empty state: not created yet.

    `coefficient_ppm`: what the month's end multiplies an accrual by, as its party's year stands now; None for the rest.
    """

    no: int
    beneficiary: str
    reward_id: str
    state: str = ""
    reason: str = ""
    party: str = ""
    amount_minor: int = 0
    coefficient_ppm: int | None = None


class PastExplanation(msgspec.Struct, frozen=True):
    """A claim that was made. `decided` is what was recorded then; `agrees`: deciding again now comes to the same."""

    explanation: Explanation
    decided: tuple[Outcome, ...]
    agrees: bool
    rewards: tuple[GivenReward, ...]


def explain_imagined(desk: Desk, campaign_id: str, given: Imagined) -> Explanation:
    """Raises NotFoundError (`campaign_unknown`), ConflictError (`rules_missing`)."""
    versions = desk.campaign_versions(campaign_id)
    wanted = given.version or versions[-1].version
    for campaign in versions:
        if campaign.version == wanted:
            index = CachedRuleSets(desk.catalog_docs).index_of(campaign.rule_set)
            return explain(campaign, index, given.facts.value(), ask=given.rules)
    raise NotFoundError("campaign_unknown", f"there is no version {wanted}", where="version")


def explain_claim(desk: Desk, code_key: str, query: ExplainQuery) -> PastExplanation:
    """Raises NotFoundError (`claim_unknown`), ConflictError (`claim_undecided`: the relay has not been there yet)."""
    ref, claim = _claim(desk, code_key)
    campaign = desk.catalog.campaign_version(*claim.campaign_version)
    decision = _decision(desk, ref, campaign)
    index = CachedRuleSets(desk.catalog_docs).index_of(campaign.rule_set)
    final = not decision.open and not decision.facts.shipped
    told = explain(campaign, index, decision.facts, final=final, ask=[query.rule] if query.rule else [])
    decided = tuple(outcome_of(pick, campaign, decision.facts) for pick in decision.picks)
    again = [(one.no, one.beneficiary, one.rule_no, one.prize_id) for one in told.outcomes]
    agrees = again == [(one.no, one.beneficiary, one.rule_no, one.prize_id) for one in decided]
    return PastExplanation(told, decided, agrees, _rewards(desk, ref, campaign, decision))


def rewards_of_claim(desk: Desk, code_key: str) -> list[Reward]:
    """Every reward that a claimed code has brought so far.

    Raises NotFoundError (`claim_unknown`), ConflictError (`claim_undecided`).
    """
    ref, claim = _claim(desk, code_key)
    campaign = desk.catalog.campaign_version(*claim.campaign_version)
    picks = _decision(desk, ref, campaign).picks
    found = desk.ledger.get_many([ids.reward_id(ref, campaign.campaign_id, one.no, one.beneficiary) for one in picks])
    return list(found.values())


def _claim(desk: Desk, code_key: str) -> tuple[CodeRef, Mark]:
    try:
        ref = CodeRef.from_key(code_key)
    except PoisonError as cause:
        raise NotFoundError("claim_unknown", "not a code's name", where="code_key") from cause
    image = desk.claim_records.image(ref)
    if image is None or image.first is None or image.first.form != "claim" or not image.first.campaign:
        raise NotFoundError("claim_unknown", "nobody has claimed this code", where="code_key")
    return ref, image.first


def _decision(desk: Desk, ref: CodeRef, campaign: Campaign) -> Decision:
    """As recorded; a version without rules needs no record."""
    stored = desk.claim_records.decision(ref, campaign.campaign_id)
    if stored is not None:
        return stored
    if campaign.rule_set:
        raise ConflictError("claim_undecided", "this claim's rules have not been decided yet", where="code_key")
    facts = Facts(role=int(ref.role), batch_no=ref.batch_no, shipped=True)
    return Decision(ref.key(), f"{campaign.campaign_id}@{campaign.version}", facts, unconditional(campaign))


def _rewards(desk: Desk, ref: CodeRef, campaign: Campaign, decision: Decision) -> tuple[GivenReward, ...]:
    wanted = {ids.reward_id(ref, campaign.campaign_id, one.no, one.beneficiary): one.slot for one in decision.picks}
    return tuple(_line(desk, reward_id, slot, desk.ledger.get(reward_id)) for reward_id, slot in wanted.items())


def _line(desk: Desk, reward_id: str, slot: Slot, found: Reward | None) -> GivenReward:
    line = GivenReward(slot.no, slot.beneficiary, reward_id)
    if found is None:
        return line
    ppm = None
    if found.kind == ACCRUAL and found.party:
        year = int(month_of(found.paid_at_ms or desk.clock_ms())[:4])
        ppm = coefficient_of(desk.parties, found.party, year).ppm
    return msgspec.structs.replace(
        line,
        state=str(found.state),
        reason=found.reason,
        party=found.party,
        amount_minor=found.amount_minor,
        coefficient_ppm=ppm,
    )
