"""Creating and commissioning code batches, and holding them. Called by `routes/console/batches.py`."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.association.ports import UnitSpan
from uncap.domain.catalog import CodeBatch, Product
from uncap.domain.codes.links import check_gtin
from uncap.domain.errors import ConflictError, InputError, TransientError
from uncap.services.create_product import Gtin, RoleName, parse_roles
from uncap.services.desk import Actor, Desk, Reason, catalog_write, draft

Date = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$(?!\n)", max_length=10)]
Lot = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{0,20}$(?!\n)", max_length=20)]
_DRAWS = 8


class NewBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch of codes to come. Without `batch_no` the next free number is taken.

    A batch one level up (boxes, cases; pallets have `create_pallets.py`) names the batch it packs in `unit_batch_no`;
    its size then follows and may be left out. `activation` "range": beyond their release, codes are activated by index
    range or by case (`activate_codes.py`).
    """

    gtin: Gtin
    size: Annotated[int, msgspec.Meta(ge=0, le=1 << 28)] = 0
    roles: Annotated[tuple[RoleName, ...], msgspec.Meta(max_length=4)] = ()
    lot: Lot = ""
    produced_on: Date = ""
    best_before: Date = ""
    unit_batch_no: Annotated[int, msgspec.Meta(ge=0, lt=1 << 24)] = 0
    batch_no: Annotated[int, msgspec.Meta(ge=0, lt=1 << 24)] = 0
    activation: Literal["release", "range"] = "release"


class Hold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stop a batch (`frozen`, `recalled`) or let it go again (`released`)."""

    state: Literal["frozen", "recalled", "released"]
    reason: Reason


class BatchEntry(msgspec.Struct, frozen=True):
    """A batch in a list."""

    batch_no: int
    gtin: str
    size: int
    lot: str
    created_at_ms: int
    level: str = "unit"


def create_batch(desk: Desk, actor: Actor, given: NewBatch) -> CodeBatch:
    """Raises NotFoundError (`product_unknown`, `batch_unknown`), InputError (`batch_invalid`), ConflictError
    (`batch_exists`, `batch_already_cased`, `no_minting_epoch`)."""
    product = desk.product(check_gtin(given.gtin))
    batch = _batch_of(desk, product, given)
    if not given.unit_batch_no:
        return store_batch(desk, actor, batch, given.batch_no)
    unit = desk.batch(given.unit_batch_no).batch
    batch = _as_cases(desk, product, batch, unit)
    return store_batch(desk, actor, batch, given.batch_no, unit)


def commission_batch(desk: Desk, actor: Actor, batch_no: int) -> CodeBatch:
    """Codes may be exported and, once released, redeemed. Commissioning twice changes nothing."""
    batch = desk.batch(batch_no).batch
    if batch.state == "commissioned":
        return batch
    changed = msgspec.structs.replace(batch, state="commissioned", version=batch.version + 1)
    about = [whole(changed)]
    return save_batch(desk, actor, changed, "batches.commission", about, before=batch.state, after=changed.state)


def hold_batch(desk: Desk, actor: Actor, batch_no: int, given: Hold) -> CodeBatch:
    """Freeze, recall or release a batch; claims follow within the catalog's age."""
    batch = desk.batch(batch_no).batch
    hold = "" if given.state == "released" else given.state
    if batch.hold == hold:
        return batch
    changed = msgspec.structs.replace(batch, hold=hold, version=batch.version + 1)
    summary = {"reason": given.reason, "before": batch.hold or "released", "after": given.state}
    return save_batch(desk, actor, changed, "batches.hold", [whole(changed)], **summary)


def save_batch(
    desk: Desk, actor: Actor, batch: CodeBatch, action: str, about: Sequence[UnitSpan], **summary: str
) -> CodeBatch:
    """The changed batch, if nobody changed it meanwhile. Raises ConflictError (`changed_meanwhile`)."""
    desk.writes.commit([batch_write(batch)], draft(actor, action, f"batch {batch.batch_no}", about=about, **summary))
    return batch


def whole(batch: CodeBatch) -> UnitSpan:
    """Every unit of the batch."""
    return UnitSpan(batch.batch_no, 0, batch.size)


