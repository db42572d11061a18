"""Claims judged as they come by, from windows kept in memory: the relay's gate before any reward exists (ADR 0026).

A container sees its part of the stream; what looks like more than a purchase it shares (`risk_windows.py`). What is
held is written with the reward's own first put, and a repeated claim is not counted twice.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.domain.campaigns.places import BOTTLE_ROLES, case_of
from uncap.domain.catalog import Party
from uncap.domain.rewards.granting import Ground, rewards_of
from uncap.domain.rewards.ports import Channel
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.states import AWAITING_ASSOCIATION, AWAITING_SHIPMENT
from uncap.domain.risk import NO_RISK, Evidence, RiskRules, Rules, Verdict, rules_of, weigh
from uncap.domain.scans import CodeRef, Mark
from uncap.services.find_case import CaseOf
from uncap.services.risk_windows import BEYOND, DAY_MS, FOREIGN, OWN, Remembered, RiskWindows, SharedWindows


class RiskRank(Protocol):
    """The payout rail's own opinion of a person, 0 (none) to 4 (certain abuse)."""

    def rank(self, claim: Mark) -> int:
        """0 where the rail does not know the person, or does not answer in time: never waits long, never raises."""
        ...


class Goods(msgspec.Struct, frozen=True):
    """What paper says of the goods of a claim. `place`: the index whose packing counts; None: the code's own."""

    channel: Channel = Channel()
    place: int | None = None


class RiskGate:
    """One container's windows, and with `shared` what others saw of the same people and cases."""

    def __init__(
        self,
        catalog: Catalog,
        rules: Rules,
        shared: SharedWindows | None = None,
        ranks: RiskRank | None = None,
        *,
        case_of: CaseOf = case_of,
        party_of: Callable[[str], Party | None] = lambda _: None,
    ) -> None:
        """`case_of` names a unit's pack, `party_of` reads an outlet."""
        self._catalog, self._rules, self._ranks = catalog, rules, ranks
        self._case_of, self._party_of = case_of, party_of
        self._windows = RiskWindows(shared)
        self._judged: Remembered[Verdict] = Remembered()
        self._lock = threading.RLock()

    def judge(self, ref: CodeRef, claim: Mark, campaign_id: str, goods: Goods) -> Verdict:
        """The verdict on a first claim. Raises TransientError: judge it again, it is not counted twice."""
        rules = rules_of(self._rules, campaign_id)
        if rules is None:
            return NO_RISK
        with self._lock:
            known = self._judged.get(ref.key())
            if known is not None:
                return known
            seen = self._evidence(ref, claim, rules, goods)
            verdict = weigh(seen, rules)
            if self._ranks is not None and verdict.score and not verdict.held:
                verdict = weigh(msgspec.structs.replace(seen, rank=self._ranks.rank(claim)), rules)
            return self._judged.keep(ref.key(), verdict)

    def verdict(self, ref: str) -> Verdict | None:
        """What was found of a claim's code (CodeRef.key()) a moment ago."""
        return self._judged.get(ref)

    def _evidence(self, ref: CodeRef, claim: Mark, rules: RiskRules, goods: Goods) -> Evidence:
        at_ms, case, name = claim.at_ms, self._case(ref, goods), ref.key()
        about, windows = f"{case}|{0 if goods.channel.shipped else 1}", self._windows
        mine = windows.seen("person", claim.person, f"{at_ms}|{name}|{about}", DAY_MS, rules)
        there = windows.seen("case", case, f"{at_ms}|{claim.person}", rules.crowd_ms, rules) if case else []
        here = windows.seen("device", claim.device, f"{at_ms}|{claim.person}", DAY_MS, rules) if claim.device else []
        cases = Counter(one[2] for one in mine)
        seen = Evidence(
            fast=sum(abs(at_ms - int(one[0])) <= rules.fast_ms for one in mine),
            today=len(mine),
            scattered=sum(number == 1 for number in cases.values()) if case else 0,
            crowd=len({one[1] for one in there}),
            device=len({one[1] for one in here}),
            in_order=windows.run_up_to(ref, at_ms, rules.in_order_ms),
            batch=self._of_batch(ref, at_ms, rules),
            unshipped=sum(one[3] == "1" for one in mine),
        )
        return self._with_outlet(seen, ref, claim, rules, goods.channel) if claim.outlet else seen

    def _with_outlet(self, seen: Evidence, ref: CodeRef, claim: Mark, rules: RiskRules, channel: Channel) -> Evidence:
        """With what the outlet that opens this has opened today, and whether it was to have it."""
        sent_to = OWN if channel.outlet == claim.outlet else FOREIGN if channel.outlet else BEYOND
        # Where receipts are recorded, goods that are not in the outlet's hands by one are not yet its to open.
        unreceived = channel.received is not None and not (sent_to == OWN and channel.received)
        party = self._party_of(claim.outlet)
        marks = f"{int(unreceived)}|{int(is_new(party, claim.at_ms, rules))}"
        entry = f"{claim.at_ms}|{ref.key()}|{sent_to}|{marks}"
        opened = self._windows.seen("outlet", claim.outlet, entry, DAY_MS, rules)
        sent = Counter(one[2] for one in opened)
        return msgspec.structs.replace(
            seen,
            opened=len(opened),
            foreign=sent[FOREIGN],
            beyond=sent[BEYOND] if sent[OWN] else 0,  # else paper does not reach down to outlets
            unreceived=sum(one[3] == "1" for one in opened),
            new_outlet=sum(one[4] == "1" for one in opened),
        )

    def _of_batch(self, ref: CodeRef, at_ms: int, rules: RiskRules) -> int:
        view = self._catalog.batch(ref.batch_no)
        number = self._windows.of_batch(ref.batch_no, at_ms, rules.batch_ms)
        return number if view and number * 1_000 >= rules.batch_permille * view.batch.size else 0

    def _case(self, ref: CodeRef, goods: Goods) -> str:
        """Of a bottle, as packed; by roll order where cases have no codes, which only ever makes them look mixed."""
        view = self._catalog.batch(ref.batch_no)
        if view is None or ref.role not in BOTTLE_ROLES:
            return ""
        index, batch = ref.index if goods.place is None else goods.place, view.batch
        if batch.case_batch_no:
            return self._case_of(batch, index, ref.role)
        return f"{ref.batch_no}.{index // batch.units_per_case}" if batch.units_per_case else ""


