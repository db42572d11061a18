"""Changes of the packing by hand: two things swapped, things repacked or taken out, a pack emptied, a spare in place.

Called by `routes/console/packing.py` and `services/replace_code.py`. Each is one audited transaction (docs/adr/0010).
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec

from uncap.adapters.association import snapshot_of
from uncap.adapters.audited_writes import MAX_WRITES, DocWrite, doc_of
from uncap.domain.association.blocks import NOWHERE, Event
from uncap.domain.association.files import FileRecord, Fill, Head
from uncap.domain.association.history import BY_HAND, HandChange
from uncap.domain.association.ports import AssociationReader, UnitRef, UnitSpan
from uncap.domain.association.store import batch_pk, block_sk, file_pk, part_pk
from uncap.domain.codes import crockford
from uncap.domain.errors import ConflictError, InputError
from uncap.services.batch_facts import CatalogFacts
from uncap.services.desk import Actor, Desk, Reason, TimeMs, draft
from uncap.services.select_units import CaseCode, thing_of

MAX_THINGS = 500
Kind = Literal["swap", "repack", "take_out", "unpack"]
_NOTHING = UnitRef(NOWHERE, NOWHERE)
Moves = dict[UnitRef, tuple[UnitRef | None, UnitRef | None]]
"""Thing → what it was in, what it is in from now on."""


class PackingChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`swap`: two codes change places. `repack`: the codes go `into` another pack. `take_out`: out of what they are in.
    `unpack`: all that is in the packs named comes out. `at_ms`: when that was, now without one.
    """

    kind: Kind
    codes: Annotated[tuple[CaseCode, ...], msgspec.Meta(min_length=1, max_length=MAX_THINGS)]
    into: CaseCode | None = None
    at_ms: TimeMs | None = None
    reason: Reason


class ChangedPacking(msgspec.Struct, frozen=True):
    """The change's id, as histories name it, and how many things it moved."""

    change_id: str
    moved: int


def change_packing(desk: Desk, actor: Actor, given: PackingChange) -> ChangedPacking:
    """Raises InputError (`packing_invalid`, `time_invalid`, `range_too_wide`, links' own), CodeForgedError,
    NotFoundError (`sscc_unknown`), ConflictError (`not_packed`, `other_product`, `case_overfull`, `later_is_known`,
    `association_busy`, `changed_meanwhile`).
    """
    things = list(dict.fromkeys(thing_of(desk, code) for code in given.codes))
    into = thing_of(desk, given.into) if given.into else None
    if (given.kind == "swap" and len(things) != 2) or (given.kind == "repack") != (into is not None):
        raise InputError("packing_invalid", "a swap has two codes; a repack, and only that, goes into a pack")
    now_ms = desk.clock_ms()
    at_ms = now_ms if given.at_ms is None else given.at_ms
    if at_ms > now_ms:
        raise InputError("time_invalid", "this lies in the future", where="at_ms")
    if given.kind == "unpack":
        things = _contents(desk.association, things)
    # What is in packs is read after the heads: whoever changes it in between makes the heads' versions wrong.
    heads = _heads(desk, {thing.batch_no for thing in things})
    fill = _fill(desk, into.batch_no) if into else []
    moves = _moves(desk, snapshot_of(desk.association), given.kind, things, into, at_ms)
    change_id, writes = change_writes(desk, given.kind, moves, at_ms, heads)
    places = {pack for move in moves.values() for pack in move if pack is not None}
    desk.writes.commit(
        [*writes, *fill],
        draft(
            actor,
            "batches.packing",
            f"packing {change_id}",
            reason=given.reason,
            after=f"{given.kind}: {len(moves)} things",
            about=[UnitSpan(one.batch_no, one.index, one.index + 1) for one in sorted({*moves, *places})],
        ),
    )
    return ChangedPacking(change_id, len(moves))


def replacement_writes(desk: Desk, batch_no: int, old: int, new: int) -> list[DocWrite]:
    """A spare's taking over the place of a spoilt unit in its case; nothing where that one is in none.

    Raises ConflictError (`association_busy`).
    """
    heads = _heads(desk, {batch_no})
    spoilt, spare = UnitRef(batch_no, old), UnitRef(batch_no, new)
    place = desk.association.parent_of(spoilt)
    if place is None:
        return []
    moves: Moves = {spoilt: (place, None), spare: (desk.association.parent_of(spare), place)}
    return change_writes(desk, "replace", moves, desk.clock_ms(), heads)[1]


