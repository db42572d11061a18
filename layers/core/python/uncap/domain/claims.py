"""May this code be claimed now? The one decision the scan path takes before its one write. Pure.

Called by `services/claim_code.py` and `services/view_code.py`; the reasons are those of docs/architecture.md.
"""

import msgspec

from uncap.domain.catalog import Campaign, CodeBatch, IndexRange, Release, Role
from uncap.domain.lifecycle import assignment_of, is_active, is_recalled


class ClaimDecision(msgspec.Struct, frozen=True):
    """`form` is what to write: "claim" (may set first) or "observe" (never does). `reason` says why only observed."""

    form: str
    reason: str = ""


CLAIM = ClaimDecision("claim")


def decide_claim(
    batch: CodeBatch, release: Release | None, campaign: Campaign | None, index: int, role: Role, now_ms: int
) -> ClaimDecision:
    """The first reason that forbids claiming: a recall before all else, then role, item, batch, release, campaign.

    Whoever scans any code of a recalled item, the outer one too, must be told not to drink. An observed scan never
    burns the buyer's prize: a warehouse scan before activation leaves `first` unset.
    """
    reason = (
        ("recalled" if is_recalled(batch, index) else "")
        or _role_reason(role)
        or _item_reason(batch, release, index)
        or _batch_reason(batch, index)
        or _release_reason(release, index)
        or _campaign_reason(release, campaign, now_ms)
    )
    return ClaimDecision("observe", reason) if reason else CLAIM


def _role_reason(role: Role) -> str:
    return "" if role.is_inner else "outer_code"


def _item_reason(batch: CodeBatch, release: Release | None, index: int) -> str:
    if _within(batch.rejected, index):
        return "line_rejected"
    if _within(batch.decommissioned, index):
        return "decommissioned"
    if release is not None and index not in release and _within(release.excluded, index):
        return "line_rejected"
    return ""


def _batch_reason(batch: CodeBatch, index: int) -> str:
    if batch.blank and assignment_of(batch, index) is None:
        return "not_assigned"
    if batch.state != "commissioned" or not is_active(batch, index):
        return "not_activated"
    return batch.hold


def _release_reason(release: Release | None, index: int) -> str:
    if release is None or release.state == "committed" or index not in release:
        return "not_activated"
    return ""


def _campaign_reason(release: Release | None, campaign: Campaign | None, now_ms: int) -> str:
    if release is None or campaign is None:
        return "no_campaign"
    if campaign.paused:
        return "campaign_paused"
    if now_ms < campaign.starts_at_ms:
        return "campaign_not_started"
    if now_ms >= min(campaign.claim_until_ms, release.claim_until_ms):
        return "campaign_ended"
    return ""


def _within(ranges: tuple[IndexRange, ...], index: int) -> bool:
    return any(index in one for one in ranges)
