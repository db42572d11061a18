"""Goods on the move: shipments, receipts, returns, and what they say together about where a thing should be. Pure.

Every movement names a range of one batch, at the level at which it was declared; `domain/whereabouts.py` collects those
of a thing's whole chain. What does not fit is a finding, never an error: paper and goods part on every real road.
"""

import bisect
import heapq
from collections.abc import Callable, Iterable

import msgspec

from uncap.domain.catalog import Shipment

SHIPMENT, RECEIPT, RETURN = "shipment", "receipt", "return"
_ORDER = {SHIPMENT: 0, RECEIPT: 1, RETURN: 2}

Below = Callable[[str, str], bool]
"""below(party, above): does `party` stand under `above` in the channel tree, at any depth?"""


class Movement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One declared movement of the things `start..stop` of a batch.

    `party` is where they go (shipment), who has them (receipt), or who gets them back (return; "" is the brand).
    `from_party` gives them: of a return always, of a shipment where it was said. `document` is the paper all its parts
    share; `source` how it was declared (console, scan). `voided` says why it was cancelled, "" while it stands.
    """

    kind: str
    movement_id: str
    batch_no: int
    start: int
    stop: int
    party: str
    at_ms: int
    from_party: str = ""
    document: str = ""
    source: str = ""
    reason: str = ""
    recorded_at_ms: int = 0
    voided: str = ""
    version: int = 1

    @property
    def paper(self) -> str:
        """What it was declared under."""
        return self.document or self.movement_id


class Void(msgspec.Struct, frozen=True):
    """The entry that cancels a movement. It stands beside it; neither is ever changed."""

    movement_id: str
    reason: str
    at_ms: int
    by: str


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """From `since_ms` on the thing is to be at `party` ("" is where it was made).

    `status`: origin | shipped (on its way there) | received | returned (on its way back). `shipment` answers for its
    being there; none after a return to someone it was never shipped to, and where only a receipt speaks.
    """

    status: str
    party: str = ""
    since_ms: int = 0
    movement_id: str = ""
    shipment: Movement | None = None


FINDINGS = frozenset(
    (
        "shipped_again",
        "shipped_from_elsewhere",
        "sent_by_other",
        "received_twice",
        "receipt_without_shipment",
        "onward_leg_missing",
        "received_on_the_way",
        "received_elsewhere",
        "return_without_shipment",
    )
)
"""What they mean: docs/goods.md."""


class Finding(msgspec.Struct, frozen=True):
    """A movement that does not fit, by one of FINDINGS. `expected`: the party the goods were at by earlier paper."""

    code: str
    movement_id: str
    party: str
    at_ms: int
    expected: str = ""


ORIGIN = Step("origin")


class Story(msgspec.Struct, frozen=True):
    """What a thing's movements came to, oldest first; `steps` begins with its origin."""

    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]

    @property
    def place(self) -> Step:
        """Where it is to be after all of them."""
        return self.steps[-1]

    def at(self, at_ms: int) -> Step:
        """Where it was to be at a past moment."""
        return next((step for step in reversed(self.steps) if step.since_ms <= at_ms), ORIGIN)

    @property
    def shipped(self) -> bool:
        """Has it left the brand by a shipment that still answers for it?"""
        return self.place.shipment is not None


def movement_of(shipment: Shipment) -> Movement:
    """A stored shipment as a movement."""
    return Movement(
        SHIPMENT,
        shipment.shipment_id,
        shipment.batch_no,
        shipment.start,
        shipment.stop,
        shipment.to_party,
        shipment.shipped_at_ms,
        from_party=shipment.from_party,
        document=shipment.document,
    )


def shipment_of(movement: Movement) -> Shipment:
    """The shipment in a movement of that kind."""
    return Shipment(
        movement.movement_id,
        movement.batch_no,
        movement.start,
        movement.stop,
        movement.party,
        movement.at_ms,
        from_party=movement.from_party,
        document=movement.document,
    )


def follow(movements: Iterable[Movement], below: Below, at_ms: int | None = None) -> Story:
    """The story of one thing from every movement that moved it, in any order; as of `at_ms` where given.

    Movements of one moment count shipment, receipt, return, then by id. A cancelled one never happened.
    """
    teller = _Teller(below)
    for one in sorted(movements, key=_moment):
        if not one.voided and (at_ms is None or one.at_ms <= at_ms):
            teller.tell(one)
    return Story(tuple(teller.steps), tuple(teller.findings))


