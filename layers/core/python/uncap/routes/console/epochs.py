"""Key epochs. Mounted by `table.py`."""

from typing import Annotated

import msgspec

from uncap.routes.console.endpoint import Area
from uncap.services.desk import Actor, Desk
from uncap.services.set_epoch_state import EpochState, NewEpochState, read_epoch, set_epoch_state

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
