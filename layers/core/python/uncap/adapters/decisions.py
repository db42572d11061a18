"""Decisions about claims and the counts they were taken with, in the Ledger table (`DecisionStore`).

`decision#{code key}#{campaign}` is written before any reward of the claim; where a rule counts openings, in one
transaction with its `tally#…` items, so that no opening is counted twice and no number is skipped (ADR 0017).
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from uncap.adapters.wire.client import RefusedError
from uncap.adapters.wire.dynamodb import ENCODE, Attributes, Caller, get_item
from uncap.domain.campaigns.counting import Tally
from uncap.domain.campaigns.facts import Decision
from uncap.domain.errors import ConflictError, TransientError

ValueT = TypeVar("ValueT")
DECISION = "decision#"
_CONDITION_FAILED = "ConditionalCheckFailedException"
_CANCELLED = "TransactionCanceledException"
_ABSENT = "attribute_not_exists(pk)"
_BATCH_GET = 100
_ROUNDS = 5


class _Refusal(msgspec.Struct):
    """A failed condition, with the item as it stands."""

    item: Attributes | None = msgspec.field(name="Item", default=None)


class _Reason(msgspec.Struct):
    code: str = msgspec.field(name="Code", default="None")
    item: Attributes | None = msgspec.field(name="Item", default=None)


class _Cancelled(msgspec.Struct):
    """Why a transaction was not carried out, one reason per item in the order sent."""

    reasons: list[_Reason] = msgspec.field(name="CancellationReasons", default_factory=list)


class _Got(msgspec.Struct):
    responses: dict[str, list[Attributes]] = msgspec.field(name="Responses", default_factory=dict)
    unprocessed: dict[str, Any] = msgspec.field(name="UnprocessedKeys", default_factory=dict)


class WireDecisions:
    """`DecisionStore` over the wire client. Safe to share between threads."""

    def __init__(self, client: Caller, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, ref: str, campaign_id: str) -> Decision | None:
        """See `DecisionStore`."""
        item = get_item(self._client, self._table, {"pk": decision_key(ref, campaign_id)}, consistent=True)
        return _value(item, Decision) if item else None

    def read_many(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Decision]:
        """See `DecisionStore`."""
        wanted = {decision_key(*key): key for key in keys}
        return {wanted[pk]: _value(item, Decision) for pk, item in self._get_all(list(wanted)).items()}

    def tallies(self, keys: Sequence[str]) -> Mapping[str, Tally]:
        """See `DecisionStore`."""
        return {pk: _value(item, Tally) for pk, item in self._get_all(list(dict.fromkeys(keys))).items()}

    def decide(self, decision: Decision, tallies: Mapping[str, Tally]) -> Decision:
        """See `DecisionStore`."""
        return self._write(decision, tallies)

    def complete(self, old: Decision, new: Decision, tallies: Mapping[str, Tally]) -> Decision:
        """See `DecisionStore`."""
        return self._write(msgspec.structs.replace(new, rev=old.rev + 1), tallies)

    def _write(self, decision: Decision, tallies: Mapping[str, Tally]) -> Decision:
        """One request; a put alone costs one unit, a transaction two per item."""
        put = self._put(decision_key(decision.ref, decision.campaign_id), decision, decision.rev)
        if not tallies:
            refusal = self._conditional("PutItem", put)
            return decision if refusal is None else self._stored(refusal.item, decision)
        puts = [put, *(self._put(key, tally, tally.rev) for key, tally in tallies.items())]
        try:
            self._client.call("TransactWriteItems", ENCODE({"TransactItems": [{"Put": one} for one in puts]}))
        except RefusedError as refused:
            return self._cancelled(refused, decision)
        return decision

    def _put(self, pk: str, value: Decision | Tally, rev: int) -> dict[str, Any]:
        """A put at revision `rev`, on condition that what is stored is the one before."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "Item": {"pk": {"S": pk}, "doc": {"S": ENCODE(value).decode()}, "rev": {"N": str(rev)}},
            "ConditionExpression": _ABSENT if rev == 1 else "rev = :old",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if rev > 1:
            request["ExpressionAttributeValues"] = {":old": {"N": str(rev - 1)}}
        return request

    def _conditional(self, operation: str, request: dict[str, Any]) -> _Refusal | None:
        try:
            self._client.call(operation, ENCODE(request))
        except RefusedError as refused:
            if refused.service_code != _CONDITION_FAILED:
                raise _unavailable(refused) from refused
            return msgspec.json.decode(refused.body, type=_Refusal)
        return None

    def _cancelled(self, refused: RefusedError, decision: Decision) -> Decision:
        """The stored decision if there is one: it may well be ours, whose reply was lost. Else a count moved."""
        if refused.service_code != _CANCELLED:
            raise _unavailable(refused) from refused
        reasons = msgspec.json.decode(refused.body, type=_Cancelled).reasons
        if reasons and reasons[0].code == "ConditionalCheckFailed":
            return self._stored(reasons[0].item, decision)
        raise ConflictError("tally_moved", "another claim was counted in this moment") from refused

    def _stored(self, item: Attributes | None, decision: Decision) -> Decision:
        stored = _value(item, Decision) if item else self.read(decision.ref, decision.campaign_id)
        if stored is None:
            raise TransientError("decision_vanished", "a decision was refused and is not there")
        return stored

    def _get_all(self, pks: Sequence[str]) -> dict[str, Attributes]:
        found: dict[str, Attributes] = {}
        for at in range(0, len(pks), _BATCH_GET):
            found |= self._get_batch(pks[at : at + _BATCH_GET])
        return found

    def _get_batch(self, pks: Sequence[str]) -> dict[str, Attributes]:
        keys = [{"pk": {"S": pk}} for pk in pks]
        asked: dict[str, Any] = {self._table: {"Keys": keys, "ConsistentRead": True}}
        found: dict[str, Attributes] = {}
        for _ in range(_ROUNDS):
            reply = self._client.call("BatchGetItem", ENCODE({"RequestItems": asked}))
            got = msgspec.json.decode(reply, type=_Got)
            found |= {item["pk"]["S"]: item for item in got.responses.get(self._table, ())}
            asked = got.unprocessed
            if not asked:
                return found
        raise TransientError("table_unavailable", "the table left keys unread")


def decision_key(ref: str, campaign_id: str) -> str:
    """The partition key of a decision."""
    return f"{DECISION}{ref}#{campaign_id}"


def _value(item: Attributes, kind: type[ValueT]) -> ValueT:
    return msgspec.json.decode(item["doc"]["S"], type=kind)


def _unavailable(refused: RefusedError) -> TransientError:
    return TransientError("table_unavailable", f"the table did not answer ({refused.service_code})")