def _moment(one: Movement) -> tuple[int, int, str]:
    return one.at_ms, _ORDER[one.kind], one.movement_id


class _Teller:
    """Tells movements one after another, each against what the ones before it came to."""

    def __init__(self, below: Below) -> None:
        self._below = below
        self.steps: list[Step] = [ORIGIN]
        self.findings: list[Finding] = []
        self._told: set[tuple[str, str]] = set()

    def tell(self, one: Movement) -> None:
        # One paper may name a pallet and a case on it: the thing moved once.
        if (one.kind, one.paper) in self._told:
            return
        self._told.add((one.kind, one.paper))
        {SHIPMENT: self._ship, RECEIPT: self._receive, RETURN: self._give_back}[one.kind](one)

    def _ship(self, one: Movement) -> None:
        at = self.steps[-1]
        here = at.party
        if here and one.party == here:
            if at.shipment is not None:
                self._find("shipped_again", one)
            else:  # the paper that was missing when they were received
                self._step(at.status if at.status == "received" else "shipped", one, one)
            return
        if here and not self._below(one.party, here):
            self._find("shipped_from_elsewhere", one)
        elif here and one.from_party and one.from_party != here:
            self._find("sent_by_other", one)
        # The latest paper counts, fitting or not: it is what people acted on.
        self._step("shipped", one, one)

    def _receive(self, one: Movement) -> None:
        here = self.steps[-1]
        if one.party == here.party:
            if here.status == "received":
                self._find("received_twice", one)
            else:
                self._step("received", one, here.shipment)
        elif not here.party:
            self._find("receipt_without_shipment", one)
            self._step("received", one, None)
        elif self._below(one.party, here.party):
            self._find("onward_leg_missing", one)
            self._step("received", one, here.shipment)
        else:
            on_the_way = self._below(here.party, one.party)
            self._find("received_on_the_way" if on_the_way else "received_elsewhere", one)

    def _give_back(self, one: Movement) -> None:
        here = self.steps[-1].party
        if not here or not (one.from_party == here or self._below(here, one.from_party)):
            self._find("return_without_shipment", one)
            return
        before = next((step for step in reversed(self.steps) if step.party == one.party and one.party), ORIGIN)
        self._step("returned", one, before.shipment)

    def _step(self, status: str, one: Movement, shipment: Movement | None) -> None:
        self.steps.append(Step(status, one.party, one.at_ms, one.movement_id, shipment))

    def _find(self, code: str, one: Movement) -> None:
        expected = self.steps[-1].party
        self.findings.append(Finding(code, one.movement_id, one.from_party or one.party, one.at_ms, expected))


class MovementMap:
    """The movements of one batch, flattened once: which of them cover an index is one binary search."""

    def __init__(self, movements: Iterable[Movement]) -> None:
        ordered = sorted((one for one in movements if one.start < one.stop), key=lambda one: one.start)
        self.cuts: list[int] = sorted({edge for one in ordered for edge in (one.start, one.stop)})
        self._covering: list[tuple[Movement, ...]] = []
        live: list[tuple[int, int]] = []  # (stop, position): the first to end is on top
        upcoming = 0
        for cut in self.cuts:
            while upcoming < len(ordered) and ordered[upcoming].start <= cut:
                heapq.heappush(live, (ordered[upcoming].stop, upcoming))
                upcoming += 1
            while live and live[0][0] <= cut:
                heapq.heappop(live)
            self._covering.append(tuple(sorted((ordered[at] for _, at in live), key=_moment)))

    def covering(self, index: int) -> tuple[Movement, ...]:
        """Every movement of this index, oldest first."""
        at = self.stretch_of(index)
        return self._covering[at] if at >= 0 else ()

    def stretch_of(self, index: int) -> int:
        """A number that all indices with the same movements around this one share; -1 before the first."""
        return bisect.bisect_right(self.cuts, index) - 1

    def stretches(self, start: int, stop: int) -> list[tuple[int, int]]:
        """`start..stop` cut where the set of covering movements changes."""
        inner = self.cuts[bisect.bisect_right(self.cuts, start) : bisect.bisect_left(self.cuts, stop)]
        return list(zip([start, *inner], [*inner, stop], strict=True))
