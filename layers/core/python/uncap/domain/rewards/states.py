"""The reward's state machine, the part we decide: attempts, holds, deadlines. Pure; `outcomes.py` is the rail's part.

Every function returns a new value with `rev` one higher and raises ConflictError (`transition_illegal`) where the move
is not allowed. Called by the payout services; the diagram is in docs/rewards.md.
"""

from enum import StrEnum
from typing import Any

import msgspec

from uncap.domain.campaigns.pay_n import PAY_N
from uncap.domain.campaigns.physical import PHYSICAL
from uncap.domain.codes import crockford
from uncap.domain.errors import ConflictError
from uncap.domain.rewards.reward import (
    AWAITING_ADDRESS,
    AWAITING_DELIVERY,
    AWAITING_DISPATCH,
    AWAITING_NAME,
    Attempt,
    Redemption,
    Reward,
    State,
)
from uncap.domain.rewards.rights import redeemed_right, released_right

PAID_WORD = "paid"
AMOUNT_DIFFERS = "amount_differs"
WITHDRAWN = "withdrawn"
LATE_SUCCESS = "late_success"
AWAITING_SHIPMENT = "awaiting_shipment"
AWAITING_ASSOCIATION = "awaiting_association"
EPOCH_COMPROMISED = "epoch_compromised"
DIVERSION_CASE = "diversion_case"
DIVERSION_CONFIRMED = "diversion_confirmed"
WAITS_FOR_FACT = frozenset(
    {
        AWAITING_SHIPMENT,
        AWAITING_ASSOCIATION,
        AWAITING_NAME,
        AWAITING_ADDRESS,
        AWAITING_DISPATCH,
        AWAITING_DELIVERY,
        DIVERSION_CASE,
        DIVERSION_CONFIRMED,
        "campaign_paused",
        "frozen",
    }
)
"""Reasons to hold that end by themselves once the fact is there; all others wait for a person."""

FIRST_WAIT_MS = 5_000
LONGEST_WAIT_MS = 6 * 3_600_000
_DOUBLINGS = 13
_SPREAD = 32
_NAME_ENDS = frozenset({State.PAID, State.RELEASED, State.CLAIMABLE, State.FAILED})


class Step(StrEnum):
    """What the payout worker does with a message about a reward."""

    BEGIN = "begin"  # write a new attempt, then call the rail
    ISSUE = "issue"  # a pay-N right: no rail, an outlet redeems it
    ASK = "ask"  # a prize that is sent: no rail, its owner says where to
    RESEND = "resend"  # the attempt is written: send exactly the same again
    QUERY = "query"  # the rail's key is too old to resend: only ask
    LOOK = "look"  # at the rail, and in no index: ask what became of it
    WAIT = "wait"  # not before `due_at_ms`; the sweeper will bring it back
    NOTHING = "nothing"  # decided, or waiting for someone else


def next_step(reward: Reward, now_ms: int) -> Step:
    """The worker's next move; never BEGIN while an attempt is open."""
    if reward.state is State.CLAIMABLE and reward.kind == PAY_N:
        return Step.NOTHING
    if reward.state is State.CLAIMABLE:
        return Step.BEGIN if now_ms < reward.claimable_until_ms else Step.NOTHING
    if unwatched(reward):
        return Step.LOOK
    if reward.state not in (State.PENDING, State.SUBMITTING):
        return Step.NOTHING
    if reward.due_at_ms > now_ms:
        return Step.WAIT
    if reward.state is State.PENDING:
        return {PAY_N: Step.ISSUE, PHYSICAL: Step.ASK}.get(reward.kind, Step.BEGIN)
    return Step.QUERY if key_expired(reward, now_ms) else Step.RESEND


def unwatched(reward: Reward) -> bool:
    """At the rail and not in the `due` index: only a message on the queue will look, or else the reconcile job.

    Nearly every payout settles by its callback before that look, and so never pays for the index (docs/adr/0007).
    """
    return reward.state in (State.ACCEPTED, State.WAIT_USER) and not reward.due_at_ms


def waits_for_person(reward: Reward) -> bool:
    """HELD for something no fact will settle: an alarm hangs on these."""
    return reward.state is State.HELD and reward.reason not in WAITS_FOR_FACT


def key_expired(reward: Reward, now_ms: int) -> bool:
    """True once the rail may have forgotten the open attempt's key, so that resending could pay again."""
    attempt = reward.attempt
    return attempt is not None and 0 < attempt.key_expires_at_ms <= now_ms