def is_new(outlet: Party | None, at_ms: int, rules: RiskRules) -> bool:
    """Nobody has visited it, or it was registered a moment before this claim."""
    if outlet is None:
        return False
    return outlet.provisional or (outlet.registered_at_ms > 0 and at_ms - outlet.registered_at_ms < rules.new_outlet_ms)


def reviewed(gate: RiskGate | None, ref: CodeRef, claim: Mark, ground: Ground) -> tuple[Reward, ...]:
    """The claim's rewards, held where the gate finds it suspicious; as they are without a gate."""
    rewards = rewards_of(ref, claim, ground)
    if gate is None:
        return rewards
    goods = Goods(ground.channel, ground.release.drawn_as(ref.index))
    return held_for_review(rewards, gate.judge(ref, claim, ground.campaign.campaign_id, goods))


def judged(gate: RiskGate | None, reward: Reward) -> Reward:
    """A drawn prize under the verdict that its claim was given when it was planned."""
    verdict = gate.verdict(reward.ref) if gate else None
    return held_for_review((reward,), verdict)[0] if verdict else reward


def held_for_review(rewards: Sequence[Reward], verdict: Verdict) -> tuple[Reward, ...]:
    """The claim's rewards as they are to be put: nothing of a suspicious claim goes out by itself, for anybody.

    Who is not known yet is waited for first and reviewed then; what a person must decide anyway keeps its reason.
    """
    if not verdict.held:
        return tuple(rewards)
    return tuple(_held(one, verdict.reason) for one in rewards)


def _held(reward: Reward, reason: str) -> Reward:
    if reward.state is State.HELD and reward.reason == AWAITING_ASSOCIATION:
        return msgspec.structs.replace(reward, review=reason)
    waits = reward.state is State.HELD and reward.reason == AWAITING_SHIPMENT
    if reward.state is not State.PENDING and not waits:
        return reward
    return msgspec.structs.replace(reward, state=State.HELD, reason=reason, due_at_ms=0)
