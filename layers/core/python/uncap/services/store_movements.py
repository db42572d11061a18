"""Declared movements are written with their batches' guards, and answered with what does not fit about them.

Called by `record_shipment` and `record_receipt`. A guard item per batch puts racing entries in order.
"""

from collections.abc import Iterator, Sequence

import msgspec

from uncap.adapters.audited_writes import MAX_WRITES, DocWrite, doc_of
from uncap.adapters.flow_returns import PK as RETURNED
from uncap.adapters.flow_returns import due_return
from uncap.adapters.flow_rows import DOCUMENTS, EveryMovement, document_of, key_of, mark_key
from uncap.domain.association.ports import AssociationReader, UnitRef, UnitSpan
from uncap.domain.catalog import Party
from uncap.domain.channel import stands_below
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.movements import RETURN, SHIPMENT, Finding, Movement, MovementMap, follow
from uncap.domain.whereabouts import PackingHistory, Timed, movements_on
from uncap.services.desk import Actor, draft
from uncap.services.goods_desk import GoodsDesk

CLOCK_AHEAD_MS = 86_400_000
MAX_SAMPLES = 20
"""Stretches of one paper whose whole chain is followed when it is declared; the trace follows any of them later."""


class Recorded(msgspec.Struct, frozen=True):
    """The movements as stored, and what does not fit about them: findings, never refusals."""

    movements: list[Movement]
    findings: list[Finding]


class Tree:
    """The channel tree as the console reads it, each party once."""

    def __init__(self, desk: GoodsDesk) -> None:
        self._desk = desk
        self._parties: dict[str, Party | None] = {}

    def party(self, party_id: str) -> Party | None:
        """The party, or None."""
        if party_id not in self._parties:
            self._parties[party_id] = self._desk.parties.value(f"party#{party_id}", "meta", Party)
        return self._parties[party_id]

    def below(self, party_id: str, above: str) -> bool:
        """See `domain.movements.Below`."""
        return stands_below(self.party, party_id, above)


class RememberedPacking:
    """An AssociationReader that asks each question once: for one request, where a batch is asked about many times."""

    def __init__(self, association: AssociationReader) -> None:
        self._association = association
        self._parents: dict[tuple[UnitRef, int | None], UnitRef | None] = {}
        self._children: dict[tuple[UnitRef, int | None], Sequence[UnitSpan]] = {}

    def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:
        """See the port."""
        if (unit, at_ms) not in self._parents:
            self._parents[unit, at_ms] = self._association.parent_of(unit, at_ms)
        return self._parents[unit, at_ms]

    def history_of(self, unit: UnitRef) -> Sequence[Timed]:
        """See `PackingHistory`."""
        return self._association.history_of(unit) if isinstance(self._association, PackingHistory) else ()

    def children_of(self, unit: UnitRef, at_ms: int | None = None) -> Sequence[UnitSpan]:
        """See the port."""
        if (unit, at_ms) not in self._children:
            self._children[unit, at_ms] = self._association.children_of(unit, at_ms)
        return self._children[unit, at_ms]


def movement_time(desk: GoodsDesk, at_ms: int | None, where: str = "at_ms") -> int:
    """Now where nothing is said. Raises InputError (`moved_in_the_future`) for the field `where`: a clock that is more
    than a day ahead."""
    now_ms = desk.clock_ms()
    if at_ms is not None and at_ms > now_ms + CLOCK_AHEAD_MS:
        raise InputError("moved_in_the_future", "goods move now or have moved already", where=where)
    return now_ms if at_ms is None else at_ms


def parts_of(paper: Movement, spans: Sequence[UnitSpan]) -> list[Movement]:
    """One movement per span: under the paper's own id where there is one, `{id}-1`, `{id}-2`… where there are more."""
    single = len(spans) == 1
    return [
        msgspec.structs.replace(
            paper,
            movement_id=paper.movement_id if single else f"{paper.movement_id}-{at}",
            document="" if single else paper.movement_id,
            batch_no=span.batch_no,
            start=span.start,
            stop=span.stop,
        )
        for at, span in enumerate(spans, 1)
    ]