def wait_ms(reward_id: str, tries: int) -> int:
    """Back-off after `tries` answers that decided nothing: doubling from 5 s to 6 h, spread by up to an eighth.

    The spread comes from the reward's own id: a domain draws no random numbers, and no two rewards march in step.
    """
    base = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(tries, _DOUBLINGS))
    return base + base * (crockford.decode(reward_id[-2:]) % _SPREAD) // (8 * _SPREAD)


def moved(reward: Reward, **changes: Any) -> Reward:
    """The reward after one write; `due_at_ms` and `reason` are cleared unless given.

    With the bill it was for, the payee's name is forgotten: the write that closes the one deletes the other.
    """
    closed = "attempt" in changes and not changes["attempt"].is_open
    if reward.name and (closed or changes.get("state") in _NAME_ENDS):
        changes.setdefault("name", "")
    if reward.parcel and changes.get("state") is State.RELEASED:  # nothing is sent any more, so nobody needs to know
        changes.setdefault("parcel", msgspec.structs.replace(reward.parcel, address=""))
    changes.setdefault("due_at_ms", 0)
    changes.setdefault("reason", "")
    return msgspec.structs.replace(reward, rev=reward.rev + 1, **changes)


def may_try_again(reward: Reward) -> bool:
    """No attempt may still pay, none has paid, and the ledger says it is still owed."""
    attempt = reward.attempt
    return not reward.settled and (attempt is None or attempt.closed not in ("", PAID_WORD, AMOUNT_DIFFERS))


def begin_attempt(reward: Reward, attempt: Attempt) -> Reward:
    """SUBMITTING with the attempt written; only from PENDING or CLAIMABLE, and only the next number."""
    expected = reward.attempt.no + 1 if reward.attempt else 1
    if reward.kind in (PAY_N, PHYSICAL):
        raise illegal(reward, "be paid by a rail")
    if reward.state not in (State.PENDING, State.CLAIMABLE) or not may_try_again(reward) or attempt.no != expected:
        raise illegal(reward, f"begin attempt {attempt.no}")
    if attempt.amount_minor != reward.net_minor:
        raise illegal(reward, "pay another amount than is owed")
    return moved(reward, state=State.SUBMITTING, attempt=attempt, action=None)


def postpone(reward: Reward, at_ms: int, reason: str) -> Reward:
    """Still PENDING, and brought back by the sweeper: no account may pay it before (a day's limit, docs/adr/0022)."""
    if reward.state is not State.PENDING:
        raise illegal(reward, "be postponed")
    return moved(reward, reason=reason, due_at_ms=at_ms)


def issue(reward: Reward) -> Reward:
    """A pay-N right that may be redeemed from now on; the `due` index ends it at its deadline."""
    if reward.kind != PAY_N or reward.state is not State.PENDING:
        raise illegal(reward, "be issued")
    return moved(reward, state=State.CLAIMABLE, due_at_ms=reward.claimable_until_ms)


def redeem(reward: Reward, redemption: Redemption) -> Reward:
    """PAID, with the entry that credits the outlet; the check of who may is `rights.py`'s."""
    if reward.kind != PAY_N or reward.state is not State.CLAIMABLE or reward.settled:
        raise illegal(reward, "be redeemed")
    if redemption.at_ms >= reward.claimable_until_ms:
        raise illegal(reward, "be redeemed after its deadline")
    entry = redeemed_right(reward, redemption.outlet)
    return moved(reward, state=State.PAID, redeemed=redemption, settled=entry, paid_at_ms=redemption.at_ms)


def hold(reward: Reward, reason: str, now_ms: int) -> Reward:
    """HELD before money moves. What waits for a fact, and what the rail may still pay, is looked at again by itself."""
    if reward.state not in (State.PENDING, State.CLAIMABLE, State.SUBMITTING):
        raise illegal(reward, "hold")
    if reason == AWAITING_NAME:
        return moved(reward, state=State.HELD, reason=reason, due_at_ms=max(reward.claimable_until_ms, now_ms))
    watched = reason in WAITS_FOR_FACT or (reward.attempt is not None and reward.attempt.is_open)
    due = now_ms + wait_ms(reward.reward_id, 3) if watched else 0
    return moved(reward, state=State.HELD, reason=reason, due_at_ms=due)


