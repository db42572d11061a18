"""Joining a party by an invitation, and scanning for it: who may, what is recorded, and how long it is believed."""

import json
from typing import Any

import msgspec
import pytest

from tests.kits.scan_events import body_of, event
from tests.kits.scan_kit import GTIN, NOON_MS, serial_of
from tests.kits.scan_replies import problem
from tests.unit.routes.conftest import Api
from uncap.domain.catalog import Role
from uncap.domain.memberships import BELIEVED_S, Invitation, Membership, key_of, new_code
from uncap.domain.sessions import Session, unseal

CODE = new_code(bytes(range(7)))
DAY_MS = 86_400_000


@pytest.fixture
def invited(api: Api) -> Api:
    api.world.memberships.invitations[key_of(CODE)] = Invitation(
        "i000000000001", key_of(CODE), "shop-a", "outlet", "anna", NOON_MS, NOON_MS + 7 * DAY_MS
    )
    return api


def post(api: Api, sample: str, body: object, token: str, **headers: str) -> dict[str, Any]:
    sent = event(sample, token=token) | {"body": json.dumps(body)}
    sent["headers"] |= headers
    return api.call(sent)


def join(api: Api, person: str = "ann", code: str = CODE) -> dict[str, Any]:
    return post(api, "membership", {"code": code}, api.token(person))


def scan(api: Api, token: str, intent: str, index: int = 1, **more: object) -> dict[str, Any]:
    body = {"gtin": GTIN, "serial": api.world.serial(index), "claim_id": "claim-0001", "intent": intent, **more}
    return post(api, "scan_json", body, token)


def session_in(api: Api, token: str) -> Session:
    return unseal(api.world.keys, token, "local", api.world.now_ms)


def test_an_invitation_makes_a_member_once(invited: Api) -> None:
    reply = join(invited, code=CODE.lower().replace("-", " "))
    assert reply["statusCode"] == 200
    body = json.loads(body_of(reply))
    assert (body["party_id"], body["party_role"]) == ("shop-a", "outlet")
    member = session_in(invited, body["token"])
    assert (member.party, member.party_role) == ("shop-a", "outlet")
    assert member.member_until_s == NOON_MS // 1000 + BELIEVED_S
    again = json.loads(body_of(join(invited)))
    assert again["party_id"] == "shop-a"
    problem(join(invited, "bob"), 409, "invitation_used")
    stored = invited.world.memberships
    assert len(stored.members) == 1
    assert not reply.get("cookies")


def test_a_browser_gets_its_cookie(invited: Api) -> None:
    sent = event("scan_json_by_cookie", token=invited.token()) | {"body": json.dumps({"code": CODE})}
    for where in (sent, sent["requestContext"]):
        where["routeKey"] = "POST /v1/memberships"
    sent["rawPath"] = sent["requestContext"]["http"]["path"] = "/v1/memberships"
    reply = invited.call(sent)
    assert reply["statusCode"] == 200
    [cookie] = reply["cookies"]
    assert session_in(invited, cookie.split("=", 1)[1].split(";")[0]).party == "shop-a"
    foreign = sent | {"headers": sent["headers"] | {"origin": "https://evil.example"}}
    problem(invited.call(foreign), 403, "origin_refused")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"expires_at_ms": NOON_MS}, "invitation_expired"),
        ({"revoked_at_ms": 1}, "invitation_revoked"),
        ({"used_by": "p_SOMEONE"}, "invitation_used"),
    ],
)
def test_invitations_that_open_nothing(invited: Api, change: dict[str, Any], code: str) -> None:
    stored = invited.world.memberships.invitations
    stored[key_of(CODE)] = msgspec.structs.replace(stored[key_of(CODE)], **change)
    problem(join(invited), 409, code)


def test_refusals(invited: Api) -> None:
    problem(join(invited, code="ABCDE-FGHJ1"), 404, "invitation_unknown")
    problem(join(invited, code="ABCDE-FGHJL"), 400, "invitation_malformed")
    problem(post(invited, "membership", {"code": "x"}, invited.token()), 400, "body_invalid")
    problem(post(invited, "membership", {"code": CODE}, "not-a-token"), 401, "session_invalid")
    person = invited.world.session("ann").person
    invited.world.memberships.members[person] = Membership(person, "shop-b", "outlet", "i9", 1)
    problem(join(invited), 409, "already_member")


def test_nobody_finds_a_code_by_trying(invited: Api) -> None:
    for number in range(10):
        problem(join(invited, code=f"ABCDE-0000{number}"), 404, "invitation_unknown")
    refused = problem(join(invited), 429, "invitation_tries")
    assert refused
    assert json.loads(body_of(join(invited, "bob")))["party_id"] == "shop-a"