def change_writes(
    desk: Desk, kind: str, moves: Moves, at_ms: int, heads: dict[int, Head]
) -> tuple[str, list[DocWrite]]:
    """The change's id and its items: events by block, pointers from the packs, the batches' heads."""
    change_id = BY_HAND + crockford.digest(desk.random_bytes(8), 12)
    made_at_ms = desk.clock_ms()
    events: dict[tuple[str, str], list[Event]] = {}
    into: dict[tuple[UnitRef, int], list[int]] = {}
    for rank, (thing, (before, after)) in enumerate(sorted(moves.items(), key=lambda one: one[0])):
        out, place = before or _NOTHING, after or _NOTHING
        event = Event(thing.index, at_ms, rank, place.batch_no, place.index, out.batch_no, out.index, 0)
        events.setdefault((part_pk(thing.batch_no, thing.index), block_sk(thing.index)), []).append(event)
        if after is not None:
            into.setdefault((after, thing.batch_no), []).append(thing.index)
    writes = [
        DocWrite("flow", pk, f"{sk}x#{change_id}#00000#0", doc_of(HandChange(kind, made_at_ms, tuple(some))), 1)
        for (pk, sk), some in events.items()
    ]
    for (pack, batch_no), indices in into.items():
        key = f"in#{pack.index:09d}#{batch_no}#{change_id}"
        writes.append(DocWrite("flow", batch_pk(pack.batch_no), key, doc_of(indices), 1))
    below = {(pack.batch_no, batch_no) for pack, batch_no in into}
    writes += [DocWrite("flow", batch_pk(above), f"down#{batch_no}", "{}", 0) for above, batch_no in sorted(below)]
    writes += [DocWrite("flow", batch_pk(no), "head", doc_of(head), head.version) for no, head in heads.items()]
    if len(writes) > MAX_WRITES - 5:
        raise InputError("range_too_wide", "these things lie too far apart for one change; make it in parts")
    return change_id, writes


def _heads(desk: Desk, batches: Iterable[int]) -> dict[int, Head]:
    """The heads as they will be. Read before the packing: if a file comes in between, the change is refused."""
    found: dict[int, Head] = {}
    for batch_no in sorted(batches):
        head = desk.flow.value(batch_pk(batch_no), "head", Head) or Head(version=0)
        visible = head.visible
        if head.lease:
            holder = desk.flow.value(file_pk(head.lease), "meta", FileRecord)
            if holder is not None and holder.state == "running":
                raise ConflictError("association_busy", "an association file is being applied to this batch")
            visible = visible or (holder is not None and holder.state == "visible" and batch_no in holder.adds)
        found[batch_no] = Head("", visible, head.changes + 1, head.version + 1)
    return found


def _fill(desk: Desk, batch_no: int) -> list[DocWrite]:
    """More goes into a pack of this batch: refused if a file comes in between, noticed by a file that is at work."""
    version = (desk.flow.value(batch_pk(batch_no), "fill", Fill) or Fill()).version + 1
    return [DocWrite("flow", batch_pk(batch_no), "fill", doc_of(Fill(version)), version)]


def _contents(reader: AssociationReader, packs: Sequence[UnitRef]) -> list[UnitRef]:
    spans = [span for pack in packs for span in reader.children_of(pack)]
    if sum(span.stop - span.start for span in spans) > MAX_THINGS:
        raise InputError("range_too_wide", f"at most {MAX_THINGS} things in one change")
    return [UnitRef(span.batch_no, index) for span in spans for index in range(span.start, span.stop)]


def _moves(
    desk: Desk, reader: AssociationReader, kind: str, things: Sequence[UnitRef], into: UnitRef | None, at_ms: int
) -> Moves:
    if not things or len(things) > MAX_THINGS:
        raise ConflictError("not_packed", f"between one thing and {MAX_THINGS} can be moved")
    places = {thing: reader.parent_of(thing, at_ms) for thing in things}
    if any(reader.parent_of(thing) != place for thing, place in places.items()):
        raise ConflictError("later_is_known", "something later is known of one of these things", where="at_ms")
    if kind != "repack" and None in places.values():
        raise ConflictError("not_packed", "one of these things is in nothing", where="codes")
    fits = _Fits(CatalogFacts(desk.catalog), reader)
    if kind == "swap":
        one, other = things
        if places[one] == places[other]:
            raise ConflictError("not_packed", "both are in the same pack", where="codes")
        fits.check([one], places[other], leaves=1)
        fits.check([other], places[one], leaves=1)
        return {one: (places[one], places[other]), other: (places[other], places[one])}
    if into is not None:
        things = [thing for thing in things if places[thing] != into]
        fits.check(things, into)
    return {thing: (places[thing], into) for thing in things}


class _Fits:
    """Whether a pack may hold more."""

    def __init__(self, book: CatalogFacts, reader: AssociationReader) -> None:
        self._book = book
        self._reader = reader

    def check(self, things: Sequence[UnitRef], into: UnitRef | None, leaves: int = 0) -> None:
        """`leaves`: how many of its things go at the same time. Raises ConflictError (`other_product`,
        `case_overfull`, `not_packed`)."""
        pack = self._book.facts(into.batch_no) if into else None
        if into is None or pack is None or into.index >= pack.size:
            raise ConflictError("not_packed", "there is no such pack", where="into")
        inside = sum(span.stop - span.start for span in self._reader.children_of(into)) - leaves
        for batch_no in {thing.batch_no for thing in things}:
            facts = self._book.facts(batch_no)
            if facts is None or not facts.goes_into(pack):
                raise ConflictError("other_product", "this product is not packed in that", where="into")
            if facts.pack and inside + len(things) > facts.pack:
                raise ConflictError("case_overfull", f"it holds {facts.pack} and has {inside}", where="into")
