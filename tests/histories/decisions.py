"""Decisions, counts and people of the harness, each write atomic. See `stores.py`."""

from collections.abc import Mapping, Sequence

import msgspec

from tests.histories.stores import those
from tests.histories.world import World
from uncap.domain.campaigns.counting import Tally
from uncap.domain.campaigns.facts import Decision
from uncap.domain.campaigns.ports import Member
from uncap.domain.errors import ConflictError


class FakeMembers:
    """MemberReader."""

    def __init__(self, members: Mapping[str, Member]) -> None:
        self._members = members

    def member(self, person: str) -> Member | None:
        return self._members.get(person)


class FakeDecisions:
    """DecisionStore in memory: one atomic write each. A slot that is decided otherwise than before is a violation."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.items: dict[tuple[str, str], Decision] = {}
        self.counts: dict[str, Tally] = {}

    def read(self, ref: str, campaign_id: str) -> Decision | None:
        return self.world.call(lambda: self.items.get((ref, campaign_id)), "decided?", ref)

    def read_many(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Decision]:
        return self.world.call(lambda: {key: self.items[key] for key in keys if key in self.items})

    def tallies(self, keys: Sequence[str]) -> Mapping[str, Tally]:
        return self.world.call(lambda: those(keys, self.counts))

    def decide(self, decision: Decision, tallies: Mapping[str, Tally]) -> Decision:
        return self.world.call(lambda: self._write(decision, tallies, 0), "decide", decision.ref)

    def complete(self, old: Decision, new: Decision, tallies: Mapping[str, Tally]) -> Decision:
        done = msgspec.structs.replace(new, rev=old.rev + 1)
        return self.world.call(lambda: self._write(done, tallies, old.rev), "complete", done.ref)

    def _write(self, decision: Decision, tallies: Mapping[str, Tally], expected: int) -> Decision:
        key = (decision.ref, decision.campaign_id)
        stored = self.items.get(key)
        if (stored.rev if stored else 0) != expected and stored is not None:
            return stored
        if any(self.counts.get(name, Tally()).rev != tally.rev - 1 for name, tally in tallies.items()):
            raise ConflictError("tally_moved", "the fake's condition failed")
        if stored is not None and not set(stored.picks) <= set(decision.picks):
            self.world.violated(f"{decision.ref} was decided again")
        self.items[key] = decision
        self.counts |= tallies
        return decision
