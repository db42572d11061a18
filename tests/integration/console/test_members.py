"""Invitations and members as operators see them; parties that move in the tree, and cycles that are refused."""

import msgspec

from tests.integration.console import brand
from tests.integration.console.brand import DAY_MS
from tests.integration.console.conftest import NOW_MS, Api, Bench
from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.audit import AuditDraft
from uncap.domain.memberships import Invitation, Membership, accepted, key_of


def accept(bench: Bench, code: str, person: str) -> None:
    """What the scan API's transaction leaves behind."""
    desk = bench.desk
    invitation = desk.parties.value(f"invitation#{key_of(code)}", "meta", Invitation)
    assert invitation is not None
    used, membership = accepted(invitation, None, person, NOW_MS)
    writes = [
        DocWrite("parties", f"invitation#{used.key}", "meta", doc_of(used), used.version),
        DocWrite("parties", f"memberships#{used.party_id}", used.invitation_id, doc_of(used), used.version),
        DocWrite("parties", f"membership#{person}", "meta", doc_of(membership), 1),
    ]
    desk.writes.commit(writes, AuditDraft("test", "admin", "test.join", person))


def test_an_invitation_is_shown_once_kept_as_a_hash_and_audited(bench: Bench, admin: Api) -> None:
    brand.parties(admin)
    issued = admin.ok("POST", "/parties/shop-a/invitations", {"note": "Wang at the counter"})
    assert (issued["party_id"], issued["party_role"]) == ("shop-a", "outlet")
    assert issued["expires_at_ms"] == NOW_MS + 7 * DAY_MS
    items = bench.client.scan(TableName="parties")["Items"]
    code = issued["code"]
    assert not [item for item in items if code in str(item) or code.replace("-", "") in str(item)]
    [member] = admin.ok("GET", "/parties/shop-a/members")["items"]
    assert (member["state"], member["note"]) == ("open", "Wang at the counter")
    actions = [one["action"] for one in admin.ok("GET", "/audit?day=2026-11-22")["entries"]]
    assert "parties.invite" in actions
    assert admin.refused("POST", "/parties/nobody/invitations", {}) == (404, "party_unknown")
    assert admin.refused("POST", "/parties/shop-a/invitations", {"days": 99}) == (400, "body_invalid")


def test_a_membership_is_ended(bench: Bench, admin: Api) -> None:
    brand.parties(admin)
    issued = admin.ok("POST", "/parties/shop-a/invitations", {"days": 1})
    accept(bench, issued["code"], "p_ANN")
    path = f"/parties/shop-a/members/{issued['invitation_id']}/end"
    assert admin.ok("GET", "/parties/shop-a/members")["items"][0]["state"] == "member"
    assert admin.ok("POST", path, {"reason": "left the shop"})["state"] == "revoked"
    assert admin.ok("POST", path, {"reason": "left the shop"})["state"] == "revoked"
    stored = bench.desk.parties.value("membership#p_ANN", "meta", Membership)
    assert stored is not None
    assert not stored.stands
    unused = admin.ok("POST", "/parties/shop-a/invitations", {})
    admin.ok("POST", f"/parties/shop-a/members/{unused['invitation_id']}/end", {"reason": "sent to the wrong person"})
    withdrawn = bench.desk.parties.value(f"invitation#{key_of(unused['code'])}", "meta", Invitation)
    assert withdrawn is not None
    assert withdrawn.revoked_at_ms
    missing = "/parties/shop-a/members/i000000000000/end"
    assert admin.refused("POST", missing, {"reason": "none"}) == (404, "invitation_unknown")
    bench.clock.now_ms += 60_000
    assert {one["state"] for one in admin.ok("GET", "/parties/shop-a/members")["items"]} == {"revoked"}


def test_staff_are_invited_for_their_outlet(admin: Api) -> None:
    brand.parties(admin)
    clerk = {"party_id": "clerk", "role": "outlet_staff", "name": brand.words("Clerk"), "parent_id": "shop-a"}
    admin.ok("POST", "/parties", clerk)
    issued = admin.ok("POST", "/parties/clerk/invitations", {})
    assert (issued["party_id"], issued["party_role"]) == ("shop-a", "outlet_staff")


def test_an_outlet_changes_its_distributor(admin: Api) -> None:
    brand.parties(admin)
    moved = admin.ok("POST", "/parties/shop-a/parent", {"parent_id": "dist-b", "reason": "new contract"})
    assert (moved["parent_id"], moved["version"]) == ("dist-b", 2)
    children = {
        parent: [one["party_id"] for one in admin.ok("GET", f"/parties?parent_id={parent}")["items"]]
        for parent in ("dist-a", "dist-b")
    }
    assert children == {"dist-a": [], "dist-b": ["shop-a"]}
    tree = admin.ok("GET", "/parties/brand/tree")
    under = {one["party"]["party_id"]: one["children"] for one in tree["children"]}
    under = {name: [child["party"]["party_id"] for child in children] for name, children in under.items()}
    assert under == {"dist-a": [], "dist-b": ["shop-a"]}
    again = admin.ok("POST", "/parties/shop-a/parent", {"parent_id": "dist-b", "reason": "again"})
    assert again == moved
    back = admin.ok("POST", "/parties/shop-a/parent", {"parent_id": "dist-a", "reason": "as before"})
    assert msgspec.convert(back["version"], int) == 3


def test_cycles_in_the_channel_tree_are_refused(admin: Api) -> None:
    brand.parties(admin)
    for party_id, parent in (("sub-1", "dist-a"), ("sub-2", "sub-1")):
        body = {"party_id": party_id, "role": "sub_distributor", "name": brand.words(party_id), "parent_id": parent}
        admin.ok("POST", "/parties", body)

    def move(party_id: str, parent_id: str) -> tuple[int, str]:
        return admin.refused("POST", f"/parties/{party_id}/parent", {"parent_id": parent_id, "reason": "try"})

    assert move("sub-1", "sub-2") == (409, "channel_cycle")
    assert move("sub-1", "sub-1") == (409, "channel_cycle")
    assert move("dist-a", "sub-2") == (409, "channel_cycle")
    assert move("shop-a", "brand") == (400, "parent_invalid")
    assert move("shop-a", "nobody") == (404, "party_unknown")
    selfish = {"party_id": "x", "role": "sub_distributor", "name": brand.words("x"), "parent_id": "x"}
    assert admin.refused("POST", "/parties", selfish) == (404, "party_unknown")
