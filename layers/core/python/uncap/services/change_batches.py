"""One act on units of several batches: all of them change with its audit entry, or none. Used by the lifecycle's
services (activation, decommissioning, recall).
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from uncap.adapters.audited_writes import DocWrite
from uncap.domain.association.ports import UnitSpan
from uncap.domain.audit import AuditDraft
from uncap.domain.catalog import CodeBatch, IndexRange
from uncap.domain.errors import ConflictError, InputError, TransientError
from uncap.services.create_batch import batch_write
from uncap.services.desk import Desk
from uncap.services.walk_packs import ranges_by_batch

MAX_BATCHES = 45  # the batch and its act, within one transaction
_ATTEMPTS = 8

Change = Callable[[CodeBatch, list[IndexRange]], CodeBatch]


def change_batches(
    desk: Desk,
    spans: Iterable[UnitSpan],
    change: Change,
    act: AuditDraft,
    extra: Sequence[DocWrite] = (),
) -> list[CodeBatch]:
    """The changed batches; `change` gets each batch as stored now and the ranges of it that are meant.

    Whoever changes one of them meanwhile makes us read again, not fail. Raises what `change` raises, NotFoundError
    (`batch_unknown`), InputError (`too_many_batches`), ConflictError (extra's own), TransientError.
    """
    wanted = ranges_by_batch(spans)
    if len(wanted) > MAX_BATCHES:
        raise InputError("too_many_batches", f"at most {MAX_BATCHES} batches in one act; do it in parts")
    about = tuple(UnitSpan(no, one.start, one.stop) for no, ranges in wanted.items() for one in ranges)
    for _ in range(_ATTEMPTS):
        before = [desk.batch(batch_no).batch for batch_no in wanted]
        after = [change(batch, wanted[batch.batch_no]) for batch in before]
        moved = [
            msgspec.structs.replace(new, version=old.version + 1)
            for old, new in zip(before, after, strict=True)
            if new != old
        ]
        if not moved and not extra:
            return after
        try:
            desk.writes.commit([*map(batch_write, moved), *extra], msgspec.structs.replace(act, about=about))
        except ConflictError as cause:
            if cause.code != "changed_meanwhile":
                raise
            continue
        return after
    raise TransientError("batch_contended", "the batch keeps changing; try again")
