"""The name that the rail asks for from ¥2,000: said by the person, sealed at once, never logged. Called by the wallet's
routes.

The caller's reward only, and only by its conditional write. What is owed again is due at once, so where nobody tells
the worker the sweeper does.
"""

import unicodedata
from collections.abc import Callable
from typing import Protocol

import msgspec

from uncap.domain.errors import ConflictError, InputError, NotFoundError, TransientError
from uncap.domain.identity import seal_name
from uncap.domain.rewards import states
from uncap.domain.rewards.reward import Reward
from uncap.domain.sessions import Session

_NAME_CHARACTERS = 30
_NONCE_BYTES = 12


class MovableRewards(Protocol):
    """The part of `LedgerStore` that is needed here."""

    def get(self, reward_id: str) -> Reward | None: ...

    def replace(self, old: Reward, new: Reward) -> None: ...


class NameDesk(msgspec.Struct, frozen=True):
    """`seal_key` is that of the payees. `tell` has the worker look at a reward now; it may fail (`TransientError`,
    `NotFoundError`)."""

    rewards: MovableRewards
    tell: Callable[[Session, Reward], None]
    seal_key: Callable[[], bytes]
    random_bytes: Callable[[int], bytes]
    clock_ms: Callable[[], int]


def give_name(desk: NameDesk, session: Session, reward_id: str, name: str) -> Reward:
    """The name is sealed into the reward and forgotten by the write that closes the bill it is for.

    InputError (`name_malformed`), NotFoundError (`reward_not_ready`), ConflictError (`name_not_wanted`,
    `reward_moved`).
    """
    text = unicodedata.normalize("NFC", name).strip()
    if not 1 < len(text) <= _NAME_CHARACTERS or not all(_of_a_name(one) for one in text):
        raise InputError("name_malformed", "a name has 2 to 30 letters, as on the bank card", where="name")
    reward = desk.rewards.get(reward_id)
    if reward is None or not session.person or reward.party != session.person or reward.beneficiary != "consumer":
        raise NotFoundError("reward_not_ready", "Nothing is known of this reward yet.")
    sealed = seal_name(desk.seal_key(), reward_id, text, desk.random_bytes(_NONCE_BYTES))
    try:
        named = states.named(reward, sealed, desk.clock_ms())
    except ConflictError as cause:
        raise ConflictError("name_not_wanted", f"the reward is {reward.state}", where="reward_id") from cause
    desk.rewards.replace(reward, named)
    try:
        desk.tell(session, named)
    except (TransientError, NotFoundError):
        return named  # it is due: the sweeper sends it within a minute
    return named


def _of_a_name(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in " ·•.'-"
