"""The state of a key epoch as the whole deployment sees it. Called by `routes/console/epochs.py`."""

from typing import Literal

import msgspec

from uncap.adapters.audited_writes import doc_of
from uncap.domain.errors import ConflictError, TransientError
from uncap.services.desk import Actor, Desk, Reason, catalog_write, draft

MOVES = {
    "minting": ("verifying", "compromised"),
    "verifying": ("minting", "compromised"),
    "compromised": (),
}
"""After a leak an epoch stays compromised: its rewards are held and released one by one, by two people each."""

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
