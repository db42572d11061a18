"""Consumers of the harness: they claim through the production scan path, and ask again where no answer came."""

from collections import Counter
from datetime import UTC
from typing import NamedTuple, cast

from tests.histories.scans import FakeLimits, FakeScans
from tests.histories.world import World
from uncap.adapters.catalog import Catalog
from uncap.domain.catalog import Role
from uncap.domain.codes.scheme import FoundCode, Keyring
from uncap.domain.days import day_of
from uncap.domain.errors import LimitError
from uncap.domain.scans import CodeRef
from uncap.domain.sessions import Session
from uncap.services.claim_code import ScanDesk, ScanRequest, bound_claim_id, claim_code
from uncap.services.hot_codes import HotCodes

GTIN = "06901234567892"
_SLOT = 16


class Ask(NamedTuple):
    """One tap: the same for every retry."""

    person: str
    ref: CodeRef
    claim_id: str

    @property
    def bound(self) -> str:
        return bound_claim_id(self.person, self.ref, self.claim_id)


class PlainKeyring:
    """Serials of the harness are the code's key itself: what a cipher adds has tests of its own."""

    def identify(self, gtin: str, serial: str, roles: tuple[Role, ...]) -> FoundCode:
        return FoundCode(CodeRef.from_key(serial), 1)


class People:
    """Who asked for what, who was told to be first, and whose answer got lost."""

    def __init__(self, world: World, scans: FakeScans, limits: FakeLimits, catalog: Catalog) -> None:
        self.world, self.scans, self.limits = world, scans, limits
        self.unanswered: list[Ask] = []
        self.first: dict[str, str] = {}
        self.reserved: set[str] = set()
        """Slots that an unfinished try of a claim may hold; the claim can still be made with them."""
        self.orphans: set[str] = set()
        """Slots that a try may keep which ended without an answer beside another of the same claim that has, or will
        have, its answer: nobody asks for that one again (docs/adr/0025, "Known")."""
        self._flying: Counter[Ask] = Counter()
        self.refused = 0
        self._asked = 0
        keyring, hot = cast("Keyring", PlainKeyring()), HotCodes(world.clock_ms)
        self._desk = ScanDesk(lambda: keyring, catalog, scans, limits, hot, UTC)

    def claim(self, person: str, ref: CodeRef) -> None:
        """A new tap by this person on this code."""
        self._asked += 1
        self._ask(Ask(person, ref, f"tap{self._asked}"))

    def ask_again(self) -> None:
        """A client that got no answer sends the same again."""
        if self.unanswered:
            self._ask(self.unanswered[self.world.random.randrange(len(self.unanswered))])

    def _ask(self, ask: Ask) -> None:
        if ask not in self.unanswered:
            self.unanswered.append(ask)
        self._flying[ask] += 1
        try:
            self._send(ask)
        except BaseException:
            if self._flying[ask] > 1 or ask not in self.unanswered:
                self.orphans.add(ask.bound[:_SLOT])
            raise
        finally:
            self._flying[ask] -= 1

    def _send(self, ask: Ask) -> None:
        session = Session("h5", "d", 0, 0, ask.person, "sealed")
        request = ScanRequest(GTIN, ask.ref.key(), ask.claim_id)
        try:
            result = claim_code(self._desk, session, request, self.world.now_ms)
        except LimitError:
            self.refused += 1
            self._answered(ask)
            self.reserved.add(ask.bound[:_SLOT])
            return
        self._answered(ask)
        self.reserved.discard(ask.bound[:_SLOT])
        if result.outcome == "observed":
            self.reserved.add(ask.bound[:_SLOT])
        self._judge(ask, result.outcome)

    def _answered(self, ask: Ask) -> None:
        if ask in self.unanswered:  # two retries may be under way at once
            self.unanswered.remove(ask)

    def _judge(self, ask: Ask, outcome: str) -> None:
        known = self.first.get(ask.ref.key())
        if outcome == "first":
            if known not in (None, ask.bound):
                self.world.violated(f"two claims of {ask.ref.key()} were told to be first")
            self.first[ask.ref.key()] = ask.bound
        elif known == ask.bound:
            self.world.violated(f"the winner of {ask.ref.key()} was told {outcome} on a retry")

    def wrong_slots(self, per_day: int, per_campaign: int) -> list[str]:
        """What is wrong with the limits' counters, once everyone has been answered."""
        won: dict[str, set[str]] = {}
        for image in self.scans.images.values():
            if image.first is None:
                continue
            prefix, slot = f"{image.first.person}#spring#", image.first.claim_id[:_SLOT]
            for counter in (f"{prefix}all", f"{prefix}{day_of(image.first.at_ms, UTC)}"):
                won.setdefault(counter, set()).add(slot)
        wrong = []
        for counter, slots in won.items():
            limit = per_campaign if counter.endswith("#all") else per_day
            if limit and len(slots) > limit:
                wrong.append(f"{counter} holds {len(slots)} claims, its limit is {limit}")
            if limit and not slots <= self.limits.held[counter]:
                wrong.append(f"{counter} has a claim without a slot")
        for counter, held in self.limits.held.items():
            lost = held - won.get(counter, set()) - self.reserved - self.orphans
            if counter.endswith("#all") and lost:
                wrong.append(f"{counter} keeps {len(lost)} slots of claims that were lost")
        return wrong
