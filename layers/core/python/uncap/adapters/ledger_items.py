"""A reward as a Ledger item and back; used by `adapters/ledger.py` and by scan_api's wire client.

Attributes: `pk` reward#{id}; `st` state; `rev` writes so far; `att` number of the newest attempt; `doc` JSON of the
Reward without its entries; `granted`, `settled` JSON of the postings; `due_shard`, `due_at` (epoch ms) while it waits.
"""

import msgspec

from uncap.domain.errors import PoisonError
from uncap.domain.ledger import Posting
from uncap.domain.rewards.reward import Reward

DUE_SHARDS = 8
REWARD = "reward#"
_ENCODER = msgspec.json.Encoder()
_REWARD = msgspec.json.Decoder(Reward)
_POSTINGS = msgspec.json.Decoder(tuple[Posting, ...])


def reward_key(reward_id: str) -> str:
    """The partition key of a reward."""
    return REWARD + reward_id


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
