"""Why a claim came to what it did: the rules it met, what each lacked, which precedence beat it. Pure.

Calls the very function that grants (`deciding.decide`). Used by `services/explain_claim.py` and `uncap campaign`.
"""

from collections.abc import Iterable

import msgspec

from uncap.domain.campaigns.deciding import decide
from uncap.domain.campaigns.draws import DRAWN
from uncap.domain.campaigns.facts import Facts, Pick
from uncap.domain.campaigns.index import RuleIndex
from uncap.domain.campaigns.reference import Slot
from uncap.domain.catalog import Campaign

MAX_TRACES = 200


class Lost(msgspec.Struct, frozen=True):
    """A slot that went to another rule, and that one's precedence."""

    no: int
    beneficiary: str
    to_rule: int
    precedence: int


class RuleTrace(msgspec.Struct, frozen=True):
    """One rule: whether it matched, which of its fields did not hold, which slots it won or lost."""

    rule_no: int
    name: str
    precedence: int
    matched: bool
    missed: tuple[str, ...] = ()
    won: tuple[Slot, ...] = ()
    lost: tuple[Lost, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """What fills a slot. `party` is "" where it is the consumer or not known; `rule_no` 0: for every claim."""

    no: int
    beneficiary: str
    rule_no: int
    kind: str
    prize_id: str
    amount_minor: int
    party: str


class Explanation(msgspec.Struct, frozen=True):
    """`rules` are all the version has, `considered` those the index found; `waiting`: slots still open."""

    campaign: str
    facts: Facts
    rules: int
    considered: int
    traces: tuple[RuleTrace, ...]
    outcomes: tuple[Outcome, ...]
    waiting: tuple[Slot, ...]


def explain(
    campaign: Campaign, index: RuleIndex, facts: Facts, *, final: bool = False, ask: Iterable[int] = ()
) -> Explanation:
    """The explanation; `ask` adds rules by number that the index did not even consider. At most 200 are traced."""
    decided = decide(campaign.effects, index, facts, final=final)
    by_slot = {pick.slot: pick for pick in decided.picks}
    tried = {one.rule.no: one for one, _ in decided.tried[:MAX_TRACES]}
    tried |= {no: index.rules[no] for no in ask if no in index.rules}
    traces = []
    for one in sorted(tried.values(), key=lambda rule: rule.rank):
        missed = one.misses(decided.seen)
        held = () if missed else one.slots
        won = tuple(slot for slot in held if slot in by_slot and by_slot[slot].rule_no == one.rule.no)
        lost = tuple(_lost(by_slot[slot], index) for slot in held if slot in by_slot and slot not in won)
        traces.append(RuleTrace(one.rule.no, one.rule.name, one.rule.precedence, not missed, missed, won, lost))
    return Explanation(
        campaign=f"{campaign.campaign_id}@{campaign.version}",
        facts=facts,
        rules=len(index.rules),
        considered=len(decided.tried),
        traces=tuple(traces),
        outcomes=tuple(outcome_of(pick, campaign, facts) for pick in decided.picks),
        waiting=decided.open,
    )


def outcome_of(pick: Pick, campaign: Campaign, facts: Facts) -> Outcome:
    """A pick with the worth of its prize; what is laid or drawn depends on the code and is 0 here."""
    fixed = pick.prize_id and pick.kind != DRAWN
    amount = campaign.prize(pick.prize_id).amount_minor if fixed else 0
    party = facts.party(pick.beneficiary)
    return Outcome(pick.no, pick.beneficiary, pick.rule_no, pick.kind, pick.prize_id, amount, party)


def _lost(pick: Pick, index: RuleIndex) -> Lost:
    winner = index.rules.get(pick.rule_no)
    return Lost(pick.no, pick.beneficiary, pick.rule_no, winner.rule.precedence if winner else 0)
