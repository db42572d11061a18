"""The draw at a campaign's close, before the beacon speaks: planned with its seed's hash, then its entries committed.

Called by `routes/console/closings.py`; reconcile_job collects the entries in between, `reveal_closing.py` goes on.
"""

from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.adapters.closing_entries import ClosingEntries
from uncap.domain.approvals import Proposal
from uncap.domain.catalog import Campaign
from uncap.domain.errors import ConflictError, NotFoundError
from uncap.domain.prizes.closing import ClosingDraw, Fixed, closing_commitment, closing_secret
from uncap.domain.prizes.commitment import seed_hash
from uncap.services.commit_release import check_beacon
from uncap.services.desk import Actor, Desk, Reason, catalog_write, draft
from uncap.services.keep_proposals import proposal_of, proposal_write, propose

CLOSING = "closing"
"""Partition of the Catalog under which every campaign's closing draw is."""
REVEAL = "closing-draw"
"""Proposals of this kind: recording the beacon's value decides who is owed the prizes."""
BeaconName = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,60}$(?!\n)", max_length=60)]


class ClosingPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The public beacon whose later round will mix the seed."""

    beacon_source: BeaconName
    reason: Reason


class EntriesCommit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A round of the planned beacon that still lies ahead."""

    beacon_round: BeaconName
    reason: Reason


class RevealRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks again for the draw, where the commitment is more than a week old."""

    reason: Reason


def plan_closing(desk: Desk, actor: Actor, campaign_id: str, given: ClosingPlan) -> ClosingDraw:
    """The seed's hash is public from now on; best before the campaign starts. Repeating it changes nothing.

    Raises NotFoundError (`campaign_unknown`), ConflictError (`closing_not_offered`, `closing_planned`).
    """
    _newest(desk, campaign_id)
    stored = stored_closing(desk, campaign_id)
    if stored is not None:
        if stored.beacon_source == given.beacon_source:
            return stored
        raise ConflictError("closing_planned", f"planned with {stored.beacon_source}", where="beacon_source")
    hashed = seed_hash(closing_secret(desk.draw_master(), campaign_id, "seed"))
    planned = ClosingDraw(campaign_id, hashed, given.beacon_source, desk.clock_ms())
    summary = f"seed hash {hashed}, {given.beacon_source}"
    entry = draft(actor, "campaigns.closing_plan", campaign_id, reason=given.reason, after=summary)
    desk.writes.commit([closing_write(planned)], entry)
    return planned


def commit_entries(desk: Desk, actor: Actor, campaign_id: str, given: EntriesCommit) -> ClosingDraw:
    """Freeze entries, prizes and round; the commitment is to be published before that round.

    Committing asks for the draw: whoever records the beacon's value is another person (ADR 0020). Raises NotFoundError
    (`campaign_unknown`, `closing_unknown`), InputError (`beacon_in_the_past`, `beacon_malformed`), ConflictError
    (`closing_not_offered`, `closing_committed`, `entries_not_complete`, `changed_meanwhile`).
    """
    newest, draw = _newest(desk, campaign_id), load_closing(desk, campaign_id)
    if draw.state != "planned":
        raise ConflictError("closing_committed", f"the draw is {draw.state}", where="campaign_id")
    entering = ClosingEntries().entering(campaign_id)
    if entering is None or not entering.is_complete or entering.until_ms != newest.claim_until_ms:
        raise ConflictError("entries_not_complete", "the claims are not all collected yet", where="campaign_id")
    check_beacon(draw.beacon_source, given.beacon_round, desk.clock_ms())
    if newest.closing is None:
        raise ConflictError("closing_not_offered", "this campaign has no closing draw", where="campaign_id")
    fixed = Fixed(
        campaign_id=campaign_id,
        campaign_version=newest.version,
        terms=newest.closing,
        entry_count=entering.count,
        entries_root=entering.root,
        seed_hash=draw.seed_hash,
        beacon_source=draw.beacon_source,
        beacon_round=given.beacon_round,
    )
    committed = msgspec.structs.replace(
        draw,
        state="committed",
        fixed=fixed,
        commitment=closing_commitment(fixed),
        committed_at_ms=desk.clock_ms(),
        version=draw.version + 1,
    )
    asked = proposal_of(desk, actor, REVEAL, campaign_id, given.reason, committed.commitment)
    summary = f"{fixed.entry_count} entries, round {fixed.beacon_round}, commitment {committed.commitment}"
    entry = draft(actor, "campaigns.closing_commit", campaign_id, reason=given.reason, before=draw.state, after=summary)
    desk.writes.commit([closing_write(committed), proposal_write(asked)], entry)
    return committed


def request_reveal(desk: Desk, actor: Actor, campaign_id: str, given: RevealRequest) -> Proposal:
    """Raises NotFoundError (`closing_unknown`), ConflictError (`closing_not_committed`, `proposal_open`)."""
    draw = load_closing(desk, campaign_id)
    if draw.state != "committed":
        raise ConflictError("closing_not_committed", f"the draw is {draw.state}", where="campaign_id")
    return propose(desk, actor, REVEAL, campaign_id, given.reason, draw.commitment)


def stored_closing(desk: Desk, campaign_id: str) -> ClosingDraw | None:
    """The campaign's draw, None before it is planned."""
    return desk.catalog_docs.value(CLOSING, campaign_id, ClosingDraw)


def load_closing(desk: Desk, campaign_id: str) -> ClosingDraw:
    """Raises NotFoundError (`closing_unknown`)."""
    stored = stored_closing(desk, campaign_id)
    if stored is None:
        raise NotFoundError("closing_unknown", "no closing draw was planned for this campaign", where="campaign_id")
    return stored


def closing_write(draw: ClosingDraw) -> DocWrite:
    """The conditional put of a draw in its `version`."""
    return catalog_write(CLOSING, draw.campaign_id, doc_of(draw), draw.version)


def _newest(desk: Desk, campaign_id: str) -> Campaign:
    newest = desk.campaign_versions(campaign_id)[-1]
    if newest.closing is None:
        raise ConflictError("closing_not_offered", "this campaign has no closing draw", where="campaign_id")
    return newest
