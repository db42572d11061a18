"""Which units an act is about: an index range, a range of cases, or codes of cases as scanned. Used by the lifecycle's
services (activation, decommissioning).
"""

from typing import Annotated

import msgspec

from uncap.adapters.pallet_numbers import PalletNumbers
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.catalog import CodeBatch
from uncap.domain.codes.links import fold_serial, parse_code_link, parse_pallet_link
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.domain.ranges import check_range
from uncap.services.desk import Desk, Index, Stop
from uncap.services.find_code import find_code
from uncap.services.walk_packs import merged_spans, with_contents

MAX_CODES = 1_000
CaseCode = Annotated[str, msgspec.Meta(min_length=17, max_length=320)]


class CaseRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Indices of the batch one level up, half open."""

    start: Index
    stop: Stop


class Selection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Exactly one of `start`..`stop` (of the batch), `cases` (of the batch one level up), `case_codes`.

    `case_codes`: links, serials of the batch one level up, or SSCCs; of any level. What is in them comes with them.
    """

    start: Index | None = None
    stop: Stop | None = None
    cases: CaseRange | None = None
    case_codes: Annotated[tuple[CaseCode, ...], msgspec.Meta(max_length=MAX_CODES)] = ()

    @property
    def by_range(self) -> bool:
        """Is either end of an index range given?"""
        return self.start is not None or self.stop is not None


def selected(desk: Desk, batch: CodeBatch, given: Selection) -> list[UnitSpan]:
    """What is meant, per batch: an index range alone, cases with everything in them.

    Raises InputError (`selection_ambiguous`, `range_invalid`, `range_too_wide`, `too_many_ranges`, links' own),
    CodeForgedError, NotFoundError (`sscc_unknown`), ConflictError (`batch_has_no_cases`, `case_of_another_batch`).
    """
    if sum((given.by_range, given.cases is not None, bool(given.case_codes))) != 1:
        raise InputError("selection_ambiguous", "give start and stop, or cases, or case codes", where="start")
    if given.by_range:
        if given.start is None or given.stop is None:
            raise InputError("range_invalid", "a range has start and stop", where="stop")
        check_range(given.start, given.stop, batch.size)
        return [UnitSpan(batch.batch_no, given.start, given.stop)]
    packs = [_case_span(desk, batch, given.cases)] if given.cases else _scanned(desk, batch, given.case_codes)
    spans = with_contents(desk.packing(), desk.catalog, packs)
    if not any(span.batch_no == batch.batch_no for span in spans):
        raise ConflictError("case_of_another_batch", "nothing of this batch is in these cases", where="case_codes")
    return spans


def thing_of(desk: Desk, code: str, gtin: str = "") -> UnitRef:
    """The thing behind a link, an SSCC, or a serial under `gtin`. Raises as `selected` does."""
    if code.isascii() and code.isdecimal() and len(code) == 18:
        return _pallet(desk, code)
    if "/00/" in code:
        return _pallet(desk, parse_pallet_link(code).sscc)
    serial = fold_serial(code)
    if "/" in code:
        link = parse_code_link(code)
        gtin, serial = link.gtin, link.serial
    ref = find_code(desk.keyring(), desk.catalog, gtin, serial, desk.clock_ms()).ref
    return UnitRef(ref.batch_no, ref.index)


def _pallet(desk: Desk, sscc: str) -> UnitRef:
    pallet = PalletNumbers(desk.catalog_docs).find(sscc)
    if pallet is None:
        raise NotFoundError("sscc_unknown", "this SSCC is not one of ours", where="sscc")
    return pallet


def _case_span(desk: Desk, batch: CodeBatch, cases: CaseRange) -> UnitSpan:
    above = _above(desk, batch)
    check_range(cases.start, cases.stop, above.size)
    return UnitSpan(above.batch_no, cases.start, cases.stop)


def _scanned(desk: Desk, batch: CodeBatch, codes: tuple[str, ...]) -> list[UnitSpan]:
    bare = any("/" not in code and not code.isdecimal() for code in codes)
    gtin = _above(desk, batch).gtin if bare else ""
    things = [thing_of(desk, code, gtin) for code in codes]
    return merged_spans(UnitSpan(one.batch_no, one.index, one.index + 1) for one in things)


def _above(desk: Desk, batch: CodeBatch) -> CodeBatch:
    if not batch.case_batch_no:
        raise ConflictError("batch_has_no_cases", "these units were not packed in coded cases", where="batch_no")
    return desk.batch(batch.case_batch_no).batch
