"""How often one person may claim: a counter per person, campaign and period, exact under concurrency (Limits table).

Used by `services/claim_code.py` before a claim. A slot is keyed by the claim it is for, so that a retry takes no second
one, and is given back if the claim was lost.
"""

import msgspec

from uncap.adapters.wire.client import RefusedError
from uncap.adapters.wire.dynamodb import ENCODE, Attributes, Caller, get_item

_TAKE = "ADD n :one, ids :ids SET #t = :ttl"
_TAKE_IF = "attribute_not_exists(n) OR (n < :limit AND NOT contains(ids, :id))"
_CONDITION_FAILED = "ConditionalCheckFailedException"


class _Refusal(msgspec.Struct):
    """The body of a failed condition, with the item as it was (ReturnValuesOnConditionCheckFailure)."""

    item: Attributes | None = msgspec.field(name="Item", default=None)


class WireLimits:
    """Limits over the wire client."""

    def __init__(self, client: Caller, table: str) -> None:
        self._client = client
        self._table = table

    def take(self, counter: str, slot: str, limit: int, expires_at_s: int) -> bool:
        """True if `slot` now has, or had, a place among `limit` under `counter`; False if they are all taken."""
        request = {
            "TableName": self._table,
            "Key": {"pk": {"S": counter}},
            "UpdateExpression": _TAKE,
            "ConditionExpression": _TAKE_IF,
            "ExpressionAttributeNames": {"#t": "ttl"},
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":ids": {"SS": [slot]},
                ":id": {"S": slot},
                ":limit": {"N": str(limit)},
                ":ttl": {"N": str(expires_at_s)},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            self._client.call("UpdateItem", ENCODE(request))
        except RefusedError as refused:
            if refused.service_code != _CONDITION_FAILED:
                raise
            return slot in self._held(counter, refused.body)
        return True

    def give_back(self, counter: str, slot: str) -> None:
        """Frees the slot; harmless if it is not held."""
        request = {
            "TableName": self._table,
            "Key": {"pk": {"S": counter}},
            "UpdateExpression": "ADD n :minus DELETE ids :ids",
            "ConditionExpression": "contains(ids, :id)",
            "ExpressionAttributeValues": {":minus": {"N": "-1"}, ":ids": {"SS": [slot]}, ":id": {"S": slot}},
        }
        try:
            self._client.call("UpdateItem", ENCODE(request))
        except RefusedError as refused:
            if refused.service_code != _CONDITION_FAILED:
                raise

    def _held(self, counter: str, body: bytes) -> list[str]:
        item = msgspec.json.decode(body, type=_Refusal).item
        if item is None:  # an endpoint that does not return the item with the refusal
            item = get_item(self._client, self._table, {"pk": counter}, consistent=True) or {}
        return list(item.get("ids", {}).get("SS", []))
