"""A later campaign version that adds something adds to the budgets of what is released already. For the console.

Each version's rise over the one before is an entry of its own, `reserve-{release}-v{n}`, so that repeating is harmless
and the next version's call makes good what a crash left out. A version takes effect seconds after it is stored.
"""

from uncap.adapters.catalog_lists import every_release
from uncap.domain.campaigns.rules import RulePart
from uncap.domain.catalog import Campaign, CodeBatch, Release
from uncap.domain.rewards.face_values import Sums, closing_value, drawn_value, face_value, risen
from uncap.services.desk import Desk
from uncap.services.keep_rules import rules_of
from uncap.services.reserve_budget import add_to_budget, reserve_budget


def top_up_budgets(desk: Desk, campaign_id: str) -> int:
    """Bring every activated release of the campaign up to its newest version; how many entries were written."""
    versions = desk.campaign_versions(campaign_id)
    releases = [one for one in every_release(desk.catalog_docs, desk.catalog) if one.campaign_id == campaign_id]
    return sum(top_up_release(desk, one, versions) for one in releases if one.state == "activated")


def raises_budgets(desk: Desk, latest: Campaign | None, campaign: Campaign, rules: RulePart, *, released: bool) -> bool:
    """Whether storing this version reserves money at once: for its draws, or for codes that are released already."""
    for value_of in (drawn_value, closing_value):
        if risen(value_of(latest) if latest else {}, value_of(campaign)):
            return True
    if latest is None or not released:
        return False  # what it costs is reserved when a release is activated, by two people
    for release in every_release(desk.catalog_docs, desk.catalog):
        if release.campaign_id == campaign.campaign_id and release.state == "activated":
            batch = desk.batch(release.batch_no).batch
            if risen(worst_case(desk, release, latest, batch), face_value(release, campaign, rules.rules, batch)):
                return True
    return False


def reserve_in_full(desk: Desk, release: Release) -> None:
    """Everything the release can cost under the version it was committed under and the later ones. Idempotent."""
    versions = desk.campaign_versions(release.campaign_id)
    campaign = next(one for one in versions if one.version == release.campaign_version)
    batch = desk.batch(release.batch_no).batch
    reserve_budget(desk.ledger, release, campaign, rules_of(desk, campaign.rule_set).rules, batch)
    top_up_release(desk, release, versions)


def worst_case(desk: Desk, release: Release, campaign: Campaign, batch: CodeBatch) -> Sums:
    """What the release can cost at most under this version, its rules included."""
    return face_value(release, campaign, rules_of(desk, campaign.rule_set).rules, batch)


def top_up_release(desk: Desk, release: Release, versions: tuple[Campaign, ...]) -> int:
    """One entry for each version since the release's own that can cost more than the one before; how many were new."""
    batch = desk.batch(release.batch_no).batch
    later = [one for one in versions if one.version >= release.campaign_version]
    costs = [worst_case(desk, release, one, batch) for one in later]
    written = 0
    for version, before, after in zip(later[1:], costs, costs[1:], strict=False):
        written += add_to_budget(desk.ledger, release, version, before, after, desk.clock_ms())
    return written
