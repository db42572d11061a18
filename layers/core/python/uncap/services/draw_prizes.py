"""Drawn slots are filled: draw, take a place in every budget line, or fall back, or nothing with its reason (ADR 0019).

Called by `grant_rewards.py`. Everything may be repeated: the reward and its places are one conditional write.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

import msgspec

from uncap.domain.campaigns.draws import DRAWN
from uncap.domain.campaigns.facts import moment
from uncap.domain.errors import TransientError
from uncap.domain.rewards.drawn import BLOCKED, Candidates, Choice, candidates_of
from uncap.domain.rewards.granting import Ground, picks_of
from uncap.domain.rewards.holds import HoldPlace, HoldRefusedError, HoldStore, Line, starting_shard
from uncap.domain.rewards.ports import LedgerStore
from uncap.domain.rewards.reward import Reward
from uncap.domain.scans import CodeRef, Mark

ATTEMPTS = 24
"""Conflicts with other writers before the claim is left to its next delivery."""
FULL_FOR_MS = 1_000
_LINES = 4_096


@dataclass
class Drawing:
    """What drawing needs. `key_of` gives a campaign's draw key, `blocked` whether a person or party may win nothing.

    `provide` makes sure, once per version ("id@version"), that the ledger has its budget.
    `pause(attempt)` waits a little, at random, after a conflict. `full` remembers for a second which lines were found
    full, so that a prize that is gone costs nobody a request; a place given back is found again after that.
    """

    store: HoldStore
    key_of: Callable[[str], bytes] = field(repr=False)
    blocked: Callable[[str], bool]
    clock_ms: Callable[[], int]
    pause: Callable[[int], None]
    provide: Callable[[str], None] = field(default=lambda _: None, repr=False)
    zone: tzinfo = UTC
    full: dict[str, int] = field(default_factory=dict, repr=False)


def drawn_slots(ref: CodeRef, claim: Mark, ground: Ground, drawing: Drawing) -> tuple[Candidates, ...]:
    """The candidates of each of the claim's drawn slots. PoisonError where the campaign contradicts itself."""
    picks = [pick for pick in picks_of(ground) if pick.kind == DRAWN]
    if not picks:
        return ()
    drawing.provide(f"{ground.campaign.campaign_id}@{ground.campaign.version}")
    key = drawing.key_of(ground.campaign.campaign_id)
    day, _, _ = moment(claim.at_ms, drawing.zone)
    return tuple(candidates_of(ref, claim, pick, ground, key, day) for pick in picks)


def fill(slot: Candidates, drawing: Drawing, ledger: LedgerStore, finish: Callable[[Reward], Reward]) -> Reward:
    """The slot's reward as stored, whoever stored it. `finish` is applied before it is put, to what is won.

    Raises TransientError: nothing was decided, repeat it.
    """
    reason = ""
    party = slot.nothing.party
    if slot.choices and party and drawing.blocked(party):
        reason = BLOCKED
    for choice in () if reason else slot.choices:
        given, why = _taken(choice, drawing, finish)
        if given is not None:
            return given
        reason = reason or why  # of the prize the claim was drawn for, not of what it fell back to
    return ledger.create(msgspec.structs.replace(slot.nothing, reason=reason or slot.nothing.reason))


def _taken(choice: Choice, drawing: Drawing, finish: Callable[[Reward], Reward]) -> tuple[Reward | None, str]:
    """The reward with a place in each line, or which line is full."""
    if why := _known_full(choice.lines, drawing):
        return None, why
    open_places = [_in_order(line.places(), choice.reward.reward_id) for line in choice.lines]
    for attempt in range(ATTEMPTS):
        # After a conflict the next shard is tried: whoever was there first is done with it sooner than we come back.
        chosen = [places[attempt % len(places)] for places in open_places]
        holds = tuple(place.key for place in chosen)
        try:
            return drawing.store.create_held(finish(msgspec.structs.replace(choice.reward, holds=holds)), chosen), ""
        except HoldRefusedError as refused:
            for at in refused.full:
                open_places[at] = _with_room(choice.lines[at], choice.reward.reward_id, drawing)
                if not open_places[at]:
                    _remember(choice.lines[at], drawing)
                    return None, choice.lines[at].reason
        except TransientError as cause:
            if cause.code != "hold_contended":
                raise
            drawing.pause(attempt)
    raise TransientError("budget_contended", "too many claims draw from one budget at this moment")


def _with_room(line: Line, reward_id: str, drawing: Drawing) -> list[HoldPlace]:
    places = line.places()
    taken = drawing.store.held([place.key for place in places])
    return _in_order([place for place in places if taken[place.key] < place.limit], reward_id)


def _in_order(places: Sequence[HoldPlace], reward_id: str) -> list[HoldPlace]:
    """Each reward begins somewhere else."""
    if not places:
        return []
    first = starting_shard(reward_id, len(places))
    return [*places[first:], *places[:first]]


def _known_full(lines: Sequence[Line], drawing: Drawing) -> str:
    now_ms = drawing.clock_ms()
    for line in lines:
        if drawing.full.get(_name(line), 0) > now_ms:
            return line.reason
    return ""


def _remember(line: Line, drawing: Drawing) -> None:
    if len(drawing.full) >= _LINES:
        drawing.full.clear()
    drawing.full[_name(line)] = drawing.clock_ms() + FULL_FOR_MS


def _name(line: Line) -> str:
    """A later version's higher limit is another matter."""
    return f"{line.key}<{line.limit}"
