"""Redemptions and replenishment claims in the Ledger, each act one transaction (ADR 0021). Over the wire client.

Items: `replenish#{claimant}#{upstream}` doc Claim, `rev`; `claimant#{claimant}#{upstream}` points at it; `step#{id}`
doc Step; `right#{hash of a code}` names its reward. `owner` and `owner_at` list them (index `owner`): a party's claims,
what is claimed of it, its steps by time; and a person's rewards (`ledger_items.py`).
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from uncap.adapters.owner_lists import OwnerLists, claims_on, claims_owner, steps_owner
from uncap.adapters.reward_updates import update_of
from uncap.adapters.wire.client import RefusedError
from uncap.adapters.wire.dynamodb import ENCODE, Attributes, Caller, get_item
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.ledger import JournalEntry, balanced
from uncap.domain.replenishment import Claim, Step
from uncap.domain.rewards.reward import Reward

CLAIM, POINTER, STEP, RIGHT, ENTRY = "replenish#", "claimant#", "step#", "right#", "entry#"
_ABSENT = "attribute_not_exists(pk)"
_CANCELLED, _CONDITION_FAILED = "TransactionCanceledException", "ConditionalCheckFailed"
_MAX_LIST = 200
ValueT = TypeVar("ValueT")


class _Reason(msgspec.Struct):
    code: str = msgspec.field(name="Code", default="")


class _Cancelled(msgspec.Struct):
    reasons: list[_Reason] = msgspec.field(name="CancellationReasons", default_factory=list)


class Move(msgspec.Struct, frozen=True):
    """A claim before and after, None before the first; its step, and the entry where it settles."""

    old: Claim | None
    new: Claim
    step: Step
    entry: JournalEntry | None = None


class Replenishments:
    """Safe to share between threads. Raises TransientError where nothing is certain: the same again is safe."""

    def __init__(self, client: Caller, table: str) -> None:
        self._client = client
        self._table = table
        self._lists = OwnerLists(client, table)

    def reward_of(self, key: str) -> str:
        """The reward id a code's hash stands for, "" if nobody was shown such a code."""
        item = get_item(self._client, self._table, {"pk": RIGHT + key}, consistent=True)
        return str(item["doc"]["S"]) if item else ""

    def note_right(self, key: str, reward_id: str) -> None:
        """From now on the code finds its reward. Repeating it writes the same."""
        item = {"pk": {"S": RIGHT + key}, "doc": {"S": reward_id}}
        self._client.call("PutItem", ENCODE({"TableName": self._table, "Item": item}))

    def claim(self, claimant: str, upstream: str) -> Claim | None:
        """The claim as of now."""
        return self._value(f"{CLAIM}{claimant}#{upstream}", Claim)

    def step(self, step_id: str) -> Step | None:
        """The step, if it was made."""
        return self._value(STEP + step_id, Step)

    def claims_of(self, claimant: str) -> list[Claim]:
        """All claims of a party's."""
        keys = [CLAIM + pk[len(POINTER) :] for pk in self._lists.keys(claims_owner(claimant), _MAX_LIST)]
        return self._values(keys, Claim)

    def claims_on(self, upstream: str) -> list[Claim]:
        """All claims on a party, up to 200."""
        return self._values(self._lists.keys(claims_on(upstream), _MAX_LIST), Claim)

    def steps_of(self, claimant: str, limit: int = 50) -> list[Step]:
        """What happened to a party's claims, newest first."""
        found = self._values(self._lists.keys(steps_owner(claimant), limit), Step)
        return sorted(found, key=lambda one: (-one.at_ms, one.step_id))

    def redeem(self, old: Reward, new: Reward, move: Move) -> None:
        """The right, the outlet's entry and its claim upstream, all or nothing.

        ConflictError: `reward_moved`, `claim_moved` (read both again).
        """
        self._transact([{"Update": update_of(self._table, old, new)}, *self._claim_puts(move)], ("reward_moved",))

    def decide(self, *moves: Move) -> None:
        """One step of a claim, and what it raises further up. ConflictError (`claim_moved`)."""
        self._transact([put for move in moves for put in self._claim_puts(move)], ())

    def _claim_puts(self, move: Move) -> list[dict[str, Any]]:
        claim, step = move.new, move.step
        names = f"{claim.claimant}#{claim.upstream}"
        owner = (claims_on(claim.upstream), claim.opened_at_ms)
        before = move.old.rev if move.old else 0
        puts = [
            self._put(CLAIM + names, claim, owner, before, rev=claim.rev),
            self._put(STEP + step.step_id, step, (steps_owner(step.claimant), step.at_ms), 0),
        ]
        if move.old is None:
            own = (claims_owner(claim.claimant), claim.opened_at_ms)
            puts.append(self._put(POINTER + names, claim.upstream, own, 0))
        if move.entry is not None:
            balanced(move.entry.postings)
            puts.append(self._put(ENTRY + move.entry.entry_id, move.entry, None, 0))
        return puts

    def _put(
        self, pk: str, value: object, owner: tuple[str, int] | None, before: int, *, rev: int = 1
    ) -> dict[str, Any]:
        item: Attributes = {"pk": {"S": pk}, "doc": {"S": ENCODE(value).decode()}, "rev": {"N": str(rev)}}
        if owner is not None:
            item |= {"owner": {"S": owner[0]}, "owner_at": {"N": str(owner[1])}}
        put: dict[str, Any] = {"TableName": self._table, "Item": item, "ConditionExpression": _ABSENT}
        if before:
            put |= {"ConditionExpression": "rev = :old", "ExpressionAttributeValues": {":old": {"N": str(before)}}}
        return {"Put": put}

    def _transact(self, items: list[dict[str, Any]], codes: tuple[str, ...]) -> None:
        try:
            self._client.call("TransactWriteItems", ENCODE({"TransactItems": items}))
        except RefusedError as refused:
            if refused.service_code != _CANCELLED:
                raise TransientError(
                    "table_unavailable", f"the table did not answer ({refused.service_code})"
                ) from None
            reasons = [one.code for one in msgspec.json.decode(refused.body, type=_Cancelled).reasons]
            if codes and reasons[:1] == [_CONDITION_FAILED]:
                raise ConflictError(codes[0], "the item is not in the state this write expects") from refused
            # A failed condition, or another transaction at the same moment: the caller reads and judges anew.
            raise ConflictError("claim_moved", "the claim has changed meanwhile") from refused

    def _value(self, pk: str, kind: type[ValueT]) -> ValueT | None:
        item = get_item(self._client, self._table, {"pk": pk}, consistent=True)
        return msgspec.json.decode(item["doc"]["S"], type=kind) if item else None

    def _values(self, pks: Sequence[str], kind: type[ValueT]) -> list[ValueT]:
        found = self._lists.items(pks)
        return [msgspec.json.decode(found[pk]["doc"]["S"], type=kind) for pk in pks if pk in found]
