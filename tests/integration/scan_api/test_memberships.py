"""Memberships over the wire client against real conditions: joined once, whoever races, and found again."""

import msgspec
import pytest

from tests.integration.scan_api.conftest import Stack
from uncap.adapters.memberships_wire import WireMemberships
from uncap.domain.errors import ConflictError
from uncap.domain.memberships import Invitation, accepted, key_of, new_code

NOW_MS = 1_795_320_000_000


def put(stack: Stack, pk: str, sk: str, invitation: Invitation) -> None:
    item = {
        "pk": {"S": pk},
        "sk": {"S": sk},
        "doc": {"S": msgspec.json.encode(invitation).decode()},
        "v": {"N": str(invitation.version)},
    }
    stack.dynamodb.put_item(TableName="Parties", Item=item)


def test_an_invitation_is_used_once(stack: Stack) -> None:
    key = key_of(new_code(b"1234567"))
    invitation = Invitation("i1", key, "shop-a", "outlet", "anna", NOW_MS, NOW_MS + 1_000)
    put(stack, f"invitation#{key}", "meta", invitation)
    put(stack, "memberships#shop-a", "i1", invitation)
    store = WireMemberships(stack.client(), "Parties")
    assert store.invitation(key) == invitation
    assert store.membership("p_ANN") is None
    mine = accepted(invitation, None, "p_ANN", NOW_MS)
    theirs = accepted(invitation, None, "p_BOB", NOW_MS)
    store.join(*mine)
    with pytest.raises(ConflictError, match="changed_meanwhile"):
        store.join(*theirs)
    assert store.membership("p_BOB") is None
    assert (store.invitation(key), store.membership("p_ANN")) == mine
    listed = stack.dynamodb.get_item(TableName="Parties", Key={"pk": {"S": "memberships#shop-a"}, "sk": {"S": "i1"}})
    assert msgspec.json.decode(listed["Item"]["doc"]["S"], type=Invitation).used_by == "p_ANN"
    assert store.invitation("nothing") is None
