"""What an outlet's or a distributor's people see: their own claims, and those of whoever is below them, nobody else's.

Called by `routes/channel_routes.py`.
"""

from collections.abc import Callable
from datetime import tzinfo
from typing import Protocol

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.domain.catalog import Party, Text
from uncap.domain.days import day_of
from uncap.domain.memberships import OUTLET_ROLES
from uncap.domain.replenishment import UPSTREAM_ROLES, Claim, Step
from uncap.domain.sessions import Session
from webui.channel_views import ClaimLine, StepView, WorkspaceView


class ClaimLists(Protocol):
    """See adapters/replenishments.py."""

    def claims_of(self, claimant: str) -> list[Claim]: ...

    def claims_on(self, upstream: str) -> list[Claim]: ...

    def steps_of(self, claimant: str, limit: int = 50) -> list[Step]: ...


class WorkspaceDesk(msgspec.Struct, frozen=True):
    """What the page needs from outside."""

    lists: ClaimLists
    catalog: Catalog
    party_of: Callable[[str], Party | None]
    zone: tzinfo


def read_workspace(desk: WorkspaceDesk, session: Session) -> WorkspaceView:
    """The party's own page; `session` is a member's. Raises TransientError."""
    party = session.party
    own = desk.lists.claims_of(party)
    decides = session.party_role in UPSTREAM_ROLES
    known = desk.party_of(party)
    return WorkspaceView(
        party=party,
        name=known.name if known else {},
        redeems=session.party_role in OUTLET_ROLES,
        decides=decides,
        vouchers=sum(claim.open for claim in own),
        credit_minor=sum(claim.credited_minor for claim in own),
        owed=_lines(desk, own),
        asked=_lines(desk, desk.lists.claims_on(party)) if decides else (),
        steps=tuple(_step(desk, step) for step in desk.lists.steps_of(party, 20)),
    )


def _lines(desk: WorkspaceDesk, claims: list[Claim]) -> tuple[ClaimLine, ...]:
    """Open lines first."""
    lines = [
        ClaimLine(
            claimant=claim.claimant,
            claimant_name=_name(desk, claim.claimant),
            upstream_name=_name(desk, claim.upstream),
            gtin=line.gtin,
            product=_product(desk, line.gtin),
            raised=line.raised,
            approved=line.approved,
            settled=line.settled,
            state=line.state,
        )
        for claim in claims
        for line in claim.lines
    ]
    return tuple(sorted(lines, key=lambda one: (one.open == 0, one.claimant, one.gtin)))


def _step(desk: WorkspaceDesk, step: Step) -> StepView:
    # A redemption's reference is a reward of somebody's; an outlet need not know which.
    reference = "" if step.kind == "raise" else step.reference
    product, on = _product(desk, step.gtin), day_of(step.at_ms, desk.zone)
    return StepView(on, step.kind, step.pieces, product, reference, step.amount_minor, step.currency)


def _name(desk: WorkspaceDesk, party_id: str) -> Text:
    party = desk.party_of(party_id)
    return party.name if party else {"en": party_id}


def _product(desk: WorkspaceDesk, gtin: str) -> Text:
    product = desk.catalog.product(gtin)
    return product.name if product else {"en": gtin}
