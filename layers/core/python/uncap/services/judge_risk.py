"""Claims judged as they come by, from windows kept in memory: the relay's gate before any reward exists (ADR 0026).

A container sees its part of the stream; what looks like more than a purchase it
shares. What is held is written with the reward's own first put, and a repeated claim is not counted twice.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Protocol, TypeVar

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.domain.rewards.granting import Ground, rewards_of
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.states import AWAITING_SHIPMENT
from uncap.domain.risk import Evidence, RiskRules, Verdict, weigh
from uncap.domain.scans import CodeRef, Mark

DAY_MS = 86_400_000
_SUBJECTS = 50_000
"""People, cases, outlets, codes remembered at most; the longest unseen goes first."""
_EACH = 256
ValueT = TypeVar("ValueT")


class RiskRank(Protocol):
    """The payout rail's own opinion of a person, 0 (none) to 4 (certain abuse); WeChat's is getUserRiskRank."""

    def rank(self, person: str) -> int:
        """0 where the rail does not know or does not answer in time: a rank alone never holds anybody."""
        ...


class SharedWindows(Protocol):
    """What containers tell each other; see adapters/risk_wire.py. Raises TransientError."""

    def add(self, key: str, entries: Sequence[str], expires_at_s: int) -> Collection[str]:
        """All entries under the key, these included. Adding one twice adds it once."""
        ...


class RiskGate:
    """One container's windows, and with `shared` what others saw of the same people and cases."""

    def __init__(
        self,
        catalog: Catalog,
        rules: Mapping[str, RiskRules],
        shared: SharedWindows | None = None,
        ranks: RiskRank | None = None,
    ) -> None:
        """`rules` by campaign id, "*" for all others."""
        self._catalog, self._rules, self._shared, self._ranks = catalog, rules, shared, ranks
        self._windows: OrderedDict[str, list[str]] = OrderedDict()
        self._runs: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._judged: OrderedDict[str, Verdict] = OrderedDict()
        self._lock = threading.RLock()

    def judge(self, ref: CodeRef, claim: Mark, campaign_id: str, *, shipped: bool, sent_to: str = "") -> Verdict:
        """The verdict on a first claim. `sent_to`: the outlet the goods were sent to, "" if unknown.

        Raises TransientError: judge it again, it is not counted twice.
        """
        rules = self._rules.get(campaign_id) or self._rules.get("*") or RiskRules()
        with self._lock:
            known = self._judged.get(ref.key())
            if known is not None:
                return known
            seen = self._evidence(ref, claim, rules, shipped=shipped, sent_to=sent_to)
            verdict = weigh(seen, rules)
            if self._ranks is not None and verdict.score and not verdict.held:
                verdict = weigh(msgspec.structs.replace(seen, rank=self._ranks.rank(claim.person)), rules)
            return _kept(self._judged, ref.key(), verdict)

    def verdict(self, ref: str) -> Verdict | None:
        """What was found of a claim's code (CodeRef.key()) a moment ago."""
        return self._judged.get(ref)

    def _evidence(self, ref: CodeRef, claim: Mark, rules: RiskRules, *, shipped: bool, sent_to: str) -> Evidence:
        at_ms, case, name = claim.at_ms, self._case(ref), ref.key()
        about = f"{case}|{0 if shipped else 1}"
        mine = self._window("person", claim.person, f"{at_ms}|{name}|{about}", DAY_MS, rules)
        there = self._window("case", case, f"{at_ms}|{claim.person}", rules.crowd_ms, rules) if case else []
        foreign: list[list[str]] = []
        if claim.outlet and sent_to and sent_to != claim.outlet:
            foreign = self._window("outlet", claim.outlet, f"{at_ms}|{name}", DAY_MS, rules)
        cases = Counter(one[2] for one in mine)
        return Evidence(
            fast=sum(abs(at_ms - int(one[0])) <= rules.fast_ms for one in mine),
            today=len(mine),
            scattered=sum(number == 1 for number in cases.values()) if case else 0,
            crowd=len({one[1] for one in there}),
            in_order=self._run(ref, at_ms, rules.in_order_ms),
            foreign=len(foreign),
            unshipped=sum(one[3] == "1" for one in mine),
        )

    def _window(self, kind: str, who: str, entry: str, within_ms: int, rules: RiskRules) -> list[list[str]]:
        """What was seen of a subject around this claim, this claim included, each entry split into its fields."""
        at_ms, key = int(entry.partition("|")[0]), f"risk#{kind}#{who}"
        before = [one for one in self._windows.get(key, ()) if _near(one, at_ms, within_ms)]
        known = [*before, entry] if entry not in before else before
        if self._shared is not None and _is_telling(kind, known, rules):
            news = [entry] if _is_telling(kind, before, rules) else known
            told = self._shared.add(f"{key}#{at_ms // DAY_MS}", news, at_ms // 1000 + 2 * DAY_MS // 1000)
            known = sorted({*known, *told})
        known = [one for one in known if _near(one, at_ms, within_ms)][-_EACH:]
        return [one.split("|") for one in _kept(self._windows, key, known)]

    def _run(self, ref: CodeRef, at_ms: int, within_ms: int) -> int:
        """How many codes in a row, up to this one, were claimed in the order they were printed."""
        when, length = self._runs.get(f"{ref.batch_no}.{ref.index - 1}", (0, 0))
        run = length + 1 if length and 0 <= at_ms - when <= within_ms else 1
        _kept(self._runs, f"{ref.batch_no}.{ref.index}", (at_ms, run))
        return run

    def _case(self, ref: CodeRef) -> str:
        """By roll order: approximate where codes were packed otherwise, which only ever makes cases look mixed."""
        view = self._catalog.batch(ref.batch_no)
        per_case = view.batch.units_per_case if view else 0
        return f"{ref.batch_no}.{ref.index // per_case}" if per_case else ""


def reviewed(gate: RiskGate | None, ref: CodeRef, claim: Mark, ground: Ground) -> tuple[Reward, ...]:
    """The claim's rewards, held where the gate finds it suspicious; as they are without a gate."""
    rewards = rewards_of(ref, claim, ground)
    if gate is None:
        return rewards
    channel = ground.channel
    verdict = gate.judge(ref, claim, ground.campaign.campaign_id, shipped=channel.shipped, sent_to=channel.outlet)
    return held_for_review(rewards, verdict)


def judged(gate: RiskGate | None, reward: Reward) -> Reward:
    """A drawn prize under the verdict that its claim was given when it was planned."""
    verdict = gate.verdict(reward.ref) if gate else None
    return held_for_review((reward,), verdict)[0] if verdict else reward


def held_for_review(rewards: Sequence[Reward], verdict: Verdict) -> tuple[Reward, ...]:
    """The claim's rewards as they are to be put: nothing of a suspicious claim goes out by itself, for anybody.

    Who is not known yet is waited for first, and what a person must decide anyway keeps its reason.
    """
    if not verdict.held:
        return tuple(rewards)
    return tuple(_held(one, verdict.reason) for one in rewards)


def _held(reward: Reward, reason: str) -> Reward:
    waits = reward.state is State.HELD and reward.reason == AWAITING_SHIPMENT
    if reward.state is not State.PENDING and not waits:
        return reward
    return msgspec.structs.replace(reward, state=State.HELD, reason=reason, due_at_ms=0)


def _kept(table: OrderedDict[str, ValueT], key: str, value: ValueT) -> ValueT:
    table[key] = value
    table.move_to_end(key)
    if len(table) > _SUBJECTS:
        table.popitem(last=False)
    return value


def _is_telling(kind: str, entries: Sequence[str], rules: RiskRules) -> bool:
    """Whether what one container sees is worth a write: most buyers open what they bought, a few out of one case."""
    if len(entries) < rules.share_from:
        return False
    fields = [one.split("|") for one in entries]
    if kind != "person":
        return len({one[1] for one in fields}) >= rules.share_from
    times = sorted(int(one[0]) for one in fields)
    quick = any(later - sooner <= rules.fast_ms for sooner, later in pairwise(times))
    return quick or len({one[2] for one in fields}) >= rules.share_from or any(one[3] == "1" for one in fields)


def _near(entry: str, at_ms: int, within_ms: int) -> bool:
    return abs(at_ms - int(entry.partition("|")[0])) <= within_ms