def test_receiving_is_one_mark_and_never_a_claim(invited: Api) -> None:
    token = json.loads(body_of(join(invited)))["token"]
    invited.world.memberships.reads = 0
    place = {"lat": 30.6, "lng": 114.3, "accuracy_m": 40.0, "datum": "gcj02"}
    reply = json.loads(body_of(scan(invited, token, "receive", place=place)))
    assert (reply["outcome"], reply["reason"], reply["rewards"]) == ("observed", "", [])
    [image] = invited.world.scans.items.values()
    assert image.first is None
    assert (image.last.form, image.last.intent, image.last.outlet, image.last.reason) == (
        "observe",
        "receive",
        "shop-a",
        "",
    )
    assert image.last.cell
    assert not image.last.payee
    assert (invited.world.scans.writes, invited.world.scans.reads, invited.world.memberships.reads) == (1, 0, 0)
    first = json.loads(body_of(scan(invited, invited.token("buyer"), "claim")))
    assert first["outcome"] == "first"


def test_a_hammered_code_is_received_all_the_same(invited: Api) -> None:
    token = json.loads(body_of(join(invited)))["token"]
    for _ in range(25):
        assert scan(invited, token, "inspect")["statusCode"] == 200
    assert invited.world.scans.writes == 25


def test_what_concerns_the_goods_is_told(invited: Api) -> None:
    token = json.loads(body_of(join(invited)))["token"]
    withdrawn = json.loads(body_of(scan(invited, token, "receive", index=20)))
    assert withdrawn["reason"] == "decommissioned"
    not_active = json.loads(body_of(scan(invited, token, "receive", index=1_100)))
    assert not_active["reason"] == ""


def test_only_members_and_only_their_intents(invited: Api) -> None:
    problem(scan(invited, invited.token("buyer"), "receive"), 403, "intent_not_allowed")
    token = json.loads(body_of(join(invited)))["token"]
    problem(scan(invited, token, "redeem"), 403, "intent_not_allowed")
    assert invited.world.scans.writes == 0


def test_an_ended_membership_is_believed_for_an_hour_at_most(invited: Api) -> None:
    world = invited.world
    token = json.loads(body_of(join(invited)))["token"]
    person = world.session("ann").person
    world.memberships.members[person] = msgspec.structs.replace(world.memberships.members[person], revoked_at_ms=1)
    world.now_ms += BELIEVED_S * 1000 - 1
    assert scan(invited, token, "receive")["statusCode"] == 200
    world.now_ms += 1_001
    problem(scan(invited, token, "receive"), 403, "intent_not_allowed")


def test_a_standing_membership_is_read_again_after_an_hour(invited: Api) -> None:
    token = json.loads(body_of(join(invited)))["token"]
    invited.world.now_ms += BELIEVED_S * 1000 + 1_000
    invited.world.memberships.reads = 0
    assert scan(invited, token, "receive")["statusCode"] == 200
    assert invited.world.memberships.reads == 1


def test_signing_in_finds_the_membership(invited: Api) -> None:
    join(invited)
    signed_in = post(invited, "session", {"provider": "local", "credential": "ann"}, "")
    member = session_in(invited, json.loads(body_of(signed_in))["token"])
    assert (member.party, member.is_member(NOON_MS)) == ("shop-a", True)
    stranger = post(invited, "session", {"provider": "local", "credential": "bob"}, "")
    assert session_in(invited, json.loads(body_of(stranger))["token"]).party == ""


def with_case_codes(api: Api, role: Role) -> str:
    """The world's batch as one of cases, and the serial of case 1."""
    from tests.kits.scan_kit import BATCH

    api.world.put(batch=msgspec.structs.replace(BATCH, roles=(Role.CASE_OUTER, Role.CASE_INNER)))
    return serial_of(api.world.keyring, 1, role)


def claim_case(api: Api, token: str, role: Role = Role.CASE_INNER) -> dict[str, Any]:
    body = {"gtin": GTIN, "serial": with_case_codes(api, role), "claim_id": "claim-0002"}
    reply: dict[str, Any] = json.loads(body_of(post(api, "scan_json", body, token)))
    return reply


def test_an_outlets_member_opens_a_case_for_the_outlet(invited: Api) -> None:
    token = json.loads(body_of(join(invited)))["token"]
    assert claim_case(invited, token)["outcome"] == "first"
    [image] = invited.world.scans.items.values()
    assert image.first is not None
    assert (image.first.outlet, image.first.form) == ("shop-a", "claim")
    assert image.first.payee


def test_anyone_else_opens_a_case_for_oneself(invited: Api) -> None:
    assert claim_case(invited, invited.token("buyer"))["outcome"] == "first"
    [image] = invited.world.scans.items.values()
    assert image.first is not None
    assert image.first.outlet == ""


def test_a_member_who_claims_a_bottle_is_a_consumer(invited: Api) -> None:
    token = json.loads(body_of(join(invited)))["token"]
    invited.world.memberships.reads = 0
    assert json.loads(body_of(scan(invited, token, "claim")))["outcome"] == "first"
    [image] = invited.world.scans.items.values()
    assert image.first is not None
    assert image.first.outlet == ""
    assert invited.world.memberships.reads == 0
