"""The rate and the daily counts of merchant accounts, in the Limits table: `PaceStore` over the wire client.

`rail#{account}`: `nxt` the next free slot, `rest` epoch ms until which nothing is given out. `rail#{account}#{day}` and
`rail#{account}#{day}#{payee}`: `n` payouts, `amount` their sum; forgotten by TTL (docs/adr/0022).
"""

from typing import Any

import msgspec

from uncap.adapters.wire.client import RefusedError
from uncap.adapters.wire.dynamodb import Attributes, Caller, get_item, update_item
from uncap.domain.errors import TransientError
from uncap.domain.rail_schedule import Allowance, Pace

RAIL = "rail#"
_CONDITION_FAILED = "ConditionalCheckFailedException"
_AWAKE = "(attribute_not_exists(#rest) OR #rest <= :ms)"
_QUEUED = ("SET nxt = nxt + :count", f"nxt >= :first AND nxt <= :last AND {_AWAKE}")
_IDLE = ("SET nxt = :after", f"(attribute_not_exists(nxt) OR nxt < :first) AND {_AWAKE}")
_TRIES = 4


class _Refusal(msgspec.Struct):
    """The body of a failed condition, with the item as it stands."""

    item: Attributes | None = msgspec.field(name="Item", default=None)


class WirePace:
    """`PaceStore`. Safe to share between threads."""

    def __init__(self, client: Caller, table: str) -> None:
        self._client = client
        self._table = table

    def lease(self, account: str, earliest: int, latest: int, count: int, now_ms: int) -> Pace:
        """See `PaceStore`. One conditional write; a second where the account was idle or others came first.

        A reply that was lost costs the slots it was about: they are nobody's.
        """
        form = _QUEUED
        pace = Pace()
        for _ in range(_TRIES):
            values = {"first": earliest, "last": latest, "ms": now_ms, "count": count, "after": earliest + count}
            item, taken = self._update(f"{RAIL}{account}", form, values)
            if taken:
                return Pace(first=_number(item, "nxt") - count)
            pace = Pace(None, _number(item, "nxt"), _number(item, "rest"))
            if pace.rests_until_ms > now_ms or pace.next_free > latest:
                return pace
            form = _IDLE if pace.next_free < earliest else _QUEUED
        raise TransientError("pace_contended", "the account's slots keep moving")

    def rest(self, account: str, until_ms: int) -> None:
        """See `PaceStore`."""
        form = ("SET #rest = :until", "attribute_not_exists(#rest) OR #rest < :until")
        self._update(f"{RAIL}{account}", form, {"until": until_ms})

    def rests_until(self, account: str) -> int:
        """See `PaceStore`."""
        return _number(get_item(self._client, self._table, {"pk": f"{RAIL}{account}"}, consistent=False) or {}, "rest")

    def spend(self, counter: str, amount_minor: int, limit: Allowance, expires_at_s: int) -> bool:
        """See `PaceStore`."""
        checks: list[str] = []
        values = {"one": 1, "sum": amount_minor, "ttl": expires_at_s}
        if limit.count is not None:
            if limit.count < 1:
                return False
            checks.append("n < :count")
            values["count"] = limit.count
        if limit.amount_minor is not None:
            if amount_minor > limit.amount_minor:
                return False
            checks.append("amount <= :room")
            values["room"] = limit.amount_minor - amount_minor
        condition = f"attribute_not_exists(n) OR ({' AND '.join(checks)})"
        _, taken = self._update(f"{RAIL}{counter}", ("ADD n :one, amount :sum SET #ttl = :ttl", condition), values)
        return taken

    def _update(self, pk: str, form: tuple[str, str], values: dict[str, int]) -> tuple[Attributes, bool]:
        """The item as it then is, and whether the write was done."""
        update, condition = form
        text = f"{update} {condition}"
        names = {f"#{name}": name for name in ("rest", "ttl") if f"#{name}" in text}
        request: dict[str, Any] = {
            "TableName": self._table,
            "Key": {"pk": {"S": pk}},
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {
                f":{name}": {"N": str(value)} for name, value in values.items() if f":{name}" in text
            },
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if names:
            request["ExpressionAttributeNames"] = names
        try:
            return update_item(self._client, request), True
        except RefusedError as refused:
            if refused.service_code != _CONDITION_FAILED:
                raise TransientError("pace_unavailable", f"the table refused: {refused.service_code}") from refused
            item = msgspec.json.decode(refused.body, type=_Refusal).item
        if item is None:  # an endpoint that does not return the item with the refusal
            item = get_item(self._client, self._table, {"pk": pk}, consistent=True) or {}
        return item, False


def _number(item: Attributes, name: str) -> int:
    return int(item.get(name, {}).get("N", "0"))
