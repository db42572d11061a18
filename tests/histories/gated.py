"""The wing of the risk gate: bursts of claims through relay containers that share what they see; people review them.

Only one person's speed counts here, with everything shared from the first claim on: then it is exact who is held.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.histories.campaigns import CODES
from tests.histories.wings import Wing
from tests.histories.world import Killed, World
from uncap.domain.catalog import Role
from uncap.domain.errors import UncapError
from uncap.domain.rewards.reward import State
from uncap.domain.risk import RISK_REVIEW, SIGNALS, RiskRules, Verdict
from uncap.domain.scans import CodeRef, Mark
from uncap.services.grant_rewards import Granter
from uncap.services.judge_risk import Goods, RiskGate

if TYPE_CHECKING:
    from tests.histories.history import History

FAST = 3
DAY_MS = 86_400_000
OTHERS = {f"{name}_weight": 0 for name in SIGNALS if name != "fast"}
RULES = RiskRules(fast=FAST, share_from=1, **OTHERS)


class SharedSets:
    """`SharedWindows`: sets that only grow, one write each."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sets: dict[str, set[str]] = defaultdict(set)

    def add(self, key: str, entries: Sequence[str], expires_at_s: int) -> Collection[str]:
        return self.world.call(lambda: self._add(key, entries), "share", key, *entries)

    def _add(self, key: str, entries: Sequence[str]) -> tuple[str, ...]:
        self.sets[key].update(entries)
        return tuple(sorted(self.sets[key]))


class WatchedGate(RiskGate):
    """The production gate; what it finds of each claim is remembered, whatever becomes of its container."""

    def __init__(self, wing: "GatedWing") -> None:
        super().__init__(wing.history.payouts.catalog, {"*": RULES}, wing.shared)
        self._wing = wing

    def judge(self, ref: CodeRef, claim: Mark, campaign_id: str, goods: Goods) -> Verdict:
        verdict = super().judge(ref, claim, campaign_id, goods)
        self._wing.found[ref.key()].append(verdict.held)
        return verdict


class GatedWing(Wing):
    """Relay containers with the gate, and a person who is quicker than people are."""

    def __init__(self, history: "History") -> None:
        super().__init__(history)
        self.shared = SharedSets(self.world)
        self.found: dict[str, list[bool]] = defaultdict(list)
        """By claim: whether each judgement held it."""
        self.idle: list[Granter] = []
        self.containers = 0

    def happenings(self) -> list[Callable[[], object]]:
        return [*[self._burst] * 6, *[self.history._relay] * 10, *[self.history._human] * 3]

    @contextmanager
    def relay(self) -> Iterator[Granter]:
        granter = self.idle.pop() if self.idle else self._started()
        try:
            yield granter
        except Killed:
            raise  # and what it remembered is gone
        except BaseException:
            self.idle.append(granter)
            raise
        else:
            self.idle.append(granter)

    def _started(self) -> Granter:
        self.containers += 1
        return dataclasses.replace(self.history.granter, gate=WatchedGate(self))

    def _burst(self) -> None:
        """One person, one code after another."""
        person, codes = f"p{self.world.random.randrange(2)}", self.world.random.sample(range(CODES), 6)
        for index in codes:
            try:
                self.history.people.claim(person, CodeRef(7, index, Role.CAP_INNER))
            except UncapError as cause:
                self.world.note("a claim of the burst failed:", cause.code)

    def problems(self) -> list[str]:
        """Nothing held goes out but by two people, and nobody is quicker than the gate."""
        wrong = []
        for one in self.history.ledger.items.values():
            born = self.history.ledger.born[one.reward_id]
            reviewed = born.reason.startswith(RISK_REVIEW) or all(self.found[one.ref])
            went_out = one.state is State.PAID or one.attempt is not None
            let_go = born.state is State.NONE or one.reward_id in self.history.office.released
            if reviewed and went_out and not let_go:
                wrong.append(f"{one.reward_id} was held for review and went out without two people")
        return wrong + self._too_quick()

    def _too_quick(self) -> list[str]:
        """Of n claims within the window all but the first few are held. A container that has seen one claim of a person
        keeps it to itself until the next, so each may miss one."""
        claims: dict[tuple[str, int], list[tuple[int, bool]]] = defaultdict(list)
        for image in self.history.scans.images.values():
            first = image.first
            if first is not None and first.form == "claim":
                claims[first.person, first.at_ms // DAY_MS].append((first.at_ms, any(self.found[image.pk])))
        wrong = []
        for (person, _), found in claims.items():
            for start, _ in found:
                within = [held for at, held in found if start <= at <= start + RULES.fast_ms]
                if sum(within) < len(within) - (FAST - 1) - (self.containers - 1):
                    wrong.append(f"{person} claimed {len(within)} codes at once and {sum(within)} were held")
        return wrong
