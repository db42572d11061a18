"""The state of a key epoch as the whole deployment sees it. Called by `routes/console/epochs.py`."""

from typing import Literal

import msgspec

from uncap.adapters.audited_writes import doc_of
from uncap.domain.errors import ConflictError
from uncap.services.desk import Actor, Desk, Reason, catalog_write, draft

MOVES = {
    "minting": ("verifying", "compromised"),
    "verifying": ("minting", "compromised"),
    "compromised": (),
}
"""After a leak an epoch stays compromised: its rewards are held and released one by one, by two people each."""


class NewEpochState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`compromised` holds every reward of the epoch's codes within the catalog's age."""

    state: Literal["minting", "verifying", "compromised"]
    reason: Reason


class EpochState(msgspec.Struct, frozen=True):
    """`key_state` is what the CodeKeys secret says; new batches take the newest epoch that mints by both."""

    epoch: int
    state: str
    key_state: str


def read_epoch(desk: Desk, epoch: int) -> EpochState:
    """Raises NotFoundError (`epoch_unknown`)."""
    return EpochState(epoch, desk.catalog.epoch_state(epoch, fresh=True), desk.keyring().state(epoch))


def set_epoch_state(desk: Desk, actor: Actor, epoch: int, given: NewEpochState) -> EpochState:
    """Raises NotFoundError (`epoch_unknown`), ConflictError (`epoch_compromised`)."""
    before = read_epoch(desk, epoch)
    if before.state == given.state:
        return before
    if given.state not in MOVES[before.state]:
        raise ConflictError("epoch_compromised", "a compromised epoch is never trusted again", where="state")
    # Put without a condition: of two operators at once the last wins, and declaring a leak must not fail on a race.
    desk.writes.commit(
        [catalog_write(f"epoch#{epoch}", "meta", doc_of({"state": given.state}), 0)],
        draft(actor, "epochs.set", f"epoch {epoch}", reason=given.reason, before=before.state, after=given.state),
    )
    return EpochState(epoch, given.state, before.key_state)
