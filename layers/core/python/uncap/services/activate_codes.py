"""Activation beyond the release: by index range or by case, as goods are filled or leave. Called by `routes/console`.

Only batches made with activation "range" ask for it: their prizes are laid for a whole release, their codes can be
claimed as far as they have been activated.
"""

import msgspec

from uncap.domain.association.ports import UnitSpan
from uncap.domain.catalog import CodeBatch, IndexRange
from uncap.domain.errors import ConflictError
from uncap.domain.ranges import merged
from uncap.services.change_batches import change_batches
from uncap.services.desk import Actor, Desk, Reason, draft
from uncap.services.select_units import Selection, selected


class Activation(Selection, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which codes may be claimed from now on."""

    reason: Reason


class Activated(msgspec.Struct, frozen=True):
    """What was meant, as ranges per batch; `codes` of the batch that was named."""

    spans: tuple[UnitSpan, ...]
    codes: int


def activate_codes(desk: Desk, actor: Actor, batch_no: int, given: Activation) -> Activated:
    """Takes effect within the catalog's age; doing it twice changes nothing.

    Cases bring their own codes, and units of other batches in them, along where those ask for activation too. Raises
    as `selected` does, and ConflictError (`batch_not_commissioned`, `batch_on_hold`, `activated_by_release`,
    `codes_not_assigned`).
    """
    batch = desk.batch(batch_no).batch
    _check(batch)
    spans = [span for span in selected(desk, batch, given) if _asks(desk, span.batch_no)]

    def activate(one: CodeBatch, ranges: list[IndexRange]) -> CodeBatch:
        _check(one)
        for span in ranges:
            _check_assigned(one, span)
        return msgspec.structs.replace(one, active=merged((*one.active, *ranges)))

    codes = sum(span.stop - span.start for span in spans if span.batch_no == batch_no)
    act = draft(actor, "batches.activate", f"batch {batch_no}", reason=given.reason, after=f"{codes} codes")
    change_batches(desk, spans, activate, act)
    return Activated(tuple(spans), codes)


def _asks(desk: Desk, batch_no: int) -> bool:
    return desk.batch(batch_no).batch.activation == "range"


def _check(batch: CodeBatch) -> None:
    if batch.activation != "range":
        raise ConflictError("activated_by_release", "these codes are activated with their release", where="batch_no")
    if batch.state != "commissioned":
        raise ConflictError("batch_not_commissioned", "commission the batch first", where="batch_no")
    if batch.hold:
        raise ConflictError("batch_on_hold", f"the batch is {batch.hold}", where="batch_no")


def _check_assigned(batch: CodeBatch, span: IndexRange) -> None:
    at = span.start
    for one in batch.assigned if batch.blank else ():
        at = max(at, one.stop) if one.start <= at else at
    if batch.blank and at < span.stop:
        raise ConflictError("codes_not_assigned", f"code {at} is blank: assign it a product first", where="start")
