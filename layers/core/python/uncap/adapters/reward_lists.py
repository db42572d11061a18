"""Pages of open rewards that stand still: by state, by campaign, by both, the latest claim first. Reads only.

The Ledger's index `waiting` has them (docs/adr/0034): one Query per shard, merged; then only what is shown is read.
Used by the console's list and by the reconcile job.
"""

import heapq
import itertools
from collections.abc import Iterator, Sequence

import msgspec

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.ledger_items import DUE_SHARDS, REWARD, parcel_list, reward_of, waiting_of, waiting_prefix
from uncap.adapters.models import LedgerItem, WaitingIndex
from uncap.domain.rewards.reward import Reward, State

LISTED = (
    *(State.HELD.value, State.FAILED.value, State.CLAIMABLE.value),
    *(State.PENDING.value, State.SUBMITTING.value, State.ACCEPTED.value, State.WAIT_USER.value),
    *(parcel_list(one) for one in ("to_send", "taken", "sent")),
)
"""In this order they are listed where no state is asked for: what waits for people comes first."""
_END = "\uffff"
_BATCH_GET = 100


class RewardPage(msgspec.Struct, frozen=True):
    """Rewards found; `after` is the key to continue from, "" at the end."""

    rewards: list[Reward]
    after: str


class RewardLists:
    """Needs `open_tables` to have bound LedgerItem."""

    def page(self, *, state: str, campaign_id: str, limit: int, after: str = "") -> RewardPage:
        """Up to `limit` rewards. One that moved on in this very second is left out, so a page may be short.

        Raises TransientError.
        """
        at_state = after.partition("#")[0]
        states: Sequence[str] = [state] if state else LISTED
        if at_state in states:
            states = states[states.index(at_state) :]
        keys: list[str] = []
        for one in states:
            prefix = waiting_prefix(one, campaign_id)
            keys += _keys(prefix, limit - len(keys), after if one == at_state else "")
            if len(keys) == limit:
                break
        return RewardPage(_rewards(keys), keys[-1] if len(keys) == limit else "")


def _keys(prefix: str, limit: int, after: str) -> list[str]:
    """The latest of a prefix that come after this key, from all shards."""
    with translated():
        streams = [_shard(str(shard), prefix, limit, after) for shard in range(DUE_SHARDS)]
        return list(itertools.islice(heapq.merge(*streams, reverse=True), limit))


def _shard(shard: str, prefix: str, limit: int, after: str) -> Iterator[str]:
    # `after` itself is shown already, and the range of a key condition includes both its ends.
    until = after if after.startswith(prefix) else prefix + _END
    rows = LedgerItem.waiting.query(
        shard,
        WaitingIndex.wait_key.between(prefix, until),
        scan_index_forward=False,
        limit=limit + 1,
        page_size=limit + 1,
    )
    return (item.wait_key for item in rows if item.wait_key != after)


def _rewards(keys: Sequence[str]) -> list[Reward]:
    """In the order of the keys; strongly consistent, so none is shown in a state that it has left."""
    found: dict[str, Reward] = {}
    pks = [REWARD + key.rpartition("#")[2] for key in keys]
    with translated():
        for at in range(0, len(pks), _BATCH_GET):
            for item in LedgerItem.batch_get(pks[at : at + _BATCH_GET], consistent_read=True):
                reward = reward_of(item.doc, item.granted, item.settled)
                found[waiting_of(reward)] = reward
    return [found[key] for key in keys if key in found]