def batch_write(batch: CodeBatch) -> DocWrite:
    """The conditional put of a batch in its `version`."""
    return catalog_write(
        f"batch#{batch.batch_no}",
        "meta",
        doc_of(batch),
        batch.version,
        "batch_exists" if batch.version == 1 else "changed_meanwhile",
    )


def _batch_of(desk: Desk, product: Product, given: NewBatch) -> CodeBatch:
    roles = parse_roles(given.roles) if given.roles else product.roles
    if not set(roles) <= set(product.roles):
        raise InputError("batch_invalid", "the product's units do not carry such codes", where="roles")
    return CodeBatch(
        batch_no=given.batch_no,
        gtin=product.gtin,
        size=given.size,
        epoch=_minting_epoch(desk),
        roles=roles,
        lot=given.lot,
        produced_on=given.produced_on,
        best_before=given.best_before,
        units_per_case=product.units_per_case,
        created_at_ms=desk.clock_ms(),
        level=product.level,
        blank=product.blank,
        activation=given.activation,
    )


def _minting_epoch(desk: Desk) -> int:
    epoch = desk.keyring().minting_epoch
    if desk.catalog.epoch_state(epoch, fresh=True) != "minting":
        raise ConflictError("no_minting_epoch", f"epoch {epoch} no longer mints; add a new key")
    return epoch


def _as_cases(desk: Desk, product: Product, batch: CodeBatch, unit: CodeBatch) -> CodeBatch:
    if desk.product(unit.gtin).case_gtin != product.gtin:
        raise InputError("batch_invalid", "these units are not packed in such cases", where="unit_batch_no")
    if unit.case_batch_no:
        raise ConflictError("batch_already_cased", f"batch {unit.batch_no} has its cases", where="unit_batch_no")
    cases = -(-unit.size // unit.units_per_case)
    if batch.size not in (0, cases):
        raise InputError("batch_invalid", f"{unit.size} units fill {cases} cases", where="size")
    return msgspec.structs.replace(batch, size=cases, unit_batch_no=unit.batch_no)


def store_batch(
    desk: Desk,
    actor: Actor,
    batch: CodeBatch,
    wished: int,
    unit: CodeBatch | None = None,
    extra: Callable[[int], list[DocWrite]] = lambda _: [],
) -> CodeBatch:
    """The new batch under its number, with `unit` pointing up to it and whatever `extra` writes for that number.

    Raises InputError (`batch_invalid`), ConflictError (`batch_exists`, `changed_meanwhile`, extra's own).
    """
    if batch.size < 1:
        raise InputError("batch_invalid", "a batch has at least one code", where="size")
    for _ in range(_DRAWS):
        numbered = msgspec.structs.replace(batch, batch_no=wished or desk.next_batch_no())
        try:
            _commit(desk, actor, numbered, unit, extra(numbered.batch_no))
        except ConflictError as cause:
            if cause.code == "batch_exists" and not wished:
                continue  # the number had been taken by hand
            raise
        return numbered
    raise TransientError("batch_numbers_taken", "no free batch number was found; try again")


def lot_write(lot: str, batch_no: int) -> DocWrite:
    """The way from a lot to its batches, for recalls (`recall_codes.py`)."""
    return catalog_write(f"lot#{lot}", f"{batch_no:08d}", doc_of(batch_no), 0)


def _commit(desk: Desk, actor: Actor, batch: CodeBatch, unit: CodeBatch | None, extra: list[DocWrite]) -> None:
    entry = BatchEntry(batch.batch_no, batch.gtin, batch.size, batch.lot, batch.created_at_ms, batch.level)
    writes = [batch_write(batch), catalog_write("index", f"batch#{batch.batch_no:08d}", doc_of(entry), 0), *extra]
    if batch.lot:
        writes.append(lot_write(batch.lot, batch.batch_no))
    if unit:
        linked = msgspec.structs.replace(unit, case_batch_no=batch.batch_no, version=unit.version + 1)
        writes.append(batch_write(linked))
    after = f"{batch.gtin or batch.sscc_first}, {batch.size} codes"
    act = draft(actor, "batches.create", f"batch {batch.batch_no}", after=after, about=[whole(batch)])
    desk.writes.commit(writes, act)
