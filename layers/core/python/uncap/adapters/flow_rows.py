"""Movements as items of the Flow table: their keys, their documents, and the queries that find them (docs/adr/0013).

Under `batch#{no}`: `ship#{start}#{id}` shipments, `ship-back#{start}#{id}` returns, `recv#{start}#{id}` receipts by
range, `recv-one#{index}#{id}` receipts of a single thing; each with `…#void` beside it once it is cancelled, and
`has#{prefix}` from the first item of a kind on. Read by the relay, the projector, the jobs, the console and the trace.
"""

from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Any

import msgspec

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import FlowItem
from uncap.domain.association.ports import UnitRef
from uncap.domain.catalog import Shipment
from uncap.domain.movements import RECEIPT, RETURN, SHIPMENT, Movement, Void, movement_of, shipment_of

SHIP, BACK, RECEIVED, RECEIVED_ONE = "ship", "ship-back", "recv", "recv-one"
PREFIXES = (SHIP, BACK, RECEIVED, RECEIVED_ONE)
VOID = "#void"
MARK = "has#"
DOCUMENTS = {SHIPMENT: "shipment", RECEIPT: "receipt", RETURN: "return"}
"""The partition a movement is found in by its id: `{word}#{id}`."""

_REACH = 25
Row = tuple[str, str]


def prefix_of(movement: Movement) -> str:
    """Which of PREFIXES this movement is kept under."""
    if movement.kind == RECEIPT:
        return RECEIVED_ONE if movement.stop - movement.start == 1 else RECEIVED
    return SHIP if movement.kind == SHIPMENT else BACK


def key_of(movement: Movement) -> tuple[str, str]:
    """(pk, sk) of its item."""
    sk = f"{prefix_of(movement)}#{movement.start:09d}#{movement.movement_id}"
    return f"batch#{movement.batch_no}", sk


def mark_key(movement: Movement) -> tuple[str, str]:
    """(pk, sk) of the item that says the batch has such movements."""
    return f"batch#{movement.batch_no}", MARK + prefix_of(movement)


def document_of(movement: Movement) -> str:
    """What is stored: a shipment in the form it has always had."""
    value = shipment_of(movement) if movement.kind == SHIPMENT else movement
    return msgspec.json.encode(value).decode()


def movements_in(rows: Iterable[Row]) -> list[Movement]:
    """The movements among (sk, doc) rows of one batch, cancelled ones with their reason in `voided`."""
    found: dict[str, Movement] = {}
    voids: dict[str, Void] = {}
    for sk, doc in rows:
        if sk.endswith(VOID):
            voids[sk.removesuffix(VOID)] = msgspec.json.decode(doc, type=Void)
        elif sk.startswith(SHIP + "#"):
            found[sk] = movement_of(msgspec.json.decode(doc, type=Shipment))
        elif sk.partition("#")[0] in PREFIXES:
            found[sk] = msgspec.json.decode(doc, type=Movement)
    for sk, void in voids.items():
        if sk in found:
            found[sk] = msgspec.structs.replace(found[sk], voided=void.reason)
    return list(found.values())


class FlowRows:
    """Queries of one batch's movements, nothing kept. Raises TransientError (`table_unavailable`)."""

    def marks(self, batch_no: int) -> frozenset[str]:
        """Which of PREFIXES the batch has. Shipments recorded before there were marks have none."""
        with translated():
            rows = list(FlowItem.query(f"batch#{batch_no}", FlowItem.sk.startswith(MARK)))
        return frozenset(row.sk.removeprefix(MARK) for row in rows)

    def shipping(self, batch_no: int) -> list[Movement]:
        """Every shipment and return of the batch that stands."""
        with translated():
            query = FlowItem.query(f"batch#{batch_no}", FlowItem.sk.startswith(SHIP))
            rows = [(row.sk, row.doc) for row in query]
        return [one for one in movements_in(rows) if not one.voided]

    def nearest(self, prefix: str, thing: UnitRef) -> list[Movement]:
        """The movements under `prefix` that hold this thing and stand, from those that begin closest before it.

        Reads 25 rows, and goes on while none of them holds it: an outer range is found behind any number of inner
        ones. One that begins before 25 others and lies over one of these is not looked for.
        """
        pk = f"batch#{thing.batch_no}"
        # Every key "ship#{start}#…" with start <= index sorts below "ship#{index}$", for "$" follows "#".
        reach = FlowItem.sk.between(f"{prefix}#", f"{prefix}#{thing.index:09d}$")
        last: dict[str, dict[str, Any]] | None = None
        rows: list[Row] = []
        while True:
            with translated():
                page = FlowItem.query(
                    pk,
                    reach,
                    scan_index_forward=False,
                    limit=_REACH,
                    page_size=_REACH,
                    last_evaluated_key=last,
                )
                fresh = [(row.sk, row.doc) for row in page]
            rows += fresh
            holding = [one for one in movements_in(rows) if one.start <= thing.index < one.stop and not one.voided]
            if holding or len(fresh) < _REACH:
                return holding
            last = {"pk": {"S": pk}, "sk": {"S": fresh[-1][0]}}

    def single(self, thing: UnitRef) -> list[Movement]:
        """The receipts of exactly this thing."""
        with translated():
            query = FlowItem.query(
                f"batch#{thing.batch_no}", FlowItem.sk.startswith(f"{RECEIVED_ONE}#{thing.index:09d}#")
            )
            rows = [(row.sk, row.doc) for row in query]
        return [one for one in movements_in(rows) if not one.voided]


class EveryMovement:
    """`MovementReader` that misses nothing and keeps nothing: for traces and for checking what is being declared.

    `starting(pk, prefix)` gives (sk, doc) rows, strongly consistent where the caller needs that.
    """

    def __init__(self, starting: Callable[[str, str], Iterable[Row]]) -> None:
        self._starting = starting
        self._batches: dict[int, list[Movement]] = {}

    def movements_of(self, thing: UnitRef) -> list[Movement]:
        """See `MovementReader`. A batch's ranges are read once in this object's life, single receipts by their key."""
        single = self._starting(f"batch#{thing.batch_no}", f"{RECEIVED_ONE}#{thing.index:09d}#")
        ranges = [one for one in self.ranges(thing.batch_no) if one.start <= thing.index < one.stop]
        return ranges + movements_in(single)

    def scanned(self, batch_no: int, start: int, stop: int) -> set[int]:
        """Indices within `start..stop` that have a receipt of their own, by what their keys begin with alike."""
        pairs = zip(f"{start:09d}#", f"{stop - 1:09d}#", strict=True)
        alike = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        rows = movements_in(self._starting(f"batch#{batch_no}", f"{RECEIVED_ONE}#{alike}"))
        return {one.start for one in rows if start <= one.start < stop}

    def expect(self, movements: Iterable[Movement]) -> None:
        """From now on these are among the others, though nobody has written them yet."""
        for one in movements:
            self.ranges(one.batch_no).append(one)

    def ranges(self, batch_no: int) -> list[Movement]:
        """Every movement of the batch but the receipts of single things; cancelled ones too."""
        if batch_no not in self._batches:
            pk = f"batch#{batch_no}"
            rows = [row for prefix in (SHIP, RECEIVED + "#") for row in self._starting(pk, prefix)]
            self._batches[batch_no] = movements_in(rows)
        return self._batches[batch_no]
