"""Replenishment claims as operators see and decide them. Mounted by `table.py`."""

from uncap.domain.replenishment import Claim
from uncap.routes.console.endpoint import Area
from uncap.services.decide_replenishment import Replenishment, decide_replenishment, read_replenishment
from uncap.services.desk import Actor, Desk, Id
from uncap.services.replenish import Act

REPLENISHMENT = Area("rewards")


@REPLENISHMENT.get("/parties/{party_id}/replenishments")
def get_replenishments(desk: Desk, party_id: Id) -> Replenishment:
    """What a party is owed for prizes redeemed, and what is claimed of it."""
    return read_replenishment(desk, party_id)


@REPLENISHMENT.post("/parties/{party_id}/replenishments/{claimant}", action="approve")
def post_replenishment(desk: Desk, actor: Actor, party_id: Id, claimant: Id, body: Act) -> Claim:
    """Approve or settle a claim on this party; `brand` stands for the brand where no party does."""
    return decide_replenishment(desk, actor, party_id, claimant, body)
