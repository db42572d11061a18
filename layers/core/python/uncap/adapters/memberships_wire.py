"""Invitations and memberships for the scan path: Parties under `invitation#`, `membership#` and `memberships#` only.

The role of scan_api is held to these partitions (infra/access.yaml): operators and the tree are out of its reach.
"""

import hashlib

import msgspec

from uncap.adapters.wire.client import RefusedError
from uncap.adapters.wire.dynamodb import ENCODE, Caller, get_item
from uncap.domain.errors import ConflictError
from uncap.domain.memberships import Invitation, Membership

_INVITATION = msgspec.json.Decoder(Invitation)
_MEMBERSHIP = msgspec.json.Decoder(Membership)
_DOC = {"#d": "doc"}
_CANCELLED = "TransactionCanceledException"


class WireMemberships:
    """`services/join_party.py`'s store over the wire client. Raises TransientError."""

    def __init__(self, client: Caller, table: str) -> None:
        self._client = client
        self._table = table

    def membership(self, person: str) -> Membership | None:
        """The person's, strongly consistent, revoked or not; None if there never was one."""
        doc = self._doc(f"membership#{person}")
        return _MEMBERSHIP.decode(doc) if doc else None

    def invitation(self, key: str) -> Invitation | None:
        """By the hash of its code, strongly consistent."""
        doc = self._doc(f"invitation#{key}")
        return _INVITATION.decode(doc) if doc else None

    def join(self, used: Invitation, membership: Membership) -> None:
        """Both and the party's list in one transaction. Raises ConflictError (`changed_meanwhile`)."""
        docs = (
            (f"invitation#{used.key}", "meta", used, used.version),
            (f"membership#{membership.person}", "meta", membership, membership.version),
            (f"memberships#{used.party_id}", used.invitation_id, used, used.version),
        )
        token = hashlib.sha256("|".join((used.key, membership.person, str(membership.since_ms))).encode()).hexdigest()
        request = {"TransactItems": [self._put(*one) for one in docs], "ClientRequestToken": token[:36]}
        try:
            self._client.call("TransactWriteItems", ENCODE(request))
        except RefusedError as refused:
            if refused.service_code != _CANCELLED:
                raise
            raise ConflictError("changed_meanwhile", "This invitation has just been used or changed.") from refused

    def _doc(self, pk: str) -> str:
        key = {"pk": pk, "sk": "meta"}
        item = get_item(self._client, self._table, key, consistent=True, attributes=_DOC)
        return str(item["doc"]["S"]) if item else ""

    def _put(self, pk: str, sk: str, value: Invitation | Membership, version: int) -> dict[str, object]:
        item = {
            "pk": {"S": pk},
            "sk": {"S": sk},
            "doc": {"S": msgspec.json.encode(value).decode()},
            "v": {"N": str(version)},
        }
        put: dict[str, object] = {"TableName": self._table, "Item": item}
        if version == 1:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "v = :v"
            put["ExpressionAttributeValues"] = {":v": {"N": str(version - 1)}}
        return {"Put": put}
