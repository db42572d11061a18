"""A reward as a Ledger item and back: the one encoding, whichever client carries it (`ledger.py`, `ledger_hot.py`).

Attributes: `pk` reward#{id}; `st` state; `rev` writes so far; `att` number of the newest attempt; `doc` JSON of the
Reward without its entries; `granted`, `settled` JSON of the postings; `due_shard`, `due_at` (epoch ms) while it waits;
`wait_shard`, `wait_key` while it is open and in nobody's hands; `owner`, `owner_at` where a person's wallet lists it.
"""

import msgspec

from uncap.adapters.owner_lists import person_owner
from uncap.domain.books.accounts import Holder
from uncap.domain.errors import ConflictError, PoisonError
from uncap.domain.ledger import Posting, balanced
from uncap.domain.rewards.accruing import ACCRUAL, month_of
from uncap.domain.rewards.reward import AWAITING_DELIVERY, AWAITING_DISPATCH, FINAL, Reward, State

DUE_SHARDS = 8
REWARD = "reward#"
Values = dict[str, str | int]
"""Attribute name → value, `pk` excepted."""

_DUE = ("due_shard", "due_at")
_WAITING = ("wait_shard", "wait_key")
_STANDS = frozenset({State.HELD, State.CLAIMABLE, State.FAILED})
_ENCODER = msgspec.json.Encoder()
_REWARD = msgspec.json.Decoder(Reward)
_POSTINGS = msgspec.json.Decoder(tuple[Posting, ...])


def reward_key(reward_id: str) -> str:
    """The partition key of a reward."""
    return REWARD + reward_id


def values_of(reward: Reward) -> Values:
    """All attributes of a reward that is put for the first time."""
    values = _moving(reward)
    for name, postings in (("granted", reward.granted), ("settled", reward.settled)):
        if text := postings_text(postings):
            values[name] = text
    return values


def changes_of(old: Reward, new: Reward) -> tuple[Values, tuple[str, ...]]:
    """What an update from `old` to `new` sets, and what it removes. `granted` is never written again."""
    values = _moving(new)
    settled = postings_text(new.settled)
    if settled and not old.settled:
        values["settled"] = settled
    removed = _DUE if old.due_at_ms and not new.due_at_ms else ()
    return values, (*removed, *_WAITING) if waiting_of(old) and not waiting_of(new) else removed


def _moving(reward: Reward) -> Values:
    values: Values = {
        "doc": reward_doc(reward),
        "st": reward.state.value,
        "rev": reward.rev,
        "att": attempt_no(reward),
    }
    if owner := owner_of(reward):
        values |= {"owner": owner, "owner_at": reward.claimed_at_ms}
    elif (booked := accrual_of(reward)) is not None:
        values |= {"owner": booked.owner(month_of(reward.paid_at_ms)), "owner_at": reward.paid_at_ms}
    if waiting := waiting_of(reward):
        values |= {"wait_shard": due_shard(reward.reward_id), "wait_key": waiting}
    if reward.due_at_ms:
        values |= {"due_shard": due_shard(reward.reward_id), "due_at": reward.due_at_ms}
    return values


def owner_of(reward: Reward) -> str:
    """Under which the index `owner` lists the reward, "" where it does not; once listed, always (ADR 0021).

    A consumer's, if it is kept here (points, vouchers, rights) or had to wait: cash that arrives at once is in the
    rail's own list, and a second write unit for each would be a tenth of what a payout costs (ADR 0007).
    """
    if reward.beneficiary != "consumer" or not reward.party or reward.state is State.NONE:
        return ""
    waits = reward.due_at_ms or reward.state in (State.HELD, State.CLAIMABLE, State.FAILED)
    return person_owner(reward.party) if reward.kind != "cash" or waits else ""


def waiting_of(reward: Reward) -> str:
    """Under which the index `waiting` lists the reward: by state, campaign, time of the claim. "" where it does not.

    It lists what is open and stands still: held, failed, claimable, or with a moment to be looked at. What is on its
    way at the rail for the first time and what is over is in no list; a unit for each would exceed ADR 0007's budget.
    """
    if reward.state in FINAL or not (reward.due_at_ms or reward.state in _STANDS):
        return ""
    sending = reward.state is State.HELD and reward.reason in (AWAITING_DISPATCH, AWAITING_DELIVERY)
    listed = parcel_list(reward.parcel_state) if sending else reward.state.value
    return f"{waiting_prefix(listed, reward.campaign_id)}{reward.claimed_at_ms:013d}#{reward.reward_id}"


def parcel_list(parcel_state: str) -> str:
    """In place of the state: prizes to be sent have lists of their own, one for each state of a parcel."""
    return f"PARCEL_{parcel_state.upper()}"


def waiting_prefix(state: str, campaign_id: str = "") -> str:
    """What the keys of a state's rewards begin with, or those of one campaign of it."""
    return f"{state}#{campaign_id}#" if campaign_id else f"{state}#"


def accrual_of(reward: Reward) -> Holder | None:
    """The account that a paid accrual was booked on; it must be open before the item is written (ADR 0024)."""
    booked = reward.kind == ACCRUAL and reward.state is State.PAID and reward.settled
    return Holder(reward.party, reward.currency) if booked else None


def attempt_no(reward: Reward) -> int:
    """Number of the newest attempt, 0 for none."""
    return reward.attempt.no if reward.attempt else 0


def reward_doc(reward: Reward) -> str:
    """The JSON text of everything but the two entries, which are attributes of their own."""
    return _ENCODER.encode(msgspec.structs.replace(reward, granted=(), settled=())).decode()


def postings_text(postings: tuple[Posting, ...]) -> str | None:
    """The JSON text of an entry; None for none, so that the attribute is absent."""
    return _ENCODER.encode(postings).decode() if postings else None


def postings_of(text: str | None) -> tuple[Posting, ...]:
    """Inverse of `postings_text`. PoisonError (`entry_malformed`)."""
    try:
        return _POSTINGS.decode(text) if text else ()
    except msgspec.MsgspecError as cause:
        raise PoisonError("entry_malformed", "a ledger entry does not read as postings") from cause


def reward_of(doc: str, granted: str | None = None, settled: str | None = None) -> Reward:
    """The reward of an item's attributes; scan_api passes `doc` alone. PoisonError (`reward_malformed`)."""
    try:
        reward = _REWARD.decode(doc)
    except msgspec.MsgspecError as cause:
        raise PoisonError("reward_malformed", "the item is not a reward") from cause
    if not granted and not settled:
        return reward
    return msgspec.structs.replace(reward, granted=postings_of(granted), settled=postings_of(settled))


def due_shard(reward_id: str) -> str:
    """Which of the index's partitions the reward waits in: one partition would be a bottleneck, eight are plenty."""
    return str(sum(reward_id[-2:].encode()) % DUE_SHARDS)


def checked(reward: Reward) -> None:
    """The entries a new reward brings must balance, each by itself. ConflictError (`entry_unbalanced`)."""
    for postings in (reward.granted, reward.settled):
        if postings:
            balanced(postings)


def checked_move(old: Reward, new: Reward) -> bool:
    """True if the move settles. ConflictError for a move that skips a revision or brings an unbalanced entry."""
    if new.rev != old.rev + 1 or new.reward_id != old.reward_id:
        raise ConflictError("reward_moved", f"reward {old.reward_id} moves one revision at a time")
    settles = bool(new.settled and not old.settled)
    if settles:
        balanced(new.settled)
    return settles
