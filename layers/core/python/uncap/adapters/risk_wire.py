"""What relay containers tell each other about people and cases: sets of short entries that expire (Limits table).

Used by `services/judge_risk.py`, one write unit per claim of a subject that was seen before.
"""

from collections.abc import Collection, Sequence

import msgspec

from uncap.adapters.wire.dynamodb import ENCODE, Attributes, Caller


class _Updated(msgspec.Struct):
    attributes: Attributes = msgspec.field(name="Attributes", default_factory=dict)


class WireRiskWindows:
    """SharedWindows over the wire client."""

    def __init__(self, client: Caller, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, key: str, entries: Sequence[str], expires_at_s: int) -> Collection[str]:
        """See `SharedWindows`. A set, so a repeated entry is there once. Raises TransientError."""
        request = {
            "TableName": self._table,
            "Key": {"pk": {"S": key}},
            "UpdateExpression": "ADD ids :new SET #t = :ttl",
            "ExpressionAttributeNames": {"#t": "ttl"},
            "ExpressionAttributeValues": {":new": {"SS": list(entries)}, ":ttl": {"N": str(expires_at_s)}},
            "ReturnValues": "ALL_NEW",
        }
        answer = self._client.call("UpdateItem", ENCODE(request))
        found = msgspec.json.decode(answer, type=_Updated).attributes.get("ids", {})
        return tuple(str(one) for one in found.get("SS", ()))