def store_movements(
    desk: GoodsDesk, actor: Actor, parts: Sequence[Movement], *, refuse: bool, reason: str = ""
) -> list[Finding]:
    """Writes the parts of one paper; what does not fit about them is returned.

    `refuse`: a shipment that contradicts earlier paper is not written. Raises ConflictError (`shipment_overlaps`,
    `…_exists`, `changed_meanwhile`), InputError (`too_many_ranges`).
    """
    batches = sorted({one.batch_no for one in parts})
    # Guards are read before the movements: whoever writes after this read makes our own write fail.
    guards = {batch_no: desk.flow.value(f"batch#{batch_no}", "guard", int) or 0 for batch_no in batches}
    findings = check_movements(desk, parts, EveryMovement(desk.flow.starting), refuse=refuse)
    writes = [DocWrite("flow", f"batch#{one}", "guard", doc_of(guards[one] + 1), guards[one] + 1) for one in batches]
    writes += _writes(parts)
    if parts[0].kind == RETURN:  # what the goods had earned is taken back by the reconcile job
        due = due_return(parts[0].paper, desk.clock_ms())
        writes.append(DocWrite("flow", RETURNED, due.sk, doc_of(due), 0))
    if len(writes) + len(batches) > MAX_WRITES:
        raise InputError("too_many_ranges", "too many runs of neighbours on one paper", where="codes")
    first = parts[0]
    things = sum(one.stop - one.start for one in parts)
    summary = f"{things} things of {', '.join(f'batch {one}' for one in batches)} to {first.party or 'the brand'}"
    about = tuple(UnitSpan(one.batch_no, one.start, one.stop) for one in parts)
    act = draft(actor, f"{first.kind}s.record", first.paper, reason=reason, after=summary, about=about)
    desk.writes.commit(writes, act)
    return findings


def check_movements(
    desk: GoodsDesk, parts: Sequence[Movement], stored: EveryMovement, *, refuse: bool
) -> list[Finding]:
    """What does not fit about the parts of one paper; nothing is written. ConflictError (`shipment_overlaps`)."""
    tree = Tree(desk)
    if refuse:
        for part in parts:
            _check_shipment(part, stored, tree)
    findings = _findings(desk, parts, stored, tree)
    if refuse and (found := next((one for one in findings if one.code in _CONTRADICTIONS), None)):
        raise _overlap(found.expected, found.movement_id)
    return findings


_CONTRADICTIONS = frozenset({"shipped_again", "shipped_from_elsewhere"})


def _writes(parts: Sequence[Movement]) -> Iterator[DocWrite]:
    marks = set()
    for one in parts:
        word, doc = DOCUMENTS[one.kind], document_of(one)
        yield DocWrite("flow", *key_of(one), doc, 1, f"{word}_exists")
        yield DocWrite("flow", f"{word}#{one.movement_id}", "meta", doc, 1, f"{word}_exists")
        marks.add(mark_key(one))
    for pk, sk in sorted(marks):
        yield DocWrite("flow", pk, sk, "true", 0)


def _check_shipment(new: Movement, stored: EveryMovement, tree: Tree) -> None:
    """The same goods may only move on, later, to someone below who has them: all else is a slip of the pen."""
    standing = [one for one in stored.ranges(new.batch_no) if not one.voided]
    known = MovementMap(standing)
    for start, _ in known.stretches(new.start, new.stop):
        covering = known.covering(start)
        place = follow(covering, tree.below).place
        late = any(one.kind == SHIPMENT and one.at_ms >= new.at_ms for one in covering)
        if place.party and (late or not tree.below(new.party, place.party)):
            raise _overlap(place.party, place.movement_id)


def _overlap(party: str, movement_id: str) -> ConflictError:
    return ConflictError("shipment_overlaps", f"by {movement_id} some of these goods are at {party}", where="start")


def _findings(desk: GoodsDesk, parts: Sequence[Movement], stored: EveryMovement, tree: Tree) -> list[Finding]:
    packing = RememberedPacking(desk.association)
    found: dict[tuple[str, str], Finding] = {}
    for part, index in _samples(parts, stored):
        told = movements_on(UnitRef(part.batch_no, index), packing, stored)
        for one in follow([*told, part], tree.below).findings:
            if one.movement_id == part.movement_id:
                found.setdefault((one.code, one.movement_id), one)
    return list(found.values())


def _samples(parts: Sequence[Movement], stored: EveryMovement) -> list[tuple[Movement, int]]:
    samples: list[tuple[Movement, int]] = []
    for part in parts:
        stretches = MovementMap(stored.ranges(part.batch_no)).stretches(part.start, part.stop)
        samples += [(part, start) for start, _ in stretches[: MAX_SAMPLES - len(samples)]]
        if len(samples) >= MAX_SAMPLES:
            break
    return samples
