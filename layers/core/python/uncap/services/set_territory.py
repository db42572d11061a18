"""Where a distributor may sell: shapes compiled to cells. Called by `routes/console/parties.py`."""

from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import doc_of
from uncap.domain.catalog import Territory
from uncap.domain.errors import ConflictError, NotFoundError
from uncap.domain.territories import RESOLUTION, Shape, compile_cells
from uncap.services.desk import Actor, Desk, catalog_write, draft

HOLDERS = ("distributor", "sub_distributor")


class NewTerritory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`region`: the administrative code or name shown to people. `version`: the one this replaces, 0 for the first."""

    region: Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=r"^[^#\x00-\x1f]+$(?!\n)")]
    shapes: Annotated[tuple[Shape, ...], msgspec.Meta(min_length=1, max_length=50)]
    version: Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)] = 0


def set_territory(desk: Desk, actor: Actor, party_id: str, given: NewTerritory) -> Territory:
    """Raises NotFoundError (`party_unknown`), ConflictError (`not_a_distributor`, `changed_meanwhile`), InputError
    (`shape_malformed`, `territory_too_large`)."""
    party = desk.party(party_id)
    if party.role not in HOLDERS:
        raise ConflictError("not_a_distributor", f"a {party.role} has no territory", where="party_id")
    territory = Territory(party_id, given.region, compile_cells(given.shapes), RESOLUTION, given.version + 1)
    summary = f"{given.region}, {len(territory.cells)} cells"
    desk.writes.commit(
        [catalog_write("territories", party_id, doc_of(territory), territory.version)],
        draft(actor, "territories.set", party_id, after=summary),
    )
    return territory


def read_territory(desk: Desk, party_id: str) -> Territory:
    """Raises NotFoundError (`territory_unknown`)."""
    territory = desk.catalog_docs.value("territories", party_id, Territory)
    if territory is None:
        raise NotFoundError("territory_unknown", f"{party_id} has no territory", where="party_id")
    return territory
