"""A claim against its campaign's rules: facts gathered, decided once, kept before any reward exists (ADR 0017).

Called by `grant_rewards.py` for campaigns that have rules. Repeating it, after whatever changed, gives the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.domain.campaigns.counting import Standing, Tally, counted, key_of
from uncap.domain.campaigns.deciding import decide
from uncap.domain.campaigns.facts import Decision, Facts, moment
from uncap.domain.campaigns.index import RuleIndex
from uncap.domain.campaigns.places import case_of, region_of
from uncap.domain.campaigns.ports import DecisionStore, Member, MemberReader, RuleSets, TreeReader
from uncap.domain.campaigns.reference import Place
from uncap.domain.catalog import Campaign, CodeBatch, Release, Role
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.rewards.ports import CHANNEL_ROLES, Channel
from uncap.domain.scans import CodeRef, Mark

_ATTEMPTS = 6
_COUNTS = ("person_count", "outlet_count", "case_count")


@dataclass(frozen=True)
class Targeting:
    """What deciding needs. `case_of` names the case a unit came out of, "" if unknown; by default by roll order."""

    rule_sets: RuleSets
    decisions: DecisionStore
    tree: TreeReader
    members: MemberReader
    catalog: Catalog
    zone: tzinfo
    case_of: Callable[[CodeBatch, int, Role], str] = case_of


class Claimed(msgspec.Struct, frozen=True):
    """One claim with what it names. `final`: its deadline is over, the channel will not be asked again."""

    ref: CodeRef
    claim: Mark
    batch: CodeBatch
    release: Release
    campaign: Campaign
    channel: Channel
    final: bool = False


def decide_claim(claimed: Claimed, targeting: Targeting) -> Decision:
    """The claim's decision, taken now or long ago; slots that waited for the channel are filled once it is known.

    Raises ConflictError (`rules_missing`), TransientError: repeat it.
    """
    index = targeting.rule_sets.index_of(claimed.campaign.rule_set)
    counts = any(need in _COUNTS for need in index.needs)
    # A count must not be moved again for a claim that was counted; without counts the put itself tells.
    stored = targeting.decisions.read(claimed.ref.key(), claimed.campaign.campaign_id) if counts else None
    if stored is None:
        facts = gather(claimed, index, targeting)
        stored = _kept(claimed, index, targeting, facts, None)
    if stored.open and (claimed.final or claimed.channel.shipped):
        facts = _with_channel(stored.facts, claimed, index, targeting)
        stored = _kept(claimed, index, targeting, facts, stored)
    return stored


def gather(claimed: Claimed, index: RuleIndex, targeting: Targeting) -> Facts:
    """The claim's facts as they are now, but for the counts. Reads only what some rule asks for."""
    claim, batch = claimed.claim, claimed.batch
    day, weekday, hour = moment(claim.at_ms, targeting.zone)
    member = (targeting.members.member(claim.person) if "member" in index.needs else None) or Member()
    facts = Facts(
        role=int(claimed.ref.role),
        gtin=batch.gtin,
        batch_no=batch.batch_no,
        release_id=claimed.release.release_id,
        day=day,
        weekday=weekday,
        hour=hour,
        scanner="outlet" if claim.outlet else "consumer",
        inviter=member.referred_by,
        tier=member.tier,
        tags=tuple(tag for tag in member.tags if tag in index.tags),
        excluded=claim.person in index.people or not set(member.tags).isdisjoint(index.excluded.tags),
    )
    return _with_channel(facts, claimed, index, targeting)


def place_now(claimed: Claimed, targeting: Targeting) -> Place:
    """Where the goods stand now: for pauses of a place, which end, and so are not frozen with the decision."""
    channel, territories = claimed.channel, targeting.catalog.territories()
    region = region_of(territories, channel.sub_distributor, channel.distributor)
    return Place(region, channel.distributor, claimed.claim.outlet or channel.outlet)


