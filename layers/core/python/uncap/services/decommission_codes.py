"""Taking codes out of use: a range, cases, one unit at once, or what never left the line.

Called by `routes/console/batches.py`; `replace_code` buries through `bury_codes`.
"""

from typing import Annotated, Literal

import msgspec

from uncap.domain.association.ports import UnitSpan
from uncap.domain.catalog import CodeBatch, IndexRange, Role
from uncap.domain.codes.links import parse_code_link
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.ranges import MAX_RANGES, check_range, merged
from uncap.domain.scans import CodeRef
from uncap.services.change_batches import change_batches
from uncap.services.create_batch import save_batch
from uncap.services.create_product import RoleName
from uncap.services.desk import Actor, Desk, Index, Reason, Stop, draft
from uncap.services.find_code import find_code
from uncap.services.select_units import Selection, selected

Kind = Literal["", "destroyed", "sample", "spare", "scrap", "lost", "stolen"]


class Decommission(Selection, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A range (`start`, `stop`), cases with all that is in them (`cases`, `case_codes`), one unit by `index` (`role`:
    one code of it), or one code by `link`. `kind` says what became of the goods."""

    reason: Reason
    kind: Kind = ""
    index: Index | None = None
    role: RoleName | None = None
    link: Annotated[str, msgspec.Meta(max_length=320)] | None = None


class RejectedRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Indices that were printed and thrown away."""

    start: Index
    stop: Stop
    reason: Annotated[str, msgspec.Meta(max_length=60)] = "line_reject"


class Rejects(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the line reports before activation."""

    ranges: Annotated[tuple[RejectedRange, ...], msgspec.Meta(min_length=1, max_length=MAX_RANGES)]
    reason: Reason


def decommission_codes(desk: Desk, actor: Actor, batch_no: int, given: Decommission) -> CodeBatch:
    """Ranges and cases take effect within the catalog's age; one unit's codes at once, refused if someone claimed them.

    Raises NotFoundError (`batch_unknown`), InputError (`range_invalid`, `decommission_ambiguous`, `link_malformed`,
    `too_many_ranges`), CodeForgedError, ConflictError (`code_already_claimed`, `code_of_another_batch`,
    `batch_has_no_cases`, `case_of_another_batch`).
    """
    batch = desk.batch(batch_no).batch
    packed = given.cases is not None or bool(given.case_codes)
    ways = (given.by_range, packed, given.index is not None, given.link is not None)
    if sum(ways) != 1 or (given.role is not None and given.index is None):
        raise InputError("decommission_ambiguous", "give a range, or cases, or an index, or a link")
    if given.index is not None or given.link is not None:
        _bury(desk, actor, batch, _codes_of(desk, batch, given), given)
        return batch
    spans = selected(desk, batch, given)
    label = _label(given)

    def withdraw(one: CodeBatch, ranges: list[IndexRange]) -> CodeBatch:
        added = (IndexRange(gap.start, gap.stop, label) for gap in ranges)
        return msgspec.structs.replace(one, decommissioned=merged((*one.decommissioned, *added)))

    count = sum(span.stop - span.start for span in spans if span.batch_no == batch_no)
    after = f"{given.kind or 'out of use'}: {count} codes" + (
        f", {given.start}..{given.stop}" if given.by_range else ""
    )
    act = draft(actor, "batches.decommission", f"batch {batch_no}", reason=given.reason, after=after)
    changed = change_batches(desk, spans, withdraw, act)
    return next(one for one in changed if one.batch_no == batch_no)


def _label(given: Decommission) -> str:
    """What is kept with the range: what became of the goods, then why."""
    return (f"{given.kind}: {given.reason}" if given.kind else given.reason)[:60]


def reject_codes(desk: Desk, actor: Actor, batch_no: int, given: Rejects) -> CodeBatch:
    """Line rejects, before a release has frozen which codes take part in its draw.

    Raises NotFoundError (`batch_unknown`), InputError (`range_invalid`, `too_many_ranges`), ConflictError
    (`release_committed`, `changed_meanwhile`).
    """
    view = desk.batch(batch_no)
    for one in given.ranges:
        check_range(one.start, one.stop, view.batch.size)
        for release in view.releases:
            if release.start < one.stop and one.start < release.stop:
                raise ConflictError(
                    "release_committed",
                    f"{release.release_id} has fixed its codes; decommission instead",
                    where="ranges",
                )
    added = [IndexRange(one.start, one.stop, one.reason) for one in given.ranges]
    batch = view.batch
    changed = msgspec.structs.replace(batch, rejected=merged((*batch.rejected, *added)), version=batch.version + 1)
    count = sum(one.stop - one.start for one in added)
    about = [UnitSpan(batch_no, one.start, one.stop) for one in added]
    return save_batch(desk, actor, changed, "batches.reject", about, reason=given.reason, after=f"{count} codes")


def bury_codes(desk: Desk, refs: list[CodeRef], claim_id: str, reason: str) -> None:
    """Tombstones, hidden codes first: if one of these is claimed, nothing is taken away.

    Raises ConflictError (`code_already_claimed`, `code_decommissioned`: by something else).
    """
    for ref in sorted(refs, key=lambda ref: not ref.role.is_inner):
        mark = desk.tombstones.bury(ref, claim_id, reason, desk.clock_ms())
        if mark.form == "claim":
            raise ConflictError("code_already_claimed", f"{ref.role.name.lower()} has been claimed", where="index")
        if mark.claim_id != claim_id and mark.reason != reason:
            raise ConflictError("code_decommissioned", "the code was taken out of use before", where="index")


def _bury(desk: Desk, actor: Actor, batch: CodeBatch, refs: list[CodeRef], given: Decommission) -> None:
    index = refs[0].index
    roles = ", ".join(ref.role.name.lower() for ref in refs)
    bury_codes(desk, refs, f"decommission-{batch.batch_no}.{index}", "decommissioned")
    after = f"{given.kind or 'out of use'}: index {index}, {roles}"
    about = [UnitSpan(batch.batch_no, index, index + 1)]
    desk.audit(actor, "batches.decommission", f"batch {batch.batch_no}", about, reason=given.reason, after=after)


def _codes_of(desk: Desk, batch: CodeBatch, given: Decommission) -> list[CodeRef]:
    if given.link is not None:
        link = parse_code_link(given.link)
        code = find_code(desk.keyring(), desk.catalog, link.gtin, link.serial, desk.clock_ms())
        if code.ref.batch_no != batch.batch_no:
            raise ConflictError("code_of_another_batch", f"this code is of batch {code.ref.batch_no}", where="link")
        return [code.ref]
    index = given.index or 0
    check_range(index, index + 1, batch.size)
    roles = batch.roles if given.role is None else (Role[given.role.upper()],)
    if not set(roles) <= set(batch.roles):
        raise InputError("batch_invalid", "the batch has no such codes", where="role")
    return [CodeRef(batch.batch_no, index, role) for role in roles]
