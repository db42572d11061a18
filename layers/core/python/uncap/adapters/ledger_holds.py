"""Rewards that take places in budgets, written together with the counters: the wire side of `domain/rewards/holds.py`.

`hold#{place}` items of the Ledger carry `n`, how many hold it. One transaction of two to five items; mixed into
`ledger_hot.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from uncap.adapters.wire.client import RefusedError
from uncap.adapters.wire.dynamodb import ENCODE, Attributes, Caller
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.rewards.holds import HoldPlace, HoldRefusedError

HOLD = "hold#"
CANCELLED = "TransactionCanceledException"
FAILED = "ConditionalCheckFailed"
_BATCH_GET = 100
_ROUNDS = 5


class Reason(msgspec.Struct):
    """Why one item of a transaction stood in its way; "None" where it did not."""

    code: str = msgspec.field(name="Code", default="None")
    item: Attributes | None = msgspec.field(name="Item", default=None)


class _Cancelled(msgspec.Struct):
    reasons: list[Reason] = msgspec.field(name="CancellationReasons", default_factory=list)


class _Got(msgspec.Struct):
    responses: dict[str, list[Attributes]] = msgspec.field(name="Responses", default_factory=dict)
    unprocessed: dict[str, Any] = msgspec.field(name="UnprocessedKeys", default_factory=dict)


def transact(client: Caller, items: Sequence[dict[str, Any]]) -> list[Reason]:
    """Nothing if all was written, else the reasons in the order sent. Raises TransientError (`table_unavailable`)."""
    try:
        client.call("TransactWriteItems", ENCODE({"TransactItems": items}))
    except RefusedError as refused:
        if refused.service_code == "TransactionInProgressException":
            raise TransientError("hold_contended", "the same write is under way") from refused
        if refused.service_code != CANCELLED:
            raise TransientError("table_unavailable", f"the table did not answer ({refused.service_code})") from refused
        return msgspec.json.decode(refused.body, type=_Cancelled).reasons or [Reason("Unknown")]
    return []


def taking(table: str, place: HoldPlace) -> dict[str, Any]:
    """One more in a place, if it stays within its limit."""
    return _counting(
        table, place.key, "attribute_not_exists(n) OR n < :limit", {":one": "1", ":limit": str(place.limit)}
    )


def giving_back(table: str, key: str) -> dict[str, Any]:
    """One less in a place that somebody holds."""
    return _counting(table, key, "n >= :least", {":one": "-1", ":least": "1"})


def raise_refused(reasons: Sequence[Reason]) -> None:
    """For reasons of places alone: HoldRefusedError if some are full, else TransientError: try the same again."""
    full = [at for at, reason in enumerate(reasons) if reason.code == FAILED]
    if full:
        raise HoldRefusedError(full)
    raise TransientError("hold_contended", "others write to the same budget; nothing was decided")


def raise_unmoved(reasons: Sequence[Reason]) -> None:
    """For a reward that gives its places back: ConflictError (`reward_moved`), or TransientError to try again."""
    if reasons[0].code == FAILED:
        raise ConflictError("reward_moved", "the item is not in the state this write expects")
    if any(reason.code == FAILED for reason in reasons):
        raise ConflictError("hold_missing", "a budget line says that nobody holds this reward's place")
    raise TransientError("hold_contended", "others write to the same budget; nothing was decided")


def read_places(client: Caller, table: str, keys: Sequence[str]) -> Mapping[str, int]:
    """How many hold each place, strongly consistent; 0 where nobody ever did."""
    found = dict.fromkeys(keys, 0)
    for at in range(0, len(keys), _BATCH_GET):
        wanted = [{"pk": {"S": HOLD + key}} for key in dict.fromkeys(keys[at : at + _BATCH_GET])]
        asked: dict[str, Any] = {table: {"Keys": wanted, "ConsistentRead": True}}
        for _ in range(_ROUNDS):
            got = msgspec.json.decode(client.call("BatchGetItem", ENCODE({"RequestItems": asked})), type=_Got)
            for item in got.responses.get(table, ()):
                found[item["pk"]["S"][len(HOLD) :]] = int(item["n"]["N"])
            asked = got.unprocessed
            if not asked:
                break
        else:
            raise TransientError("table_unavailable", "the table left keys unread")
    return found


def _counting(table: str, key: str, condition: str, values: Mapping[str, str]) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": table,
            "Key": {"pk": {"S": HOLD + key}},
            "UpdateExpression": "ADD n :one",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {name: {"N": value} for name, value in values.items()},
        }
    }
