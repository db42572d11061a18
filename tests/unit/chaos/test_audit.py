"""The chaos run's audit notices what it is there for: evidence in order is silent, each break of it is named."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.chaos.audit import Evidence, Told, problems
from uncap.domain import ledger
from uncap.domain.campaigns.draws import Draw, DrawShare
from uncap.domain.catalog import Campaign, Effect, Role
from uncap.domain.rewards.ids import bill_no, reward_id
from uncap.domain.rewards.reward import Attempt, Case, Reward, State
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.services.trial_balance import TrialBalance

REF = CodeRef(7, 3, Role.CAP_INNER)
NAME, VERSION = "spring", "spring@1"
EFFECTS = (
    Effect(1, "consumer", "laid"),
    Effect(2, "distributor", "fixed", "rebate-5"),
    Effect(3, "consumer", "drawn", "lucky"),
)
LUCKY = Draw("lucky", (DrawShare("cash-88", 1, 3, 12),), per_person=2)
CAMPAIGN = Campaign(NAME, 1, 0, {}, {}, 0, 1, 2, (), (), (), EFFECTS, draws=(LUCKY,))
CLAIM = ScanImage(REF.key(), last := Mark("c" * 26, 1, "claim", person="p1", campaign=VERSION), 1, last)


def key(no: int, beneficiary: str = "consumer") -> str:
    return reward_id(REF, NAME, no, beneficiary)


def made(no: int, prize: str, kind: str, minor: int, party: str, beneficiary: str = "consumer") -> Reward:
    """A reward that was paid, with its two entries."""
    rail = "wechat_transfer" if kind == "cash" else "own_ledger"
    return Reward(
        key(no, beneficiary), REF.key(), VERSION, "rel", no, beneficiary, State.PAID, 1, 2,
        party=party, kind=kind, prize_id=prize, amount_minor=minor, currency="CNY",
        attempt=Attempt(1, rail, 1, minor, "c", "n", closed="paid"),
        granted=ledger.granted("rel", beneficiary, "CNY", minor),
        settled=ledger.paid(beneficiary, rail, "CNY", minor, 0),
    )  # fmt: skip


CASH = made(1, "cash-88", "cash", 88, "p1")
REBATE = made(2, "rebate-5", "trade_credit", 5, "d1", "distributor")
DRAWN = msgspec.structs.replace(made(3, "cash-88", "cash", 88, "p1"), holds=("place00",))
LINES = tuple({"bill_no": bill_no(one.reward_id, 1), "amount_minor": 88, "paid_at": ""} for one in (CASH, DRAWN))


def evidence(**changes: Any) -> Evidence:
    whole = Evidence(
        campaign=CAMPAIGN,
        claims=(CLAIM,),
        told=(Told(3, 1, "first", "a"), Told(3, 2, "repeat", "b")),
        rewards={one.reward_id: one for one in (CASH, REBATE, DRAWN)},
        lines=LINES,
        trial=TrialBalance({}, {"CNY": 0}, 6),
        places={"place00": 1},
        cases=(),
        parked=(),
        dead=0,
        laid={3: "cash-88"},
        owners={3: "d1"},
    )
    return msgspec.structs.replace(whole, **changes)


def with_reward(reward: Reward) -> Evidence:
    return evidence(rewards=evidence().rewards | {reward.reward_id: reward})


def changed(reward: Reward, **changes: Any) -> Evidence:
    return with_reward(msgspec.structs.replace(reward, **changes))


def without(reward_id: str) -> Evidence:
    return evidence(rewards={name: one for name, one in evidence().rewards.items() if name != reward_id})


BROKEN: dict[str, Callable[[], Evidence]] = {
    "2 were told to be first": lambda: evidence(told=(Told(3, 1, "first", "a"), Told(3, 2, "first", "b"))),
    "never got an answer": lambda: evidence(told=(Told(3, 1, ""),)),
    "the table knows of no claim": lambda: evidence(told=(Told(4, 1, "first", "a"),)),
    "is not shown the reward": lambda: evidence(told=(Told(3, 1, "first", "a", sees=False),)),
    "has no reward for effect 2": lambda: without(REBATE.reward_id),
    "rewards no claim": lambda: evidence(claims=()),
    "is somebody else's": lambda: changed(REBATE, party="d2"),
    "was laid": lambda: evidence(laid={3: "points-50"}),
    "is worth 8888": lambda: changed(CASH, amount_minor=8888),
    "is HELD (without a reason)": lambda: changed(CASH, state=State.HELD),
    "was released": lambda: changed(REBATE, state=State.RELEASED),
    "without its two entries": lambda: changed(REBATE, settled=()),
    "the rail paid [88, 88], due was [88]": lambda: evidence(lines=(*LINES, LINES[0])),
    "the rail paid [], due was [88]": lambda: evidence(lines=LINES[1:]),
    "no bill of ours": lambda: evidence(lines=(*LINES, {"bill_no": "x", "amount_minor": 1})),
    "is no reward": lambda: evidence(lines=(*LINES, {"bill_no": "0" * 31 + "1", "amount_minor": 1})),
    "the ledger sums to": lambda: evidence(trial=TrialBalance({}, {"CNY": 5}, 6)),
    "over budget: budget:rel:CNY by 5": lambda: evidence(trial=TrialBalance({"budget:rel:CNY": 5}, {"CNY": 0}, 6)),
    "places say": lambda: evidence(places={"place00": 2}),
    "has a case: late_success": lambda: evidence(cases=(Case("x", "late_success", 1, CASH.reward_id),)),
    "is parked: without a reason": lambda: evidence(parked=("",)),
    "dead letters": lambda: evidence(dead=1),
}


def test_what_is_in_order_is_not_complained_about() -> None:
    assert problems(evidence()) == []


@pytest.mark.parametrize("what", BROKEN)
def test_every_break_is_named(what: str) -> None:
    assert any(what in text for text, _ in problems(BROKEN[what]()))