def _with_channel(facts: Facts, claimed: Claimed, index: RuleIndex, targeting: Targeting) -> Facts:
    """The facts with the goods' place. An outlet that scanned itself counts before the one the goods went to."""
    channel, own = claimed.channel, Channel()
    if claimed.claim.outlet:
        own = targeting.tree.tree_of(claimed.claim.outlet)
    # Another distributor's outlet opening these goods says nothing about who sold them there.
    trusted = own if not channel.distributor or own.distributor in ("", channel.distributor) else Channel()
    known: dict[str, Any] = {name: channel.party(name) or trusted.party(name) for name in CHANNEL_ROLES}
    known["outlet"] = claimed.claim.outlet or channel.outlet
    invited_by = own.inviter if claimed.claim.outlet else channel.inviter
    known["inviter"] = facts.inviter or invited_by
    if "region" in index.needs or claimed.campaign.paused_for:
        parties = (known["sub_distributor"], known["distributor"])
        known["region"] = region_of(targeting.catalog.territories(), *parties)
    return msgspec.structs.replace(facts, shipped=channel.shipped, invited=bool(invited_by), **known)


def _kept(claimed: Claimed, index: RuleIndex, targeting: Targeting, facts: Facts, old: Decision | None) -> Decision:
    """Counts, decides and keeps; again from the counts on where another claim was counted in the same moment."""
    for _ in range(_ATTEMPTS):
        tallies, full = _counted(claimed, index, targeting, facts)
        new = _decision(claimed, index, full, old)
        try:
            if old is None:
                return targeting.decisions.decide(new, tallies)
            return targeting.decisions.complete(old, new, tallies)
        except ConflictError as cause:
            if cause.code != "tally_moved":
                raise
    raise TransientError("tally_contended", "too many openings were counted at once")


def _decision(claimed: Claimed, index: RuleIndex, facts: Facts, old: Decision | None) -> Decision:
    campaign = claimed.campaign
    decided = decide(campaign.effects, index, facts, final=claimed.final)
    name = f"{campaign.campaign_id}@{campaign.version}"
    if old is None:
        return Decision(claimed.ref.key(), name, facts, decided.picks, decided.open)
    filled = tuple(pick for pick in decided.picks if pick.slot in old.open)
    picks = tuple(sorted((*old.picks, *filled), key=lambda pick: pick.slot))
    return Decision(old.ref, old.campaign, facts, picks, tuple(slot for slot in decided.open if slot in old.open))


def _counted(
    claimed: Claimed, index: RuleIndex, targeting: Targeting, facts: Facts
) -> tuple[Mapping[str, Tally], Facts]:
    """The tallies one further for this opening, and the facts that follow; those already counted stay as they are."""
    keys = {kind: key for kind, key in _tally_keys(claimed, index, targeting, facts).items() if key}
    if not keys:
        return {}, facts
    found = targeting.decisions.tallies(list(keys.values()))
    moved: dict[str, Tally] = {}
    changes: dict[str, int] = {}
    for kind, key in keys.items():
        moved[key], standing = counted(found.get(key, Tally()), facts.day)
        changes |= _standing_facts(kind, standing)
    return moved, msgspec.structs.replace(facts, **changes)


def _tally_keys(claimed: Claimed, index: RuleIndex, targeting: Targeting, facts: Facts) -> dict[str, str]:
    campaign_id, keys = claimed.campaign.campaign_id, {}
    if "person_count" in index.needs and not facts.person_nth:
        keys["person"] = key_of(campaign_id, "person", claimed.claim.person)
    if "outlet_count" in index.needs and facts.outlet and not facts.outlet_nth:
        keys["outlet"] = key_of(campaign_id, "outlet", facts.outlet)
    if "case_count" in index.needs and not facts.case_nth:
        place = claimed.release.drawn_as(claimed.ref.index)  # a replaced code lies where the old one lay
        case = targeting.case_of(claimed.batch, place, claimed.ref.role)
        keys["case"] = key_of(campaign_id, "case", case) if case else ""
    return keys


def _standing_facts(kind: str, standing: Standing) -> dict[str, int]:
    if kind == "case":
        return {"case_nth": standing.nth}
    return {f"{kind}_nth": standing.nth, f"{kind}_days": standing.days, f"{kind}_row": standing.row}
