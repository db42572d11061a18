"""Where a distributor may sell: administrative codes and shapes compiled to cells. For `routes/console/parties.py`.

Areas are kept in the Catalog under `areas`, by code, as cells from the customer's approved map; territories under
`territories`. Two territories may overlap: that is reported, and handled by rule (docs/diversion.md).
"""

from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import doc_of
from uncap.domain.admin_areas import AdminArea, AdminCode, areas_of, check_code, prefix_of
from uncap.domain.catalog import Territory
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.domain.territories import RESOLUTION, Datum, Shape, area_km2, compile_cells, shared_cells, united
from uncap.services.desk import Actor, Desk, catalog_write, draft
from uncap.services.list_entries import Listing, PageQuery, cursor_of, read_cursor

HOLDERS = ("distributor", "sub_distributor")
AREAS_PK = "areas"
MAX_PARTS = 400
Version = Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]
Shapes = Annotated[tuple[Shape, ...], msgspec.Meta(max_length=50)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=r"^[^#\x00-\x1f]+$(?!\n)")]


class NewTerritory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`region`: the administrative code or name shown to people. `version`: the one this replaces, 0 for the first.

    The union of the areas of `codes` and of `shapes`, at least one of either; `datum` is the shapes'. Without
    `may_overlap` land that is another distributor's too is refused.
    """

    region: Name
    shapes: Shapes = ()
    version: Version = 0
    codes: Annotated[tuple[AdminCode, ...], msgspec.Meta(max_length=200)] = ()
    datum: Datum = "wgs84"
    may_overlap: bool = True


class NewArea(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The area of an administrative code, from a map with the approval number `approval_no` (审图号)."""

    name: Name
    approval_no: Annotated[str, msgspec.Meta(min_length=3, max_length=60)]
    shapes: Annotated[tuple[Shape, ...], msgspec.Meta(min_length=1, max_length=50)]
    datum: Datum = "gcj02"
    version: Version = 0


class Overlap(msgspec.Struct, frozen=True):
    """Land that is another distributor's too; `share` of this territory."""

    party_id: str
    area_km2: float
    share: float


class TerritorySet(Territory, frozen=True):
    """The territory as stored, and with whose it overlaps."""

    area_km2: float = 0.0
    overlaps: tuple[Overlap, ...] = ()


class AreaEntry(msgspec.Struct, frozen=True):
    """An area without its cells."""

    code: str
    name: str
    approval_no: str
    cells: int
    version: int


def set_territory(desk: Desk, actor: Actor, party_id: str, given: NewTerritory) -> TerritorySet:
    """Raises NotFoundError (`party_unknown`, `area_unknown`), ConflictError (`not_a_distributor`, `changed_meanwhile`,
    `territories_overlap`), InputError (`territory_empty`, `admin_code_unknown`, `shape_malformed`,
    `territory_too_large`)."""
    party = desk.party(party_id)
    if party.role not in HOLDERS:
        raise ConflictError("not_a_distributor", f"a {party.role} has no territory", where="party_id")
    territory = Territory(party_id, given.region, _cells(desk, given), RESOLUTION, given.version + 1)
    overlaps = _overlaps(territory, desk.catalog.territories(fresh=True))
    if overlaps and not given.may_overlap:
        raise _refused(overlaps, "shapes" if given.shapes else "codes")
    summary = f"{given.region}, {len(territory.cells)} cells, overlaps {len(overlaps)}"
    desk.writes.commit(
        [catalog_write("territories", party_id, doc_of(territory), territory.version)],
        draft(actor, "territories.set", party_id, after=summary),
    )
    return TerritorySet(
        territory.party_id,
        territory.region,
        territory.cells,
        territory.resolution,
        territory.version,
        round(area_km2(territory.cells), 1),
        overlaps,
    )


def _refused(overlaps: tuple[Overlap, ...], where: str) -> ConflictError:
    worst = overlaps[0]
    more = f", and with {len(overlaps) - 1} others" if len(overlaps) > 1 else ""
    share = f"{worst.area_km2} km² ({worst.share:.1%}) are shared with {worst.party_id}{more}"
    return ConflictError("territories_overlap", share, where=where)


def read_territory(desk: Desk, party_id: str) -> Territory:
    """Raises NotFoundError (`territory_unknown`)."""
    territory = desk.catalog_docs.value("territories", party_id, Territory)
    if territory is None:
        raise NotFoundError("territory_unknown", f"{party_id} has no territory", where="party_id")
    return territory


def set_area(desk: Desk, actor: Actor, code: str, given: NewArea) -> AreaEntry:
    """Raises InputError (`admin_code_unknown`, `shape_malformed`, `territory_too_large`), ConflictError
    (`changed_meanwhile`)."""
    cells = compile_cells(given.shapes, given.datum)
    area = AdminArea(check_code(code), given.name, given.approval_no, cells, given.version + 1)
    desk.writes.commit(
        [catalog_write(AREAS_PK, code, doc_of(area), area.version)],
        draft(actor, "territories.area", code, reason=given.approval_no, after=f"{given.name}, {len(cells)} cells"),
    )
    return _entry(area)


def list_areas(desk: Desk, query: PageQuery) -> Listing[AreaEntry]:
    """One page, by code. Raises InputError (`cursor_malformed`)."""
    page = desk.catalog_docs.page(AREAS_PK, "", query.count, read_cursor(query.cursor, ""))
    return Listing([_entry(area) for area in page.values(AdminArea)], cursor_of(page.after))


def _entry(area: AdminArea) -> AreaEntry:
    return AreaEntry(area.code, area.name, area.approval_no, len(area.cells), area.version)


def _cells(desk: Desk, given: NewTerritory) -> tuple[str, ...]:
    if not given.shapes and not given.codes:
        raise InputError("territory_empty", "name codes or shapes", where="shapes")
    parts = [compile_cells(given.shapes, given.datum)] if given.shapes else []
    for place, code in enumerate(given.codes):
        parts += _areas(desk, check_code(code, f"codes[{place}]"), f"codes[{place}]")
    return united(parts)


def _areas(desk: Desk, code: str, where: str) -> list[tuple[str, ...]]:
    """The area of a code as supplied, or made up of all its parts that were."""
    exact = desk.catalog_docs.value(AREAS_PK, code, AdminArea)
    if exact is not None:
        return [exact.cells]
    parts = desk.catalog_docs.page(AREAS_PK, prefix_of(code), MAX_PARTS).values(AdminArea)
    wanted = areas_of(code, [area.code for area in parts])
    if not wanted:
        raise NotFoundError("area_unknown", f"no geometry was supplied for {code} or any part of it", where=where)
    return [area.cells for area in parts if area.code in wanted]


def _overlaps(territory: Territory, others: tuple[Territory, ...]) -> tuple[Overlap, ...]:
    whole = area_km2(territory.cells)
    found = []
    for other in others:
        shared = shared_cells(territory.cells, other.cells) if other.party_id != territory.party_id else ()
        if shared:
            area = area_km2(shared)
            found.append(Overlap(other.party_id, round(area, 1), round(area / whole, 4)))
    return tuple(sorted(found, key=lambda one: (-one.share, one.party_id)))
