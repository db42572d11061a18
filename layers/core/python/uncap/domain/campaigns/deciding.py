"""From a claim's facts to what fills each slot: the one function behind granting, explaining and simulating. Pure.

Per slot the matching rule of the highest precedence wins, then the unconditional effect (ADR 0017).
"""

from collections.abc import Iterable
from typing import NamedTuple

from uncap.domain.campaigns.facts import Facts, Pick
from uncap.domain.campaigns.index import CompiledRule, Rank, RuleIndex
from uncap.domain.campaigns.matching import Seen
from uncap.domain.campaigns.reference import Slot
from uncap.domain.catalog import Effect

UNCONDITIONAL, NOTHING = 0, -1
"""Rule numbers of picks that no rule made."""
_LAST: Rank = (0, 0)


class Winner(NamedTuple):
    """What holds a slot so far."""

    rank: Rank
    rule_no: int
    effect: Effect


class Decided(NamedTuple):
    """`picks` in order of slots; `open`: slots that a rule might still take once the goods' place is known.

    `tried`: rules the claim might have matched, with whether it did, best rank first.
    """

    picks: tuple[Pick, ...]
    open: tuple[Slot, ...]
    tried: list[tuple[CompiledRule, bool]]
    seen: Seen


def decide(effects: Iterable[Effect], index: RuleIndex, facts: Facts, *, final: bool = False) -> Decided:
    """What the claim founds. `final`: the place in the channel will not become known any more.

    Every consumer's slot gets a pick, NOTHING where nothing matched: the person is waiting for an answer. Other
    beneficiaries' slots appear only where something matched.
    """
    seen, candidates = index.candidates(facts)
    tried = [(one, one.matches(seen)) for one in candidates]
    won: dict[Slot, Winner] = {}
    for one, matched in tried:
        if matched:
            for slot, effect in zip(one.slots, one.rule.effects, strict=True):
                won.setdefault(slot, Winner(one.rank, one.rule.no, effect))
    slots = set(index.slots)
    for effect in effects:
        slot = Slot(effect.no, effect.beneficiary)
        slots.add(slot)
        won.setdefault(slot, Winner(_LAST, UNCONDITIONAL, effect))
    open_slots = () if final or facts.shipped else tuple(sorted(_undecided(index, won)))
    wanted = [slot for slot in sorted(slots) if slot in won or slot.beneficiary == "consumer"]
    picks = tuple(_pick(slot, won.get(slot), facts) for slot in wanted if slot not in open_slots)
    return Decided(picks, open_slots, tried, seen)


def _undecided(index: RuleIndex, won: dict[Slot, Winner]) -> Iterable[Slot]:
    """Slots that a rule which asks for the place could take from whoever holds them now."""
    return (slot for slot, rank in index.place_ranks.items() if slot not in won or rank < won[slot].rank)


def _pick(slot: Slot, winner: Winner | None, facts: Facts) -> Pick:
    if winner is None or (facts.excluded and slot.beneficiary == "consumer"):
        return Pick(slot.no, slot.beneficiary, NOTHING)
    return Pick(slot.no, slot.beneficiary, winner.rule_no, winner.effect.kind, winner.effect.prize_id)
