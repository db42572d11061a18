"""Which goods a movement is about: ranges, cases by number, or codes of any level as they were scanned.

Used by `record_shipment`, `record_receipt` and the trace. What is named stays at its own level: a pallet is a pallet.
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from uncap.adapters.pallet_numbers import PalletNumbers
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.catalog import CodeBatch
from uncap.domain.codes.links import fold_serial, parse_code_link, parse_pallet_link
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.domain.ranges import check_range, runs
from uncap.services.desk import BatchNo, Index, Stop
from uncap.services.find_code import find_code
from uncap.services.goods_desk import GoodsDesk

MAX_CODES = 1_000
MAX_SPANS = 30
"""Two items each within one transaction, and three more per batch."""

CodeText = Annotated[str, msgspec.Meta(min_length=17, max_length=320)]
CodeTexts = Annotated[tuple[CodeText, ...], msgspec.Meta(max_length=MAX_CODES)]
_SSCC_DIGITS = 18


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Half open."""

    start: Index
    stop: Stop


class BatchSpan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Things of one batch, of any level; half open."""

    batch_no: BatchNo
    start: Index
    stop: Stop


class Goods(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Exactly one of `start`..`stop`, `cases`, `case_codes`, `codes`, `spans`.

    `start`..`stop` are things of `batch_no`; `cases` and `case_codes` are of the batch one level up from it. `codes`:
    links, SSCCs and, with `batch_no`, serials of that batch or of those above it, of any level and mixed.
    """

    batch_no: Annotated[int, msgspec.Meta(ge=0, lt=1 << 24)] = 0
    start: Index | None = None
    stop: Stop | None = None
    cases: Span | None = None
    case_codes: CodeTexts = ()
    codes: CodeTexts = ()
    spans: Annotated[tuple[BatchSpan, ...], msgspec.Meta(max_length=MAX_SPANS)] = ()


def named_spans(desk: GoodsDesk, given: Goods) -> list[UnitSpan]:
    """The goods as runs of neighbours, batch by batch.

    Raises InputError (`goods_ambiguous`, `range_invalid`, `too_many_ranges`, links' own), NotFoundError
    (`batch_unknown`, `sscc_unknown`), CodeForgedError, ConflictError (`batch_has_no_cases`, `case_of_another_batch`).
    """
    by_range = given.start is not None or given.stop is not None
    ways = (by_range, given.cases is not None, bool(given.case_codes), bool(given.codes), bool(given.spans))
    if sum(ways) != 1:
        raise InputError("goods_ambiguous", "give start and stop, or cases, or codes, or spans", where="start")
    if given.spans:
        found = [_span(desk.batch(one.batch_no).batch, one.start, one.stop) for one in given.spans]
    elif given.codes:
        batch = desk.batch(given.batch_no).batch if given.batch_no else None
        found = spans_of(thing_of(desk, code, batch) for code in given.codes)
    else:
        found = _of_batch(desk, given)
    return _bounded(found)


def spans_of(things: Iterable[UnitRef]) -> list[UnitSpan]:
    """Things as the fewest spans, in order; named twice is named once."""
    by_batch: dict[int, list[int]] = {}
    for one in things:
        by_batch.setdefault(one.batch_no, []).append(one.index)
    return [
        UnitSpan(batch_no, run.start, run.stop)
        for batch_no, indices in sorted(by_batch.items())
        for run in runs(indices)
    ]


def merged(spans: Iterable[UnitSpan]) -> list[UnitSpan]:
    """The same things as the fewest spans, in order."""
    out: list[UnitSpan] = []
    for one in sorted(spans):
        last = out[-1] if out else None
        if last is not None and last.batch_no == one.batch_no and one.start <= last.stop:
            out[-1] = UnitSpan(one.batch_no, last.start, max(last.stop, one.stop))
        else:
            out.append(one)
    return out


def thing_of(desk: GoodsDesk, text: str, batch: CodeBatch | None = None) -> UnitRef:
    """The thing that carries this code: a link, an SSCC, or a serial of `batch` or of a batch above it.

    Raises as `named_spans` does, and InputError (`code_needs_gtin`) for a serial without a batch.
    """
    if "/00/" in text or (text.isascii() and text.isdigit() and len(text) == _SSCC_DIGITS):
        sscc = parse_pallet_link(text).sscc if "/" in text else text
        found = PalletNumbers(desk.catalog_docs).find(sscc)
        if found is None:
            raise NotFoundError("sscc_unknown", "no pallet of ours carries this SSCC", where="codes")
        return found
    if "/" in text:
        link = parse_code_link(text)
        return issued_thing(desk, link.gtin, link.serial)
    if batch is None:
        raise InputError(
            "code_needs_gtin", "a serial alone says no product: name its batch, or give a link", where="codes"
        )
    return _serial_of(desk, text, batch)


def _serial_of(desk: GoodsDesk, text: str, batch: CodeBatch) -> UnitRef:
    """A serial may be of the batch named or of the boxes and cases above it; the last refusal is the one told."""
    found = desk.keyring()
    above: CodeBatch | None = batch
    for _ in range(4):
        if above is None or not above.gtin:
            break
        identified = found.identify(above.gtin, fold_serial(text), above.roles)
        if identified is not None:
            return issued_thing(desk, above.gtin, fold_serial(text))
        above = desk.batch(above.case_batch_no).batch if above.case_batch_no else None
    return issued_thing(desk, batch.gtin, fold_serial(text))


def issued_thing(desk: GoodsDesk, gtin: str, serial: str) -> UnitRef:
    """The thing with this serial; `gtin` has 14 digits. Raises CodeForgedError."""
    ref = find_code(desk.keyring(), desk.catalog, gtin, serial, desk.clock_ms()).ref
    return UnitRef(ref.batch_no, ref.index)


def _of_batch(desk: GoodsDesk, given: Goods) -> list[UnitSpan]:
    if not given.batch_no:
        raise InputError("goods_ambiguous", "say of which batch", where="batch_no")
    batch = desk.batch(given.batch_no).batch
    if given.start is not None or given.stop is not None:
        if given.start is None or given.stop is None:
            raise InputError("goods_ambiguous", "a range has start and stop", where="stop")
        return [_span(batch, given.start, given.stop)]
    if not batch.case_batch_no:
        raise ConflictError("batch_has_no_cases", "these units were not packed in coded cases", where="batch_no")
    cases = desk.batch(batch.case_batch_no).batch
    if given.cases is not None:
        return [_span(cases, given.cases.start, given.cases.stop)]
    things = [thing_of(desk, code, cases) for code in given.case_codes]
    if any(one.batch_no != cases.batch_no for one in things):
        raise ConflictError("case_of_another_batch", "a code is not of this batch's cases", where="case_codes")
    return spans_of(things)


def _span(batch: CodeBatch, start: int, stop: int) -> UnitSpan:
    check_range(start, stop, batch.size)
    return UnitSpan(batch.batch_no, start, stop)


def _bounded(found: list[UnitSpan]) -> list[UnitSpan]:
    if len(found) > MAX_SPANS:
        raise InputError("too_many_ranges", f"at most {MAX_SPANS} runs of neighbours on one paper", where="codes")
    return found
