"""Operators decide replenishment claims: those on the brand, and any other where the party above does not (ADR 0021).

Called by `routes/console/replenishment.py`. The audit entry comes first: a settlement without its entry must not be.
"""

import msgspec

from uncap.domain.errors import NotFoundError
from uncap.domain.replenishment import Claim, Step
from uncap.services.desk import Actor, Desk, draft
from uncap.services.replenish import Act, ReplenishDesk, decide_claim

_STEPS = 50


class Replenishment(msgspec.Struct, frozen=True):
    """A party's own claims, the claims on it, and the latest steps of its own. `open`: pieces it is owed."""

    open: int
    owed: list[Claim]
    asked: list[Claim]
    steps: list[Step]


def read_replenishment(desk: Desk, party_id: str) -> Replenishment:
    """Raises TransientError."""
    store = desk.replenishments()
    own = store.claims_of(party_id)
    return Replenishment(
        sum(claim.open for claim in own), own, store.claims_on(party_id), store.steps_of(party_id, _STEPS)
    )


def decide_replenishment(desk: Desk, actor: Actor, upstream: str, claimant: str, act: Act) -> Claim:
    """The claim after the step. Raises what `decide_claim` raises."""
    store = desk.replenishments()
    if store.claim(claimant, upstream) is None:
        raise NotFoundError("claim_unknown", "nothing was claimed here", where="claimant")
    after = f"{act.kind} {act.pieces} of {act.gtin} to {claimant}"
    desk.writes.commit([], draft(actor, f"replenishment.{act.kind}", upstream, reason=act.reference, after=after))
    tools = ReplenishDesk(store, desk.party_or_none)
    return decide_claim(tools, claimant, upstream, act, f"operator:{actor.login}", desk.clock_ms())
