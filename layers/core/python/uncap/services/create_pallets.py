"""Batches of pallets: a run of neighbouring SSCCs, given out once. Called by `routes/console/pallets.py`."""

from typing import Annotated

import msgspec

from uncap.adapters.pallet_numbers import GUARD_MOVED, PalletNumbers, PalletRun
from uncap.domain.association.ports import UnitRef
from uncap.domain.catalog import CodeBatch
from uncap.domain.codes.sscc import SsccSeries, body_of, sscc_of_body
from uncap.domain.errors import ConflictError, InputError, TransientError
from uncap.domain.packing import MAX_PACK, packs_of
from uncap.services.create_batch import store_batch
from uncap.services.desk import Actor, Desk, found

_ATTEMPTS = 8
Sscc = Annotated[str, msgspec.Meta(pattern=r"^\d{18}$(?!\n)", max_length=18, description="SSCC-18")]


class NewPallets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run of pallets: the next free numbers of a series, or, with `sscc_first`, numbers printed elsewhere.

    `unit_batch_no` names the batch they carry (its size then gives theirs), `holds` how many things on one where the
    product does not say.
    """

    unit_batch_no: Annotated[int, msgspec.Meta(ge=0, lt=1 << 24)] = 0
    size: Annotated[int, msgspec.Meta(ge=0, le=1 << 28)] = 0
    holds: Annotated[int, msgspec.Meta(ge=0, le=MAX_PACK)] = 0
    company_prefix: Annotated[str, msgspec.Meta(pattern=r"^(\d{4,12})?$(?!\n)", max_length=12)] = ""
    extension: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0
    sscc_first: Annotated[str, msgspec.Meta(pattern=r"^(\d{18})?$(?!\n)", max_length=18)] = ""


class PalletAnswer(msgspec.Struct, frozen=True):
    """The pallet behind an SSCC."""

    sscc: str
    batch_no: int
    index: int


def create_pallets(desk: Desk, actor: Actor, given: NewPallets) -> CodeBatch:
    """The batch with its `sscc_first`.

    Raises NotFoundError (`batch_unknown`), InputError (`batch_invalid`, `sscc_…`), ConflictError
    (`batch_already_cased`, `sscc_taken`, `sscc_exhausted`, `changed_meanwhile`).
    """
    if bool(given.sscc_first) == bool(given.company_prefix):
        raise InputError("batch_invalid", "give a company prefix, or the first SSCC", where="company_prefix")
    unit = desk.batch(given.unit_batch_no).batch if given.unit_batch_no else None
    holds = _holds(desk, unit, given) if unit else 0
    size = -(-unit.size // holds) if unit else given.size
    if given.size not in (0, size):
        raise InputError("batch_invalid", f"the things to be carried fill {size} pallets", where="size")
    if size < 1:
        raise InputError("batch_invalid", "a batch has at least one pallet", where="size")
    carried = msgspec.structs.replace(unit, units_per_case=holds) if unit else None
    for _ in range(_ATTEMPTS):
        try:
            return _allocate(desk, actor, given, size, carried)
        except ConflictError as cause:
            if cause.code != GUARD_MOVED:
                raise
    raise TransientError("sscc_contended", "too many pallets at once; try again")


def find_pallet(desk: Desk, sscc: str) -> PalletAnswer:
    """Raises InputError (`sscc_…`), NotFoundError (`sscc_unknown`)."""
    pallet: UnitRef = found(PalletNumbers(desk.catalog_docs).find(sscc), "sscc_unknown", "not one of ours", "sscc")
    return PalletAnswer(sscc, pallet.batch_no, pallet.index)


def _allocate(desk: Desk, actor: Actor, given: NewPallets, size: int, unit: CodeBatch | None) -> CodeBatch:
    numbers = PalletNumbers(desk.catalog_docs)
    guard = numbers.guard()  # before looking for free numbers: whoever takes some after this makes our write fail
    first = _first_body(numbers, given, size)
    batch = CodeBatch(
        batch_no=0,
        gtin="",
        size=size,
        epoch=0,
        roles=(),
        lot=unit.lot if unit else "",
        unit_batch_no=unit.batch_no if unit else 0,
        created_at_ms=desk.clock_ms(),
        level="pallet",
        sscc_first=sscc_of_body(first),
    )
    return store_batch(
        desk, actor, batch, 0, unit, lambda batch_no: numbers.writes(PalletRun(batch_no, first, size), guard)
    )


def _first_body(numbers: PalletNumbers, given: NewPallets, size: int) -> int:
    if given.sscc_first:
        first = body_of(given.sscc_first)
        sscc_of_body(first + size - 1)
        before = numbers.last_run(first + size)
        if before and before.stop_body > first:
            raise ConflictError("sscc_taken", f"batch {before.batch_no} has some of these numbers", where="sscc_first")
        return first
    series = SsccSeries(given.extension, given.company_prefix)
    before = numbers.last_run(series.stop_body)
    first = max(before.stop_body if before else 0, series.first_body)
    series.body(first - series.first_body + size - 1)
    return first


def _holds(desk: Desk, unit: CodeBatch, given: NewPallets) -> int:
    if unit.case_batch_no:
        raise ConflictError("batch_already_cased", f"batch {unit.batch_no} has its pallets", where="unit_batch_no")
    if unit.level == "pallet":
        raise InputError("batch_invalid", "pallets are not stacked on pallets", where="unit_batch_no")
    packs = packs_of(desk.product(unit.gtin))
    declared = packs[0].holds if packs and packs[0].level == "pallet" else 0
    if packs and not declared:
        raise InputError("batch_invalid", f"these are packed in a {packs[0].level} first", where="unit_batch_no")
    holds = given.holds or declared
    if not holds:
        raise InputError("batch_invalid", "say how many go on one pallet", where="holds")
    return holds
