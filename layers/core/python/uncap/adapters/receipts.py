"""Receipts that a member's scan founds: written by the projector, once per thing, party and day, whatever is repeated.

The items are those of `adapters/flow_rows.py`; a cancelled one stays cancelled, for nothing is ever written over.
"""

import hashlib
from collections.abc import Iterable
from datetime import tzinfo

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.flow_rows import DOCUMENTS, document_of, key_of, mark_key
from uncap.adapters.models import FlowItem
from uncap.domain.codes import crockford
from uncap.domain.days import day_of
from uncap.domain.errors import ConflictError
from uncap.domain.movements import RECEIPT, Movement
from uncap.domain.read_models import ScanFact
from uncap.domain.scans import CodeRef

_REMEMBERED_BATCHES = 1_024


def receipt_of(fact: ScanFact, zone: tzinfo) -> Movement | None:
    """The receipt in a scan; None where it is no receipt, or a client's retry of one."""
    if fact.intent != "receive" or not fact.outlet or not fact.counted:
        return None
    ref = CodeRef.from_key(fact.code)
    text = f"{ref.batch_no}.{ref.index}|{fact.outlet}|{day_of(fact.at_ms, zone)}"
    movement_id = "scan-" + crockford.digest(hashlib.sha256(text.encode()).digest(), 20)
    return Movement(
        RECEIPT,
        movement_id,
        ref.batch_no,
        ref.index,
        ref.index + 1,
        fact.outlet,
        fact.at_ms,
        source="scan",
    )


class ScanReceipts:
    """Puts receipts into Flow. `zone` is the brand's: a second scan on one day is the same receipt."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._marked: set[tuple[str, str]] = set()

    def record(self, facts: Iterable[ScanFact]) -> int:
        """How many of these scans founded a receipt that was not there. Raises TransientError; repeating is safe."""
        return sum(self._record(one) for fact in facts if (one := receipt_of(fact, self._zone)) is not None)

    def _record(self, movement: Movement) -> bool:
        mark, doc = mark_key(movement), document_of(movement)
        if mark not in self._marked:
            # Before the receipt: whoever sees no mark does not look for any.
            with translated():
                FlowItem(*mark, doc="true").save()
            if len(self._marked) >= _REMEMBERED_BATCHES:
                self._marked.clear()
            self._marked.add(mark)
        self._put(f"{DOCUMENTS[RECEIPT]}#{movement.movement_id}", "meta", doc)
        return self._put(*key_of(movement), doc)

    @staticmethod
    def _put(pk: str, sk: str, doc: str) -> bool:
        try:
            with translated():
                FlowItem(pk, sk, doc=doc, v=1).save(condition=FlowItem.pk.does_not_exist())
        except ConflictError:
            return False  # it is there already: this very receipt, told again
        return True
