"""A spare takes over a spoilt unit's prize and place. Two people: one asks, another approves.

Called by `routes/console/batches.py`. Refused if the old code was claimed; the draw itself stays as published.
"""

import msgspec

from uncap.adapters.catalog import BatchView
from uncap.domain.approvals import Proposal, approve
from uncap.domain.association.ports import UnitSpan
from uncap.domain.catalog import CodeBatch, Release, Replacement
from uncap.domain.errors import ConflictError
from uncap.domain.ranges import overlapping
from uncap.domain.scans import CodeRef
from uncap.services.change_packing import replacement_writes
from uncap.services.commit_release import release_write
from uncap.services.decommission_codes import bury_codes
from uncap.services.desk import Actor, Desk, Index, Reason, draft
from uncap.services.keep_proposals import proposal_write, propose, stored_proposal

KIND = "replace"
MAX_REPLACED = 100
"""Per release: the list rides in the release, which the scan path reads."""


class NewReplacement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`new_index` is a spare: excluded from the very release that holds `old_index`."""

    old_index: Index
    new_index: Index
    reason: Reason


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names the request to approve."""

    old_index: Index
    new_index: Index


def request_replacement(desk: Desk, actor: Actor, batch_no: int, given: NewReplacement) -> Proposal:
    """Raises NotFoundError (`batch_unknown`), ConflictError (`not_replaceable`, `proposal_open`)."""
    _release_for(desk.batch(batch_no), given.old_index, given.new_index)
    return propose(desk, actor, KIND, _target(batch_no, given.old_index, given.new_index), given.reason)


def approve_replacement(desk: Desk, actor: Actor, batch_no: int, given: Approval) -> Release:
    """Raises ConflictError (`proposal_missing`, `proposal_expired`, `not_replaceable`, `code_already_claimed`,
    `association_busy`, `changed_meanwhile`), ForbiddenError (`second_person_needed`).

    The old code is taken out of use first and the spare put in its place second: between the two nobody can claim
    either, and approving again finishes what a crash has left.
    """
    view = desk.batch(batch_no)
    target = _target(batch_no, given.old_index, given.new_index)
    proposal = approve(stored_proposal(desk, f"{KIND}#{target}"), actor.login, desk.clock_ms())
    release = _release_for(view, given.old_index, given.new_index)
    place = replacement_writes(desk, batch_no, given.old_index, given.new_index)
    bury_codes(desk, _codes(view.batch, given.old_index), f"{KIND}-{target}", "replaced")
    changed = msgspec.structs.replace(
        release,
        replaced=(*release.replaced, Replacement(given.old_index, given.new_index)),
        version=release.version + 1,
    )
    desk.writes.commit(
        [release_write(changed), proposal_write(proposal), *place],
        draft(
            actor,
            "batches.replace",
            f"batch {batch_no}",
            reason=proposal.reason,
            before=f"index {given.old_index}",
            after=f"index {given.new_index}, asked by {proposal.requested_by}",
            about=[UnitSpan(batch_no, index, index + 1) for index in (given.old_index, given.new_index)],
        ),
    )
    return changed


def _release_for(view: BatchView, old: int, new: int) -> Release:
    # A code thrown away or taken out of use can never be claimed: a prize moved onto it would be lost.
    scrap = overlapping((*view.batch.rejected, *view.batch.decommissioned), new, new + 1)
    for release in view.releases:
        spare = release.start <= new < release.stop and new not in release and scrap is None
        used = any(new in (one.old, one.new) for one in release.replaced)
        if old in release and spare and not used and release.state == "activated":
            if len(release.replaced) >= MAX_REPLACED:
                raise ConflictError("too_many_replacements", f"at most {MAX_REPLACED} per release")
            return release
    raise ConflictError(
        "not_replaceable", "old and new must be a released code and a spare of one activated release", where="new_index"
    )


def _codes(batch: CodeBatch, index: int) -> list[CodeRef]:
    return [CodeRef(batch.batch_no, index, role) for role in batch.roles]


def _target(batch_no: int, old: int, new: int) -> str:
    return f"{batch_no}.{old}.{new}"
