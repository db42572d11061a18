"""The state of a key epoch as the whole deployment sees it. Called by `routes/console/epochs.py`."""

from typing import Literal

import msgspec

from uncap.adapters.audited_writes import doc_of
from uncap.domain.approvals import Proposal
from uncap.domain.errors import ConflictError, TransientError
from uncap.services.desk import Actor, Desk, Reason, catalog_write, draft
from uncap.services.keep_proposals import approved_proposal, proposal_write, propose

MOVES = {
    "minting": ("verifying", "compromised"),
    "verifying": ("minting", "compromised"),
    "compromised": (),
}
"""What one person may do. After a leak an epoch stays compromised: its rewards are held and released one by one, by two
people each. Only a leak that was none is taken back, by two people, and then the epoch verifies and mints no more."""
TRUST = "trust-epoch"

_ROUNDS = 8


class NewEpochState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`compromised` holds every reward of the epoch's codes within the catalog's age."""

    state: Literal["minting", "verifying", "compromised"]
    reason: Reason


class EpochState(msgspec.Struct, frozen=True):
    """`key_state` is what the CodeKeys secret says; new batches take the newest epoch that mints by both."""

    epoch: int
    state: str
    key_state: str


class _Stored(msgspec.Struct, frozen=True):
    state: str
    version: int = 0


def read_epoch(desk: Desk, epoch: int) -> EpochState:
    """Raises NotFoundError (`epoch_unknown`)."""
    return EpochState(epoch, desk.catalog.epoch_state(epoch, fresh=True), desk.keyring().state(epoch))


def set_epoch_state(desk: Desk, actor: Actor, epoch: int, given: NewEpochState) -> EpochState:
    """Raises NotFoundError (`epoch_unknown`), ConflictError (`epoch_compromised`, `changed_meanwhile`).

    A leak is declared whoever else changes the epoch at the same moment; every other change gives way.
    """
    for _ in range(_ROUNDS):
        try:
            return _set_once(desk, actor, epoch, given)
        except ConflictError as cause:
            if given.state != "compromised" or cause.code != "changed_meanwhile":
                raise
    raise TransientError("epoch_contended", "others keep changing this epoch; try again")


class TrustRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the key was never out of our hands."""

    reason: Reason


def request_trust(desk: Desk, actor: Actor, epoch: int, given: TrustRequest) -> Proposal:
    """Raises NotFoundError (`epoch_unknown`), ConflictError (`epoch_not_compromised`, `proposal_open`)."""
    _compromised(desk, epoch)
    return propose(desk, actor, TRUST, str(epoch), given.reason)


def approve_trust(desk: Desk, actor: Actor, epoch: int) -> EpochState:
    """The epoch verifies again; rewards that were held are still released one by one.

    Raises ConflictError (`epoch_not_compromised`, `proposal_missing`, `proposal_expired`, `changed_meanwhile`),
    ForbiddenError (`second_person_needed`).
    """
    stored, before = _compromised(desk, epoch)
    proposal = approved_proposal(desk, actor, TRUST, str(epoch))
    changed = _Stored("verifying", stored.version + 1 if stored else 1)
    desk.writes.commit(
        [catalog_write(f"epoch#{epoch}", "meta", doc_of(changed), changed.version), proposal_write(proposal)],
        draft(
            actor, "epochs.trust", f"epoch {epoch}", reason=proposal.reason, before=before.state, after=changed.state
        ),
    )
    return EpochState(epoch, changed.state, before.key_state)


def _compromised(desk: Desk, epoch: int) -> tuple[_Stored | None, EpochState]:
    stored = desk.catalog_docs.value(f"epoch#{epoch}", "meta", _Stored)
    before = read_epoch(desk, epoch)
    if before.state != "compromised":
        raise ConflictError("epoch_not_compromised", f"the epoch is {before.state}", where="epoch")
    return stored, before


def _set_once(desk: Desk, actor: Actor, epoch: int, given: NewEpochState) -> EpochState:
    # The version is read before the state: whoever writes after it makes our own write fail.
    stored = desk.catalog_docs.value(f"epoch#{epoch}", "meta", _Stored)
    before = read_epoch(desk, epoch)
    if before.state == given.state:
        return before
    if given.state not in MOVES[before.state]:
        raise ConflictError("epoch_compromised", "a compromised epoch is never trusted again", where="state")
    changed = _Stored(given.state, stored.version + 1 if stored else 1)
    desk.writes.commit(
        [catalog_write(f"epoch#{epoch}", "meta", doc_of(changed), changed.version)],
        draft(actor, "epochs.set", f"epoch {epoch}", reason=given.reason, before=before.state, after=given.state),
    )
    return EpochState(epoch, given.state, before.key_state)
