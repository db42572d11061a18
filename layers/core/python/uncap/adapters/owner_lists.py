"""The Ledger's index `owner`: who has what, newest first, keys only; the items are then read by key.

It is sparse (ADR 0021): a reward is in it once it waits or is kept here, a replenishment claim and its steps always.
Used by `replenishments.py` and the wallet.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from uncap.adapters.wire.dynamodb import ENCODE, Attributes, Caller, QueryReply
from uncap.domain.errors import TransientError

INDEX = "owner"
_QUERY = msgspec.json.Decoder(QueryReply)
_BATCH = 100
_ROUNDS = 8


class _Got(msgspec.Struct):
    responses: dict[str, list[Attributes]] = msgspec.field(name="Responses", default_factory=dict)
    unprocessed: dict[str, Any] = msgspec.field(name="UnprocessedKeys", default_factory=dict)


def person_owner(person: str) -> str:
    """Under which a person's rewards are listed."""
    return f"person#{person}"


def claims_owner(claimant: str) -> str:
    """Under which a party's own claims are listed."""
    return f"claimant#{claimant}"


def claims_on(upstream: str) -> str:
    """Under which the claims on a party are listed."""
    return f"upstream#{upstream}"


def steps_owner(claimant: str) -> str:
    """Under which the steps of a party's claims are listed."""
    return f"steps#{claimant}"


class OwnerLists:
    """Keys by owner, items by key. Raises TransientError."""

    def __init__(self, client: Caller, table: str) -> None:
        self._client = client
        self._table = table

    def keys(self, owner: str, limit: int) -> list[str]:
        """Up to `limit` partition keys, the latest first; a second behind the table at most times."""
        request: dict[str, object] = {
            "TableName": self._table,
            "IndexName": INDEX,
            "KeyConditionExpression": "#owner = :owner",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": {":owner": {"S": owner}},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        page = _QUERY.decode(self._client.call("Query", ENCODE(request)))
        return [str(item["pk"]["S"]) for item in page.items]

    def items(self, pks: Sequence[str]) -> dict[str, Attributes]:
        """Those that exist, strongly consistent."""
        found: dict[str, Attributes] = {}
        for at in range(0, len(pks), _BATCH):
            found |= self._batch(pks[at : at + _BATCH])
        return found

    def _batch(self, pks: Sequence[str]) -> dict[str, Attributes]:
        keys = [{"pk": {"S": pk}} for pk in pks]
        asked: dict[str, Any] = {self._table: {"Keys": keys, "ConsistentRead": True}}
        found: dict[str, Attributes] = {}
        for _ in range(_ROUNDS):
            got = msgspec.json.decode(self._client.call("BatchGetItem", ENCODE({"RequestItems": asked})), type=_Got)
            found |= {item["pk"]["S"]: item for item in got.responses.get(self._table, ())}
            asked = got.unprocessed
            if not asked:
                return found
        raise TransientError("table_unavailable", "the table left keys unread")
