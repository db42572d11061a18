"""Goods that came back take back what they had earned for the channel: accruals of their own codes and of their packs'.

Called by the reconcile job for every recorded return, however it was said. Safe to stop and to repeat anywhere: a
stretch of a return is one return to `claw_back.py`, which counts each once (docs/books.md, ADR 0024).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.adapters.documents import DocumentTable
from uncap.adapters.flow_returns import DueReturn, ReturnQueue
from uncap.adapters.flow_rows import DOCUMENTS, EveryMovement
from uncap.domain.association.ports import AssociationReader, UnitRef, chain_of
from uncap.domain.channel import PartyOf, stands_below
from uncap.domain.errors import ConflictError
from uncap.domain.movements import RETURN, Movement, follow
from uncap.domain.rewards import ids
from uncap.domain.rewards.accruing import ACCRUAL
from uncap.domain.rewards.ports import LedgerStore
from uncap.domain.rewards.reward import FINAL, Case, Reward, State
from uncap.domain.scans import CodeRef
from uncap.domain.whereabouts import movements_on
from uncap.services.claw_back import Books, Return, claw_back

LOOKS_AGAIN_AFTER_MS = 86_400_000
GIVES_UP_AFTER_MS = 400 * 86_400_000
STRETCHES = {"unit": 200, "box": 20, "case": 10}
"""Things of a return that are gone through at once, the same cuts every time; a pallet alone."""
_AT_ONCE = 20
_READ = 100
BELOW_LIMIT, UNDECIDED = "clawback_below_limit", "clawback_undecided"


@dataclass(frozen=True, slots=True)
class ReturnTools:
    """`packing()` makes a reader that reads each thing once."""

    queue: ReturnQueue
    flow: DocumentTable
    catalog: Catalog
    packing: Callable[[], AssociationReader]
    party_of: PartyOf
    ledger: LedgerStore
    books: Books
    clock_ms: Callable[[], int]


@dataclass
class TakenBack:
    """What a run did: papers finished, shares taken, and shares that wait for people."""

    papers: int = 0
    taken: int = 0
    cases: list[str] = field(default_factory=list)


def take_back_returns(tools: ReturnTools, time_is_up: Callable[[], bool]) -> TakenBack:
    """Go through returns that are due. Raises TransientError; what was done stays done."""
    done = TakenBack()
    for due in tools.queue.due(tools.clock_ms(), _AT_ONCE):
        one = _OneReturn(tools, due, done)
        while not one.is_over and not time_is_up():
            one.step()
        if not one.is_over:
            break
        one.finish()
    return done


class _OneReturn:
    """A paper on its way through its parts, a stretch of one at a time."""

    def __init__(self, tools: ReturnTools, due: DueReturn, done: TakenBack) -> None:
        self._tools = tools
        self._due = due
        self._done = done
        self._parts = list(_parts(tools.flow, due.paper))
        self._packing = tools.packing()
        self._movements = EveryMovement(tools.flow.starting)
        self._sizes: dict[UnitRef, int] = {}

    @property
    def is_over(self) -> bool:
        return self._due.part >= len(self._parts)

    def step(self) -> None:
        part = self._parts[self._due.part]
        start = part.start + self._due.done
        view = self._tools.catalog.batch(part.batch_no)
        stop = min(start + STRETCHES.get(view.batch.level if view else "", 1), part.stop)
        waits = False
        if self._tools.flow.get(f"{DOCUMENTS[RETURN]}#{part.movement_id}", "void") is None:
            things = [UnitRef(part.batch_no, index) for index in range(start, stop)]
            waits = self._take(part, f"{part.movement_id}.{start}", self._that_came(things, part))
        over = stop == part.stop
        self._due = msgspec.structs.replace(
            self._due,
            part=self._due.part + over,
            done=0 if over else stop - part.start,
            waits=self._due.waits or waits,
        )
        self._tools.queue.keep(self._due)

    def finish(self) -> None:
        """Done; or, where rewards wait for a decision, all of it again tomorrow: what was taken is not taken twice."""
        due, now_ms = self._due, self._tools.clock_ms()
        if due.waits and now_ms < due.recorded_at_ms + GIVES_UP_AFTER_MS:
            later = now_ms + LOOKS_AGAIN_AFTER_MS
            self._tools.queue.keep(msgspec.structs.replace(due, look_at_ms=later, part=0, done=0, waits=False))
        elif due.waits:
            self._open(Case(f"{UNDECIDED}-{due.paper}", UNDECIDED, now_ms, detail=f"return {due.paper}"))
        self._tools.queue.drop(due)
        self._done.papers += 1

    def _that_came(self, things: list[UnitRef], part: Movement) -> list[UnitRef]:
        """Those that by all paper were there to be given back. What lies in the same pack and was moved by the same
        papers goes by its first."""
        came: dict[tuple[UnitRef | None, frozenset[str]], bool] = {}
        found: list[UnitRef] = []
        for thing in things:
            ranges = self._movements.ranges(thing.batch_no)
            papers = frozenset(one.movement_id for one in ranges if one.start <= thing.index < one.stop)
            alike = self._packing.parent_of(thing, part.at_ms), papers
            if alike not in came:
                came[alike] = self._came(thing, part)
            found += [thing] if came[alike] else []
        return found

    def _came(self, thing: UnitRef, part: Movement) -> bool:
        told = movements_on(thing, self._packing, self._movements)
        steps = follow(told, lambda party, above: stands_below(self._tools.party_of, party, above)).steps
        return any(step.status == "returned" and step.movement_id == part.movement_id for step in steps)

    def _take(self, part: Movement, return_id: str, things: list[UnitRef]) -> bool:
        """Whether anything waits."""
        counts = self._counts(things, part.at_ms)
        waits = False
        for reward in self._rewards(counts, part.at_ms):
            ref = CodeRef.from_key(reward.ref)
            thing = UnitRef(ref.batch_no, ref.index)
            if reward.state is State.PAID:
                self._claw(reward, return_id, counts[thing], self._size(thing, part.at_ms))
            else:
                waits = waits or reward.state not in FINAL
        return waits

    def _counts(self, things: list[UnitRef], at_ms: int) -> Counter[UnitRef]:
        """How many units of each thing came back: what came itself, what is in it, and what it was in."""
        counts: Counter[UnitRef] = Counter()
        for thing in things:
            _, *above = chain_of(self._packing, thing, at_ms)
            for pack in above:
                counts[pack] += self._size(thing, at_ms)
            for inner in self._all_of(thing, at_ms):
                counts[inner] += self._size(inner, at_ms)
        return counts

    def _all_of(self, thing: UnitRef, at_ms: int) -> Iterator[UnitRef]:
        yield thing
        for span in self._packing.children_of(thing, at_ms):
            for index in range(span.start, span.stop):
                yield from self._all_of(UnitRef(span.batch_no, index), at_ms)

    def _size(self, thing: UnitRef, at_ms: int) -> int:
        """Its units; a unit and an empty pack are one."""
        if thing not in self._sizes:
            spans = self._packing.children_of(thing, at_ms)
            inside = (UnitRef(span.batch_no, index) for span in spans for index in range(span.start, span.stop))
            self._sizes[thing] = sum(self._size(one, at_ms) for one in inside) or 1
        return self._sizes[thing]

    def _rewards(self, counts: Counter[UnitRef], at_ms: int) -> list[Reward]:
        """What claims before the return had credited, or will, to accounts."""
        wanted = [reward_id for thing in sorted(counts) for reward_id in self._ids(thing)]
        found: list[Reward] = []
        for at in range(0, len(wanted), _READ):
            held = self._tools.ledger.get_many(wanted[at : at + _READ])
            found += [one for one in held.values() if one.kind == ACCRUAL and one.claimed_at_ms <= at_ms]
        return sorted(found, key=lambda one: one.reward_id)

    def _ids(self, thing: UnitRef) -> Iterator[str]:
        view = self._tools.catalog.batch(thing.batch_no)
        release = view.release_of(thing.index) if view else None
        if view is None or release is None or not release.campaign_id:
            return
        versions = self._tools.catalog.campaign_versions(release.campaign_id)
        fixed = {(one.no, one.beneficiary) for version in versions for one in version.effects}
        ruled = {(one.no, one.beneficiary) for version in versions for one in version.rule_set.slots}
        for role in view.batch.roles:
            ref = CodeRef(thing.batch_no, thing.index, role)
            for number, beneficiary in sorted(fixed | ruled):
                if beneficiary != "consumer":
                    yield ids.reward_id(ref, release.campaign_id, number, beneficiary)

    def _claw(self, reward: Reward, return_id: str, units: int, size: int) -> None:
        before = self._tools.books.clawed(reward.reward_id)
        if before is not None and return_id in before.returns:
            return
        total = before.total if before else size
        units = min(units, total - (before.returned if before else 0))
        if units < 1:
            return  # all of it came back before: the same goods went out again, and earned nothing since
        now_ms = self._tools.clock_ms()
        try:
            claw_back(reward, Return(return_id, units, total), self._tools.books, now_ms)
        except ConflictError as refused:  # people take it back, or let it be; the return goes on
            kind = BELOW_LIMIT if refused.code == BELOW_LIMIT else UNDECIDED
            detail = f"{units} of {total} units, return {return_id}: {refused.code}"
            name = f"{kind}-{reward.reward_id}-{return_id}"
            self._open(Case(name, kind, now_ms, reward_id=reward.reward_id, detail=detail))
            return
        self._done.taken += 1

    def _open(self, case: Case) -> None:
        if self._tools.ledger.open_case(case):
            self._done.cases.append(case.case_id)


def _parts(flow: DocumentTable, paper: str) -> Iterator[Movement]:
    """A return's parts as stored."""
    whole = flow.value(f"{DOCUMENTS[RETURN]}#{paper}", "meta", Movement)
    if whole is not None:
        yield whole
        return
    number = 1
    while (part := flow.value(f"{DOCUMENTS[RETURN]}#{paper}-{number}", "meta", Movement)) is not None:
        yield part
        number += 1
