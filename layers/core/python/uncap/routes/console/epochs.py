"""Key epochs. Mounted by `table.py`."""

from typing import Annotated

import msgspec

from uncap.domain.approvals import Proposal
from uncap.routes.console.endpoint import Area
from uncap.services.desk import Actor, Desk
from uncap.services.set_epoch_state import (
    EpochState,
    NewEpochState,
    TrustRequest,
    approve_trust,
    read_epoch,
    request_trust,
    set_epoch_state,
)

EPOCHS = Area("epochs")
Epoch = Annotated[int, msgspec.Meta(ge=0, le=31)]


@EPOCHS.get("/epochs/{epoch}")
def get_epoch(desk: Desk, epoch: Epoch) -> EpochState:
    """The state of a key epoch."""
    return read_epoch(desk, epoch)


@EPOCHS.post("/epochs/{epoch}/state")
def post_epoch_state(desk: Desk, actor: Actor, epoch: Epoch, body: NewEpochState) -> EpochState:
    """Set an epoch's state; `compromised` holds its rewards."""
    return set_epoch_state(desk, actor, epoch, body)


@EPOCHS.post("/epochs/{epoch}/trust", status=202)
def post_trust_request(desk: Desk, actor: Actor, epoch: Epoch, body: TrustRequest) -> Proposal:
    """Ask that a leak be taken back which was none."""
    return request_trust(desk, actor, epoch, body)


@EPOCHS.post("/epochs/{epoch}/trust/approve", action="approve")
def post_trust_approval(desk: Desk, actor: Actor, epoch: Epoch) -> EpochState:
    """Let the epoch verify again, as someone else has asked."""
    return approve_trust(desk, actor, epoch)
