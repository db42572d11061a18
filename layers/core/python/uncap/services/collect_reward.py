"""What a person does for a reward of theirs that waits for them: come back for it, or say the name the rail asks for.

Called by the wallet's routes. The caller's reward only, and only by its conditional write; what is owed again is due at
once, so where the message to the worker is lost the sweeper sends it.
"""

import unicodedata
from collections.abc import Callable
from typing import Protocol

import msgspec

from uncap.domain.errors import ConflictError, InputError, NotFoundError, TransientError
from uncap.domain.identity import seal_name
from uncap.domain.rewards import states
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.sessions import Session

_NAME_CHARACTERS = 30
_NONCE_BYTES = 12
_UNDER_WAY = frozenset({State.PENDING, State.SUBMITTING, State.ACCEPTED, State.WAIT_USER})


class MovableRewards(Protocol):
    """The part of `LedgerStore` that is needed here."""

    def get(self, reward_id: str) -> Reward | None: ...

    def replace(self, old: Reward, new: Reward) -> None: ...


class CollectDesk(msgspec.Struct, frozen=True):
    """`send` puts the reward on RewardQueue; `seal_key` is that of the payees."""

    rewards: MovableRewards
    send: Callable[[list[str]], None]
    seal_key: Callable[[], bytes]
    random_bytes: Callable[[int], bytes]
    clock_ms: Callable[[], int]


def collect_again(desk: CollectDesk, session: Session, reward_id: str) -> Reward:
    """Owed again after the rail ended the last bill (nobody confirmed, cancelled, a quota); asking twice is once.

    NotFoundError (`reward_not_ready`): not the caller's, or no such thing. ConflictError: `reward_not_claimable` (also
    past the deadline), `reward_moved` (read it again).
    """
    reward = _own(desk, session, reward_id)
    if reward.state in _UNDER_WAY and reward.attempt is not None:
        return reward
    try:
        collected = states.collect(reward, desk.clock_ms())
    except ConflictError as cause:
        raise ConflictError("reward_not_claimable", f"the reward is {reward.state}", where="reward_id") from cause
    return _moved(desk, reward, collected)


def give_name(desk: CollectDesk, session: Session, reward_id: str, name: str) -> Reward:
    """The name is sealed into the reward and forgotten by the write that closes the bill it is for.

    InputError (`name_malformed`), NotFoundError (`reward_not_ready`), ConflictError (`name_not_wanted`,
    `reward_moved`).
    """
    text = unicodedata.normalize("NFC", name).strip()
    if not 1 < len(text) <= _NAME_CHARACTERS or not all(_of_a_name(one) for one in text):
        raise InputError("name_malformed", "a name has 2 to 30 letters, as on the bank card", where="name")
    reward = _own(desk, session, reward_id)
    sealed = seal_name(desk.seal_key(), reward_id, text, desk.random_bytes(_NONCE_BYTES))
    try:
        named = states.named(reward, sealed, desk.clock_ms())
    except ConflictError as cause:
        raise ConflictError("name_not_wanted", f"the reward is {reward.state}", where="reward_id") from cause
    return _moved(desk, reward, named)


def _of_a_name(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in " ·•.'-"


def _own(desk: CollectDesk, session: Session, reward_id: str) -> Reward:
    reward = desk.rewards.get(reward_id)
    if reward is None or not session.person or reward.party != session.person or reward.beneficiary != "consumer":
        raise NotFoundError("reward_not_ready", "Nothing is known of this reward yet.")
    return reward


def _moved(desk: CollectDesk, old: Reward, new: Reward) -> Reward:
    desk.rewards.replace(old, new)
    try:
        desk.send([new.reward_id])
    except TransientError:
        return new  # it is due: the sweeper sends it within a minute
    return new
