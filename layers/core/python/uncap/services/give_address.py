"""Where a prize is to be sent: said by its owner, sealed at once, never logged. Called by the wallet's routes.

The caller's reward only, and only by its conditional write; until the parcel is taken over it may be said anew.
"""

from collections.abc import Callable

import msgspec

from uncap.domain.errors import ConflictError, NotFoundError
from uncap.domain.identity import seal_address
from uncap.domain.rewards.parcels import addressed, checked_address
from uncap.domain.rewards.reward import Reward
from uncap.domain.sessions import Session
from uncap.services.collect_reward import MovableRewards

_NONCE_BYTES = 12


class AddressDesk(msgspec.Struct, frozen=True):
    """`address_key` seals addresses and nothing else."""

    rewards: MovableRewards
    address_key: Callable[[], bytes]
    random_bytes: Callable[[int], bytes]
    clock_ms: Callable[[], int]


def give_address(desk: AddressDesk, session: Session, reward_id: str, name: str, phone: str, address: str) -> Reward:
    """The reward, to be sent there. The worker has nothing to do with it and is not told.

    InputError (`receiver_malformed`, `phone_malformed`, `address_malformed`), NotFoundError (`reward_not_ready`),
    ConflictError (`address_not_wanted`, `reward_moved`).
    """
    given = checked_address(name, phone, address)
    reward = desk.rewards.get(reward_id)
    if reward is None or not session.person or reward.party != session.person or reward.beneficiary != "consumer":
        raise NotFoundError("reward_not_ready", "Nothing is known of this reward yet.")
    text = msgspec.json.encode(given).decode()
    sealed = seal_address(desk.address_key(), reward_id, text, desk.random_bytes(_NONCE_BYTES))
    try:
        to_send = addressed(reward, sealed, desk.clock_ms())
    except ConflictError as cause:
        raise ConflictError("address_not_wanted", f"the reward is {reward.state}", where="reward_id") from cause
    desk.rewards.replace(reward, to_send)
    return to_send
