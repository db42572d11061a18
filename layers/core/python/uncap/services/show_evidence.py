"""The evidence pack of a diversion case: everything the accusation rests on, in one document with a hash.

Called by `routes/console/diversion.py`; `uncap diversion evidence` prints it as PDF. It holds no person's key and no
coordinate: places are H3 cells with counts, people are a number.
"""

import hashlib

import h3  # type: ignore[import-untyped]
import msgspec

from uncap.adapters.papers import parts_of_paper
from uncap.domain.catalog import CodeBatch, Party, Territory, Text
from uncap.domain.diversion.cases import CaseNote, DiversionCase, Exhibit, Objection
from uncap.domain.diversion.evidence import OVERFLOW
from uncap.domain.diversion.explaining import explained
from uncap.domain.diversion.judgement import DiversionRule, Judgement
from uncap.services.desk import Desk

FORMAT = "uncap-diversion-evidence/1"
MAX_TERRITORY_CELLS = 4_000


class PartyLine(msgspec.Struct, frozen=True):
    """One step of the channel, from the receiver of the goods upwards."""

    party_id: str
    role: str
    name: dict[str, str]


class PathPart(msgspec.Struct, frozen=True):
    """How the goods went by paper."""

    gtin: str
    product: dict[str, str]
    batch_no: int
    lot: str
    units: int
    shipment_id: str
    shipped_at_ms: int
    to_party: str
    channel: list[PartyLine]
    region: str


class MapPart(msgspec.Struct, frozen=True):
    """Cells with counts, and the territory the goods were shipped to as compacted cells (`territory_cut`: not all)."""

    place: str
    scans: dict[str, int]
    elsewhere_in_place: int
    territory: list[str]
    territory_cut: bool


class SightingPart(msgspec.Struct, frozen=True):
    """What was seen. `at_least` names the figures that stopped growing at their bounds."""

    people: int
    cases: list[int]
    scans: int
    by_day: dict[str, int]
    first_at_ms: int
    last_at_ms: int
    at_least: list[str]


class EvidencePack(msgspec.Struct, frozen=True):
    """`hash`: SHA-256 (hex) over the JSON text of the pack with an empty hash, keys sorted."""

    format: str
    case_id: str
    state: str
    opened_at_ms: int
    made_at_ms: int
    version: int
    distributor: PartyLine | None
    path: PathPart
    map: MapPart
    seen: SightingPart
    rule: DiversionRule | None
    judgement: Judgement | None
    explained: list[Text]
    notes: list[CaseNote]
    objection: Objection | None
    exhibits: list[Exhibit]
    hash: str = ""


def evidence_pack(desk: Desk, case_id: str) -> EvidencePack:
    """Raises NotFoundError (`case_unknown`)."""
    case = desk.insights.case(case_id)
    distributor = _party(desk, case.party_id)
    pack = EvidencePack(
        format=FORMAT,
        case_id=case.case_id,
        state=case.state,
        opened_at_ms=case.opened_at_ms,
        made_at_ms=desk.clock_ms(),
        version=case.version,
        distributor=distributor,
        path=_path(desk, case),
        map=_map(desk, case),
        seen=_seen(case),
        rule=case.rule,
        judgement=case.judgement,
        explained=explained(case.judgement, case.rule),
        notes=list(case.notes),
        objection=case.objection,
        exhibits=list(case.exhibits),
    )
    return msgspec.structs.replace(pack, hash=hash_of(pack))


def hash_of(pack: EvidencePack) -> str:
    """What `hash` must be."""
    unsealed = msgspec.structs.replace(pack, hash="")
    return hashlib.sha256(msgspec.json.encode(unsealed, order="sorted")).hexdigest()


def _path(desk: Desk, case: DiversionCase) -> PathPart:
    product = desk.catalog.product(case.gtin)
    batch = desk.catalog_docs.value(f"batch#{case.batch_no}", "meta", CodeBatch)
    parts = parts_of_paper(desk.flow, case.shipment_id)
    shipment = parts[0] if parts else None
    return PathPart(
        gtin=case.gtin,
        product=product.name if product else {},
        batch_no=case.batch_no,
        lot=batch.lot if batch else "",
        units=sum(one.stop - one.start for one in parts),
        shipment_id=case.shipment_id,
        shipped_at_ms=shipment.shipped_at_ms if shipment else 0,
        to_party=shipment.to_party if shipment else "",
        channel=_channel(desk, shipment.to_party if shipment else case.party_id),
        region=case.region,
    )


def _channel(desk: Desk, party_id: str) -> list[PartyLine]:
    lines: list[PartyLine] = []
    while party_id and len(lines) < 8 and all(line.party_id != party_id for line in lines):
        party = desk.parties.value(f"party#{party_id}", "meta", Party)
        if party is None:
            break
        lines.append(PartyLine(party.party_id, party.role, party.name))
        party_id = party.parent_id
    return lines


def _party(desk: Desk, party_id: str) -> PartyLine | None:
    return next(iter(_channel(desk, party_id)), None)


def _map(desk: Desk, case: DiversionCase) -> MapPart:
    territory = desk.catalog_docs.value("territories", case.party_id, Territory)
    cells = list(territory.cells) if territory else []
    if len(cells) > MAX_TERRITORY_CELLS:  # the coarse cells draw the shape, the fine ones its outline
        cells = sorted(sorted(cells, key=h3.get_resolution)[:MAX_TERRITORY_CELLS])
    known = {cell: n for cell, n in sorted(case.evidence.cells.items()) if cell != OVERFLOW}
    return MapPart(
        place=case.place,
        scans=known,
        elsewhere_in_place=case.evidence.cells.get(OVERFLOW, 0),
        territory=cells,
        territory_cut=bool(territory) and len(cells) < len(territory.cells if territory else ()),
    )


def _seen(case: DiversionCase) -> SightingPart:
    seen = case.evidence
    return SightingPart(
        people=seen.people,
        cases=list(seen.cases),
        scans=seen.scans,
        by_day=dict(sorted(seen.days.items())),
        first_at_ms=seen.first_at_ms,
        last_at_ms=seen.last_at_ms,
        at_least=list(seen.capped),
    )