def wait_longer(reward: Reward, now_ms: int) -> Reward:
    """The same hold, looked at again later: a quarter of the time it has waited so far, a minute to six hours."""
    if reward.state is not State.HELD:
        raise illegal(reward, "wait longer")
    age = max(0, now_ms - reward.claimed_at_ms)
    due = now_ms + min(max(60_000, age // 4), LONGEST_WAIT_MS)
    return moved(reward, reason=reward.reason, due_at_ms=due)


def resume(reward: Reward, now_ms: int) -> Reward:
    """Out of HELD or FAILED: with the same bill if one is open, else owed again. Due at once, so the sweeper sends it.

    Refused once anything was settled, or if the rail said it paid another amount: that is for a correcting entry.
    """
    if reward.state not in (State.HELD, State.FAILED) or reward.settled or _in_hands(reward):
        raise illegal(reward, "resume")
    if not reward.party:
        raise illegal(reward, "pay a beneficiary nobody knows")
    # A stolen key is for ever, so without this mark the brakes would hold again what people have just let go.
    cleared = EPOCH_COMPROMISED if reward.reason == EPOCH_COMPROMISED else reward.cleared
    if reward.attempt is not None and reward.attempt.is_open:
        return moved(reward, state=State.SUBMITTING, due_at_ms=now_ms, cleared=cleared)
    if not may_try_again(reward):
        raise illegal(reward, "resume")
    return moved(reward, state=State.PENDING, due_at_ms=now_ms, cleared=cleared)


def named(reward: Reward, sealed_name: str, now_ms: int) -> Reward:
    """The payee has said their name: owed again, with it. Until the deadline."""
    if reward.state is not State.HELD or reward.reason != AWAITING_NAME or now_ms >= reward.claimable_until_ms:
        raise illegal(reward, "take a name")
    return moved(reward, state=State.PENDING, name=sealed_name, due_at_ms=now_ms)


def associate(reward: Reward, party: str, now_ms: int) -> Reward:
    """The beneficiary became known: freeze it and go on; a suspicious claim's reward waits for people from now on."""
    if reward.reason != AWAITING_ASSOCIATION or reward.state is not State.HELD or reward.party:
        raise illegal(reward, "associate")
    known = msgspec.structs.replace(reward, party=party)
    return moved(known, state=State.HELD, reason=reward.review) if reward.review else resume(known, now_ms)


def expire(reward: Reward, now_ms: int) -> Reward:
    """RELEASED after the deadline: nobody took it or was found to give it to, or its owner said no name or address."""
    expirable = reward.state in (State.CLAIMABLE, State.FAILED) or (
        reward.state is State.HELD and reward.reason in (AWAITING_ASSOCIATION, AWAITING_NAME, AWAITING_ADDRESS)
    )
    if not expirable or now_ms < reward.claimable_until_ms:
        raise illegal(reward, "expire")
    return release(reward, "deadline_passed" if reward.state is State.CLAIMABLE else reward.reason)


def refuse(reward: Reward, reason: str) -> Reward:
    """A person decides that this reward is not paid; impossible while the rail may still pay it."""
    if reward.state not in (State.HELD, State.FAILED, State.CLAIMABLE) or _in_hands(reward):
        raise illegal(reward, "refuse")
    return release(reward, reason)


def _in_hands(reward: Reward) -> bool:
    """Taken over or on its way: somebody may have the thing, so it is neither owed anew nor withdrawn."""
    return reward.parcel_state in ("taken", "sent")


def acknowledge(reward: Reward) -> Reward:
    """A person has seen a late success and the newer attempt is closed: the reward is PAID, as the ledger says."""
    attempt = reward.attempt
    if reward.state is not State.HELD or reward.reason != LATE_SUCCESS or attempt is None or attempt.is_open:
        raise illegal(reward, "acknowledge")
    return moved(reward, state=State.PAID)


def release(reward: Reward, reason: str) -> Reward:
    """RELEASED, with the entry that turns the debt into breakage."""
    if not may_try_again(reward):
        raise illegal(reward, "release")
    entry = released_right(reward)
    return moved(reward, state=State.RELEASED, reason=reason, action=None, settled=entry)


def withdraw(reward: Reward) -> Reward:
    """Close a held reward's open bill that the rail says it does not know, so that a person may decide about the rest.

    Only for a bill that was held before it was sent, and hours ago: a call that is still on its way must have arrived.
    """
    attempt = reward.attempt
    if reward.state is not State.HELD or attempt is None or not attempt.is_open:
        raise illegal(reward, "withdraw")
    return moved(reward, reason=reward.reason, attempt=msgspec.structs.replace(attempt, closed=WITHDRAWN))


def as_one_write(old: Reward, new: Reward) -> Reward:
    """The end of several pure moves, to be written at once."""
    return msgspec.structs.replace(new, rev=old.rev + 1)


def illegal(reward: Reward, what: str) -> ConflictError:
    """The refusal to make a move that the machine does not have."""
    return ConflictError("transition_illegal", f"reward {reward.reward_id} in {reward.state} cannot {what}")
