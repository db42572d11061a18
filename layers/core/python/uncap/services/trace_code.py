"""Where a thing comes from and where it should be, at any moment: up to pallet and outlet, down to what is in it.

Called by `routes/console/trace.py` and, for what a consumer may see, by `services/tell_origin.py`.
"""

from collections import Counter
from typing import Annotated

import msgspec

from uncap.adapters.flow_rows import EveryMovement
from uncap.domain.association.ports import AssociationReader, UnitRef, UnitSpan, chain_of
from uncap.domain.catalog import CodeBatch, Text
from uncap.domain.channel import upwards
from uncap.domain.codes.sscc import sscc_of
from uncap.domain.errors import NotFoundError
from uncap.domain.lifecycle import item_facts
from uncap.domain.movements import Finding, Movement, Step, follow
from uncap.domain.whereabouts import movements_on
from uncap.services.desk import Desk, TimeMs
from uncap.services.read_history import ref_of
from uncap.services.store_movements import RememberedPacking, Tree

MAX_CONTENTS = 200
MAX_ASKED = 500
"""Packs whose contents one trace asks for; a pallet of cases of boxes has fewer."""


class TraceQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`code`: batch.index of a thing at any level, an SSCC, or a link. As of `at_ms`, now without it."""

    code: Annotated[str, msgspec.Meta(min_length=3, max_length=320)]
    at_ms: TimeMs | None = None


class TraceLink(msgspec.Struct, frozen=True, omit_defaults=True):
    """The thing, or a pack it lies in. `sscc` of pallets, `gtin` of the rest."""

    code: str
    level: str
    gtin: str = ""
    sscc: str = ""
    lot: str = ""
    produced_on: str = ""
    best_before: str = ""


class TraceParty(msgspec.Struct, frozen=True):
    """A party of the channel."""

    party_id: str
    role: str
    name: Text


class TraceStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """One leg of the way. `by`: the level and code at which it was declared; `shipment` answers for the place."""

    status: str  # origin | shipped | received | returned
    at_ms: int
    party: TraceParty | None
    movement_id: str
    by: str
    shipment: str = ""


class TraceVoid(msgspec.Struct, frozen=True):
    """A movement that was cancelled, and why."""

    movement_id: str
    kind: str
    reason: str


class TraceContents(msgspec.Struct, frozen=True):
    """What is in it. `spans`: directly (at most 200), as (level, batch_no, start, stop); `counts` by level, all told.

    `complete` is false where more packs lie in it than one trace asks about.
    """

    spans: list[tuple[str, int, int, int]]
    counts: dict[str, int]
    complete: bool


class Trace(msgspec.Struct, frozen=True):
    """`up`: the thing, then what it lies in; `place` is the last step of `path`; `channel` stands above that place."""

    at_ms: int
    up: list[TraceLink]
    place: TraceStep
    path: list[TraceStep]
    channel: list[TraceParty]
    down: TraceContents
    findings: list[Finding]
    cancelled: list[TraceVoid]


def trace_code(desk: Desk, query: TraceQuery) -> Trace:
    """Raises NotFoundError (`batch_unknown`, `code_unknown`, `sscc_unknown`), CodeForgedError, InputError (links')."""
    ref = ref_of(desk, query.code)
    batch = desk.batch(ref.batch_no).batch
    if ref.index >= batch.size:
        raise NotFoundError("code_unknown", f"batch {ref.batch_no} has {batch.size} codes", where="code")
    packing, tree, books = RememberedPacking(desk.association), Tree(desk), _Batches(desk)
    chain = chain_of(packing, ref, query.at_ms)
    movements = movements_on(ref, packing, EveryMovement(desk.flow.starting), query.at_ms)
    story = follow(movements, tree.below, query.at_ms)
    by_id = {one.movement_id: one for one in movements}
    path = [_step(one, by_id, tree, books) for one in story.steps]
    return Trace(
        at_ms=query.at_ms or desk.clock_ms(),
        up=[_link(books.of(one.batch_no), one) for one in chain],
        place=path[-1],
        path=path,
        channel=[TraceParty(one.party_id, one.role, one.name) for one in upwards(tree.party, story.place.party)],
        down=contents(packing, books, ref, query.at_ms),
        findings=list(story.findings),
        cancelled=[TraceVoid(one.movement_id, one.kind, one.voided) for one in movements if one.voided],
    )


class _Batches:
    """Batches, each read once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[int, CodeBatch] = {}

    def of(self, batch_no: int) -> CodeBatch:
        if batch_no not in self._known:
            self._known[batch_no] = self._desk.batch(batch_no).batch
        return self._known[batch_no]


def contents(packing: AssociationReader, books: _Batches, ref: UnitRef, at_ms: int | None) -> TraceContents:
    """What is in a thing at that moment, level by level."""
    direct = list(packing.children_of(ref, at_ms))
    counts: Counter[str] = Counter()
    layer, asked = direct, 0
    while layer:
        below: list[UnitSpan] = []
        for span in layer:
            counts[books.of(span.batch_no).level] += span.stop - span.start
            things = range(span.start, span.stop) if books.of(span.batch_no).unit_batch_no else range(0)
            for index in things[: MAX_ASKED - asked]:
                below += packing.children_of(UnitRef(span.batch_no, index), at_ms)
                asked += 1
        layer = below
    spans = [(books.of(one.batch_no).level, one.batch_no, one.start, one.stop) for one in direct[:MAX_CONTENTS]]
    return TraceContents(spans, dict(counts), complete=asked < MAX_ASKED and len(direct) <= MAX_CONTENTS)


def _link(batch: CodeBatch, ref: UnitRef) -> TraceLink:
    facts = item_facts(batch, ref.index)
    return TraceLink(
        f"{ref.batch_no}.{ref.index}",
        batch.level,
        facts.gtin,
        sscc_of(batch.sscc_first, ref.index) if batch.sscc_first else "",
        facts.lot,
        facts.produced_on,
        facts.best_before,
    )


def _step(step: Step, by_id: dict[str, Movement], tree: Tree, books: _Batches) -> TraceStep:
    party = tree.party(step.party) if step.party else None
    declared = by_id.get(step.movement_id)
    by = f"{books.of(declared.batch_no).level} {declared.batch_no}.{_range(declared)}" if declared else ""
    known = TraceParty(party.party_id, party.role, party.name) if party else None
    if known is None and step.party:
        known = TraceParty(step.party, "", {})
    shipment = step.shipment.movement_id if step.shipment else ""
    return TraceStep(step.status, step.since_ms, known, step.movement_id, by, shipment)


def _range(movement: Movement) -> str:
    last = movement.stop - 1
    return str(movement.start) if last == movement.start else f"{movement.start}-{last}"
