"""Taking codes out of use: a range, one unit at once, or what never left the line.

Called by `routes/console/batches.py`; `replace_code` buries through `bury_codes`.
"""

from typing import Annotated

import msgspec

from uncap.domain.catalog import CodeBatch, IndexRange, Role
from uncap.domain.codes.links import parse_code_link
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.ranges import MAX_RANGES, check_range, merged
from uncap.domain.scans import CodeRef
from uncap.services.create_batch import save_batch
from uncap.services.create_product import RoleName
from uncap.services.desk import Actor, Desk, Index, Reason, Stop
from uncap.services.find_code import find_code


class Decommission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either a range (`start`, `stop`), or one unit by `index` (`role`: one code of it), or one code by `link`."""

    reason: Reason
    start: Index | None = None
    stop: Stop | None = None
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
    """A range takes effect within the catalog's age; one unit's codes at once, refused if someone has claimed them.

    Raises NotFoundError (`batch_unknown`), InputError (`range_invalid`, `decommission_ambiguous`, `link_malformed`),
    CodeForgedError, ConflictError (`code_already_claimed`, `code_of_another_batch`, `changed_meanwhile`).
    """
    batch = desk.batch(batch_no).batch
    ways = (given.start is not None or given.stop is not None, given.index is not None, given.link is not None)
    if sum(ways) != 1 or (given.role is not None and given.index is None):
        raise InputError("decommission_ambiguous", "give a range, or an index, or a link")
    if given.start is None or given.stop is None:
        if ways[0]:
            raise InputError("range_invalid", "a range has start and stop", where="stop")
        _bury(desk, actor, batch, _codes_of(desk, batch, given), given.reason)
        return batch
    check_range(given.start, given.stop, batch.size)
    ranges = merged((*batch.decommissioned, IndexRange(given.start, given.stop, given.reason[:60])))
    changed = msgspec.structs.replace(batch, decommissioned=ranges, version=batch.version + 1)
    return save_batch(
        desk, actor, changed, "batches.decommission", reason=given.reason, after=f"{given.start}..{given.stop}"
    )


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
    return save_batch(desk, actor, changed, "batches.reject", reason=given.reason, after=f"{count} codes")


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


def _bury(desk: Desk, actor: Actor, batch: CodeBatch, refs: list[CodeRef], reason: str) -> None:
    target = f"batch {batch.batch_no}"
    roles = ", ".join(ref.role.name.lower() for ref in refs)
    bury_codes(desk, refs, f"decommission-{batch.batch_no}.{refs[0].index}", "decommissioned")
    desk.audit(actor, "batches.decommission", target, reason=reason, after=f"index {refs[0].index}: {roles}")


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
