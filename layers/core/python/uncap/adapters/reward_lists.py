"""Pages of rewards for the console: by state, by campaign, by both. Reads only.

The Ledger has no index over states (docs/adr/0001): a page walks the table from a cursor and stops after a bounded
number of items, so it may be short or empty although more follow.
"""

from typing import Any

import msgspec

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.ledger_items import REWARD, reward_of
from uncap.adapters.models import LedgerItem
from uncap.domain.rewards.reward import Reward

_WALK = 2_000
_ROUND = 500


class RewardPage(msgspec.Struct, frozen=True):
    """Rewards found; `after` is the key to continue from, "" at the end of the table."""

    rewards: list[Reward]
    after: str


class RewardLists:
    """Needs `open_tables` to have bound LedgerItem."""

    def page(self, *, state: str, campaign_id: str, limit: int, after: str = "") -> RewardPage:
        """Up to `limit` rewards, in the table's own order. Raises TransientError."""
        found: list[Reward] = []
        key: dict[str, dict[str, Any]] | None = {"pk": {"S": after}} if after else None
        for _ in range(_WALK // _ROUND):
            with translated():
                # Unfiltered, so that `limit` bounds what is read, not what is found.
                walk = LedgerItem.scan(limit=_ROUND, page_size=_ROUND, last_evaluated_key=key)
                for item in walk:
                    if _wanted(item, state, campaign_id):
                        found.append(reward_of(item.doc))
                    if len(found) == limit:
                        return RewardPage(found, item.pk)
                key = walk.last_evaluated_key
            if key is None:
                return RewardPage(found, "")
        return RewardPage(found, str(key["pk"]["S"]) if key else "")


def _wanted(item: LedgerItem, state: str, campaign_id: str) -> bool:
    if not item.pk.startswith(REWARD) or (state and item.st != state):
        return False
    return not campaign_id or reward_of(item.doc).campaign_id == campaign_id
