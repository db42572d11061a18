"""A batch's own facts as EPCIS events, a window of units at a time. Called by `routes/console/epcis_own.py`.

The first window begins with what is true of the whole batch: its commissioning and every declared movement.
"""

import msgspec

from uncap.adapters.flow_rows import EveryMovement
from uncap.domain.association.ports import UnitRef
from uncap.domain.catalog import CodeBatch
from uncap.domain.epcis import own
from uncap.domain.ranges import check_range
from uncap.domain.scans import CodeRef
from uncap.services.desk import Desk, Index, Stop

WINDOW_UNITS = 1_000


class OwnQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units `start`..`stop` of the batch; without `stop` as many as one request takes."""

    start: Index = 0
    stop: Stop | None = None


def export_events(desk: Desk, batch_no: int, query: OwnQuery) -> tuple[own.Event, int]:
    """(document, where the next window begins or 0). Raises NotFoundError (`batch_unknown`), InputError
    (`range_invalid`)."""
    batch = desk.batch(batch_no).batch
    stop = min(query.stop or batch.size, query.start + WINDOW_UNITS, batch.size)
    check_range(query.start, stop, batch.size)
    events: list[own.Event] = []
    if query.start == 0:
        movements = EveryMovement(desk.flow.starting).ranges(batch_no)
        events += [own.commissioning(batch), *(own.moved(batch, one) for one in movements)]
    events += _packed(desk, batch, query.start, stop)
    refs = [CodeRef(batch_no, index, role) for index in range(query.start, stop) for role in batch.roles]
    for image in sorted(desk.scan_ranges.images(refs), key=lambda image: image.ref):
        events += own.scanned(batch, image)
    until = min(query.stop or batch.size, batch.size)
    return own.document(events, desk.clock_ms()), stop if stop < until else 0


def _packed(desk: Desk, batch: CodeBatch, start: int, stop: int) -> list[own.Event]:
    """What lies in each of the things of a case or pallet batch, as the association has it now."""
    if not batch.unit_batch_no:
        return []
    events = []
    for index in range(start, stop):
        spans = desk.association.children_of(UnitRef(batch.batch_no, index))
        held = [(desk.batch(span.batch_no).batch, span.stop - span.start) for span in spans]
        if held:
            events.append(own.packing(batch, index, held, batch.created_at_ms))
    return events
