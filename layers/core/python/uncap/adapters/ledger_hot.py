"""The Ledger for the functions that pay: one reward's put, read and update over the wire client, the rest by PynamoDB.

A put costs 0.2 ms of CPU here and 1.2 ms or more through PynamoDB, and puts are nearly all the relay does
(docs/adr/0007). Items are those of `ledger_items.py` either way; both classes keep one contract test.
"""

from collections.abc import Mapping, Sequence

import msgspec

from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.ledger_holds import (
    FAILED,
    giving_back,
    raise_refused,
    raise_unmoved,
    read_places,
    taking,
    transact,
)
from uncap.adapters.ledger_items import checked, reward_key, reward_of, values_of
from uncap.adapters.reward_updates import CONDITION_FAILED, typed, update_of
from uncap.adapters.wire.client import RefusedError
from uncap.adapters.wire.dynamodb import ENCODE, Attributes, Caller, get_item
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.rewards.holds import HoldPlace, lets_go
from uncap.domain.rewards.reward import Reward


class _Refusal(msgspec.Struct):
    """The body of a failed condition, with the item as it stands."""

    item: Attributes | None = msgspec.field(name="Item", default=None)


_REFUSAL = msgspec.json.Decoder(_Refusal)


class HotLedger(DynamoLedger):
    """`LedgerStore`. Safe to share between threads; the models are bound by `open_tables` all the same."""

    def __init__(self, client: Caller, table: str) -> None:
        super().__init__()
        self._client = client
        self._table = table

    def create(self, reward: Reward) -> Reward:
        """See `LedgerStore`. A refused put brings the stored reward with the refusal: one request either way."""
        refusal = self._conditional("PutItem", self._put_of(reward))
        return reward if refusal is None else self._stored(reward, refusal.item)

    def create_held(self, reward: Reward, places: Sequence[HoldPlace]) -> Reward:
        """See `HoldStore`. A transaction: two write units per item, none of which is written without the others."""
        items = [{"Put": self._put_of(reward)}, *(taking(self._table, place) for place in places)]
        reasons = transact(self._client, items)
        if reasons and reasons[0].code == FAILED:
            return self._stored(reward, reasons[0].item)
        if reasons:
            raise_refused(reasons[1:])
        return reward

    def held(self, keys: Sequence[str]) -> Mapping[str, int]:
        """See `HoldStore`."""
        return read_places(self._client, self._table, keys)

    def _put_of(self, reward: Reward) -> dict[str, object]:
        checked(reward)
        self._open_account(reward)
        return {
            "TableName": self._table,
            "Item": {"pk": {"S": reward_key(reward.reward_id)}, **typed(values_of(reward))},
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _stored(self, reward: Reward, item: Attributes | None) -> Reward:
        stored = _reward(item) if item else self.get(reward.reward_id)
        if stored is None:
            raise ConflictError("reward_vanished", f"reward {reward.reward_id} was refused and is not there")
        return stored

    def get(self, reward_id: str) -> Reward | None:
        """See `LedgerStore`."""
        try:
            item = get_item(self._client, self._table, {"pk": reward_key(reward_id)}, consistent=True)
        except RefusedError as refused:
            raise _unavailable(refused) from refused
        return _reward(item) if item else None

    def replace(self, old: Reward, new: Reward) -> None:
        """See `LedgerStore`. Sent again after a lost reply it fails its condition; callers then read and judge anew."""
        request = update_of(self._table, old, new)
        self._open_account(new)
        if lets_go(old, new):
            reasons = transact(
                self._client, [{"Update": request}, *(giving_back(self._table, key) for key in old.holds)]
            )
            if reasons:
                raise_unmoved(reasons)
        elif self._conditional("UpdateItem", request) is not None:
            raise ConflictError("reward_moved", "the item is not in the state this write expects")

    def _conditional(self, operation: str, request: dict[str, object]) -> _Refusal | None:
        """None once it is written; the refusal if the condition failed."""
        try:
            self._client.call(operation, ENCODE(request))
        except RefusedError as refused:
            if refused.service_code != CONDITION_FAILED:
                raise _unavailable(refused) from refused
            return _REFUSAL.decode(refused.body)
        return None


def _reward(item: Attributes) -> Reward:
    texts = (item.get(name, {}).get("S") for name in ("granted", "settled"))
    return reward_of(item["doc"]["S"], *texts)


def _unavailable(refused: RefusedError) -> TransientError:
    return TransientError("table_unavailable", f"the table did not answer ({refused.service_code})")
