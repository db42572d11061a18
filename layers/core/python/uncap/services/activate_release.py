"""A release's second step: the beacon has spoken, prizes are laid, codes become redeemable, the budget is reserved.

Called by `routes/console/releases.py`.
"""

from typing import Annotated

import msgspec

from uncap.domain.approvals import Proposal
from uncap.domain.errors import ConflictError
from uncap.domain.prizes.commitment import commitment, derive_seed
from uncap.domain.prizes.laying import check_committed
from uncap.services.commit_release import ACTIVATION, ReleaseAnswer, load_release, release_write, span_of
from uncap.services.desk import Actor, Desk, Reason, draft
from uncap.services.keep_proposals import approved_proposal, proposal_write, propose
from uncap.services.top_up_budgets import reserve_in_full


class Beacon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The public value of the round named at the commitment, as published there."""

    beacon_value: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{16,200}$(?!\n)", min_length=16, max_length=200)]


class ActivationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks again for an activation, where the commitment is more than a week old."""

    reason: Reason


def request_activation(desk: Desk, actor: Actor, release_id: str, given: ActivationRequest) -> Proposal:
    """Raises NotFoundError (`release_unknown`), ConflictError (`release_activated`, `proposal_open`)."""
    _, release = load_release(desk, release_id)
    if release.state != "committed":
        raise ConflictError("release_activated", f"the release is {release.state}", where="release_id")
    return propose(desk, actor, ACTIVATION, release_id, given.reason)


def activate_release(desk: Desk, actor: Actor, release_id: str, given: Beacon) -> ReleaseAnswer:
    """By another operator than who committed to the release, as it reserves money. Repeating it changes nothing.

    Raises NotFoundError (`release_unknown`), ConflictError (`beacon_differs`, `batch_on_hold`, `release_closed`,
    `seed_mismatch`, `eligible_mismatch`, `changed_meanwhile`, `proposal_missing`, `proposal_expired`), ForbiddenError
    (`second_person_needed`).
    """
    view, release = load_release(desk, release_id)
    if release.state == "closed":
        raise ConflictError("release_closed", "the draw has been revealed", where="release_id")
    if release.beacon_value and release.beacon_value != given.beacon_value:
        raise ConflictError("beacon_differs", "another value was recorded", where="beacon_value")
    if view.batch.hold:
        raise ConflictError("batch_on_hold", f"the batch is {view.batch.hold}", where="release_id")
    if release.state == "activated":
        reserve_in_full(desk, release)
        return ReleaseAnswer(release, commitment(release))
    proposal = approved_proposal(desk, actor, ACTIVATION, release_id)
    check_committed(release, derive_seed(desk.draw_master(), release_id))
    activated = msgspec.structs.replace(
        release,
        beacon_value=given.beacon_value,
        state="activated",
        activated_at_ms=desk.clock_ms(),
        version=release.version + 1,
    )
    # The budget first: codes without a reserved budget must not be redeemable, a reserve without codes does no harm.
    reserve_in_full(desk, activated)
    summary = f"{release.beacon_source} {release.beacon_round}, {activated.eligible_count} codes"
    desk.writes.commit(
        [release_write(activated), proposal_write(proposal)],
        draft(actor, "releases.activate", release_id, before=release.state, after=summary, about=[span_of(release)]),
    )
    return ReleaseAnswer(activated, commitment(activated))
