"""What is packed in what, from the batches alone: thing i of a batch lies in thing i // pack one level up.

The AssociationReader of a deployment whose lines pack in roll order and report nothing else (docs/adr/0010).
"""

from collections.abc import Sequence

from uncap.adapters.catalog import Catalog
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.catalog import CodeBatch


class RollOrder:
    """`AssociationReader` over a catalog. Packing in roll order has no times: `at_ms` is not looked at."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:  # noqa: ARG002  # the port's
        """See the port."""
        batch = self._batch(unit.batch_no)
        if batch is None or not batch.case_batch_no or not batch.units_per_case or unit.index >= batch.size:
            return None
        return UnitRef(batch.case_batch_no, unit.index // batch.units_per_case)

    def children_of(self, unit: UnitRef, at_ms: int | None = None) -> Sequence[UnitSpan]:  # noqa: ARG002  # the port's
        """See the port."""
        batch = self._batch(unit.batch_no)
        below = self._batch(batch.unit_batch_no) if batch and batch.unit_batch_no else None
        if below is None or below.case_batch_no != unit.batch_no:
            return ()
        start = unit.index * below.units_per_case
        stop = min(start + below.units_per_case, below.size)
        return (UnitSpan(below.batch_no, start, stop),) if start < stop else ()

    def _batch(self, batch_no: int) -> CodeBatch | None:
        view = self._catalog.batch(batch_no)
        return view.batch if view else None
