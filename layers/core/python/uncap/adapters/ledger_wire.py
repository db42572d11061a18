"""A reward's item as the scan path reads it: one GetItem of the document that `adapters/ledger.py` writes."""

import msgspec

from uncap.adapters.wire.dynamodb import Caller, get_item
from uncap.domain.rewards.reward import Reward

_REWARD = msgspec.json.Decoder(Reward)
_DOC = {"#d": "doc"}


class WireLedger:
    """Reward status over the wire client. The ledger's entries are not read."""

    def __init__(self, client: Caller, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, reward_id: str) -> Reward | None:
        """The reward, strongly consistent; None if it is not granted yet."""
        item = get_item(self._client, self._table, {"pk": f"reward#{reward_id}"}, consistent=True, attributes=_DOC)
        return _REWARD.decode(item["doc"]["S"]) if item else None
