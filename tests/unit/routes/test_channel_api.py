"""The channel API's handler over an in-memory market: JSON, forms, pages; who may see and do what."""

import base64
import json
import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import msgspec
import pytest

from tests.kits.replenish_kit import KEY, Market
from tests.kits.scan_kit import GTIN, FakeMemberships, FakeMeter, World
from uncap.adapters.ledger_items import REWARD, owner_of, reward_doc
from uncap.adapters.wire.dynamodb import Attributes
from uncap.domain.identity import open_address, open_name
from uncap.domain.memberships import INVITATION_LIFETIME_MS, Invitation, Membership, key_of
from uncap.domain.rails import UserAction
from uncap.domain.rewards import parcels
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.rights import lookup_key
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.domain.sessions import csrf_token, seal
from uncap.routes.channel_desk import ChannelDesk
from uncap.runtime.observability import Observer
from uncap.runtime.wiring_channel import build_handler
from uncap.services.collect_reward import NameDesk
from uncap.services.give_address import AddressDesk
from uncap.services.join_party import MemberDesk
from uncap.services.read_reward import RewardAction, RewardDesk, Shipment, read_reward
from uncap.services.read_wallet import WalletDesk, tell_worker
from uncap.services.read_workspace import WorkspaceDesk

ADDRESS_KEY = secrets.token_bytes(32)


class FakeLists:
    """The index `owner` over the market's rewards."""

    def __init__(self, market: Market) -> None:
        self._rewards = market.store.rewards

    def keys(self, owner: str, limit: int) -> list[str]:
        return [REWARD + one.reward_id for one in self._rewards.values() if owner_of(one) == owner][:limit]

    def items(self, pks: Sequence[str]) -> dict[str, Attributes]:
        return {pk: {"doc": {"S": reward_doc(self._rewards[pk[len(REWARD) :]])}} for pk in pks}


class Channel:
    """`call` runs the handler; `market` and `world` are behind it."""

    def __init__(self) -> None:
        self.world, self.market = World(), Market()
        self.store, self.memberships = self.market.store, FakeMemberships()
        self.market.members = self.memberships.members
        redeem, session = self.market.desk, self.world.session_desk
        catalog, zone = self.market.catalog, redeem.zone
        self.observer = Observer("channel_api")
        wallet = WalletDesk(
            FakeLists(self.market),
            RewardDesk(self.store, catalog, "http://127.0.0.1:9/confirm"),
            catalog,
            self.world.scans,
            self.store,
            lambda: KEY,
            zone,
        )
        desk = ChannelDesk(
            session=session,
            members=MemberDesk(redeem, session, self.memberships),
            redeem=redeem,
            replenish=self.market.replenish,
            wallet=wallet,
            names=NameDesk(
                self.store,
                lambda session, reward: tell_worker(wallet, session, reward, self.market.now_ms),
                lambda: KEY,
                secrets.token_bytes,
                lambda: self.market.now_ms,
            ),
            addresses=AddressDesk(self.store, lambda: ADDRESS_KEY, secrets.token_bytes, lambda: self.market.now_ms),
            workspace=WorkspaceDesk(self.store, catalog, self.market.parties.get, zone),
            meter=FakeMeter(),
            clock_ms=lambda: self.market.now_ms,
        )
        self.run = build_handler(desk, self.observer)
        self.desk = desk
        self.wallet = wallet

    def person(self, name: str) -> str:
        return self.world.session(name).person

    def join(self, name: str, party: str) -> None:
        role = self.market.parties[party].role
        self.memberships.members[self.person(name)] = Membership(self.person(name), party, role, "i1", 0)

    def get(self, path: str, name: str = "", **query: str) -> dict[str, Any]:
        return self.call("GET", path, name, query=query)

    def form(self, path: str, name: str, /, csrf: str = "", **fields: str) -> dict[str, Any]:
        given = fields | {"csrf": csrf or csrf_token(self.world.keys, self.world.session(name))}
        kind = "application/x-www-form-urlencoded"
        return self.call("POST", path, name, body=urlencode(given), headers={"content-type": kind})

    def post(self, path: str, name: str, body: object, **headers: str) -> dict[str, Any]:
        sent = {"content-type": "application/json", **headers}
        return self.call("POST", path, name, body=json.dumps(body), headers=sent)

    def call(
        self,
        method: str,
        path: str,
        name: str = "",
        *,
        body: str = "",
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        token = seal(self.world.keys, self.world.session(name)) if name else ""
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": urlencode(query or {}),
            "queryStringParameters": query or {},
            "headers": {"host": "127.0.0.1:5720", "accept-language": "en", **(headers or {})},
            "cookies": [f"uncap_session={token}"] if token else [],
            "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
            "body": body,
            "isBase64Encoded": False,
        }
        reply = self.run(event, None)
        if reply.get("isBase64Encoded"):
            reply = {**reply, "body": base64.b64decode(reply["body"]).decode()}
        return reply


@pytest.fixture
def channel() -> Channel:
    made = Channel()
    made.join("staff", "o-1")
    made.join("boss", "s-1")
    return made


def key() -> str:
    return secrets.token_hex(8)


def test_a_program_redeems_once(channel: Channel) -> None:
    code, mine = channel.market.win(), key()
    reply = channel.post("/v1/redemptions", "staff", {"code": code, "key": mine})
    assert reply["statusCode"] == 200
    assert json.loads(reply["body"]) | {"collect_minor": 100, "gtin": GTIN, "upstream": "s-1"} == json.loads(
        reply["body"]
    )
    again = channel.post("/v1/redemptions", "staff", {"code": code, "key": mine})
    assert again["body"] == reply["body"]
    other = channel.post("/v1/redemptions", "staff", {"code": code, "key": key()})
    assert (other["statusCode"], json.loads(other["body"])["code"]) == (409, "redemption_used")


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("", {"code": "AAAA-AAAA-AAAA", "key": "12345678"}, 401, "session_required"),
        ("stranger", {"code": "AAAA-AAAA-AAAA", "key": "12345678"}, 403, "intent_not_allowed"),
        ("boss", {"code": "AAAA-AAAA-AAAA", "key": "12345678"}, 403, "intent_not_allowed"),
        ("staff", {"code": "AAAA-AAAA-AAAA", "key": "12345678"}, 404, "redemption_code_unknown"),
        ("staff", {"code": "?", "key": "12345678"}, 400, "redemption_code_malformed"),
        ("staff", {"code": "AAAA-AAAA-AAAA", "key": "1"}, 400, "body_invalid"),
        ("staff", {"code": "AAAA-AAAA-AAAA"}, 400, "body_invalid"),
        ("staff", [], 400, "body_invalid"),
    ],
)
def test_refusals_are_problems(channel: Channel, name: str, body: object, status: int, code: str) -> None:
    reply = channel.post("/v1/redemptions", name, body)
    assert (reply["statusCode"], json.loads(reply["body"])["code"]) == (status, code)


def test_another_sites_page_cannot_redeem(channel: Channel) -> None:
    body = {"code": channel.market.win(), "key": key()}
    reply = channel.post("/v1/redemptions", "staff", body, origin="https://elsewhere.example")
    assert json.loads(reply["body"])["code"] == "origin_refused"
    assert not channel.store.claims


def test_a_revoked_member_redeems_no_more(channel: Channel) -> None:
    known = channel.memberships.members[channel.person("staff")]
    channel.memberships.members[channel.person("staff")] = msgspec.structs.replace(known, revoked_at_ms=1)
    reply = channel.post("/v1/redemptions", "staff", {"code": channel.market.win(), "key": key()})
    assert reply["statusCode"] == 403


def test_the_outlets_page_redeems_without_script(channel: Channel) -> None:
    code = channel.market.win()
    page = channel.get("/outlet", "staff", code=code)
    assert page["statusCode"] == 200
    assert f'value="{code}"' in page["body"]
    assert channel.store.claims == {}, "a GET redeems nothing"
    done = channel.form("/outlet/redeem", "staff", code=code.lower(), key=key())
    assert done["statusCode"] == 200
    assert "Redeemed: hand over one" in done["body"]
    assert "¥1.00" in done["body"]
    refused = channel.form("/outlet/redeem", "staff", code=code, key=key())
    assert refused["statusCode"] == 409
    assert "redeemed already" in refused["body"]
    stale = channel.form("/outlet/redeem", "staff", csrf="x", code=code, key=key())
    assert stale["statusCode"] == 401
    assert "too old" in stale["body"]


def test_the_distributor_sees_and_settles_its_own_outlets_claims_only(channel: Channel) -> None:
    channel.post("/v1/redemptions", "staff", {"code": channel.market.win(), "key": key()})
    assert 'id="asked"' not in channel.get("/outlet", "staff")["body"]
    act = {"claimant": "o-1", "gtin": GTIN, "pieces": "1"}
    for wrong in ("staff", "stranger"):
        assert channel.form("/outlet/claims", wrong, kind="approve", key=key(), **act)["statusCode"] in (403, 404)
    assert channel.form("/outlet/claims", "boss", kind="approve", key=key(), **act)["statusCode"] == 303
    more = {"key": key(), "reference": "cn-1", "amount": "4.5"}
    assert channel.form("/outlet/claims", "boss", kind="credit", **act, **more)["statusCode"] == 303
    assert channel.store.claims["o-1", "s-1"].open == 0
    assert channel.store.claims["s-1", "d-1"].open == 1
    assert [one.amount_minor for one in channel.store.steps.values() if one.kind == "credit"] == [450]
    page = channel.get("/outlet", "boss", done="credit")["body"]
    assert "The credit is recorded." in page
    told = json.loads(channel.get("/v1/replenishments", "boss")["body"])
    assert (told["vouchers"], [line["claimant"] for line in told["asked"]]) == (1, ["o-1"])
    wrong_kind = channel.form("/outlet/claims", "boss", kind="burn", key=key(), **act)
    assert wrong_kind["statusCode"] == 400


def test_claims_by_program(channel: Channel) -> None:
    channel.post("/v1/redemptions", "staff", {"code": channel.market.win(), "key": key()})
    act = {"kind": "approve", "gtin": GTIN, "pieces": 1, "key": "a-1"}
    for _ in range(2):
        reply = channel.post("/v1/replenishments/o-1", "boss", act)
        assert json.loads(reply["body"])["lines"][0]["approved"] == 1
    reply = channel.post("/v1/replenishments/o-1", "staff", act)
    assert json.loads(reply["body"])["code"] == "claim_unknown"


def test_joining_by_a_form(channel: Channel) -> None:
    code = "ABCDE-FGHJK"
    now = channel.market.now_ms
    invitation = Invitation("i9", key_of(code), "o-2", "outlet", "admin", now, now + INVITATION_LIFETIME_MS)
    channel.memberships.invitations[invitation.key] = invitation
    assert "Invitation code" in channel.get("/outlet", "new")["body"]
    joined = channel.form("/outlet/join", "new", code=code)
    assert (joined["statusCode"], joined["headers"]["Location"]) == (303, "/outlet")
    assert "Redeem a prize" in channel.get("/outlet", "new")["body"]
    assert channel.form("/outlet/join", "other", code=code)["statusCode"] == 409


def cash(channel: Channel, state: State, reward_id: str, **more: object) -> Reward:
    """A cash reward of Ann's, listed in her wallet."""
    channel.market.win(channel.person("ann"))
    right = channel.store.rewards.popitem()[1]
    prize = {"kind": "cash", "prize_id": "one-more", "currency": "CNY", "amount_minor": 880, "granted": ()}
    reward = msgspec.structs.replace(right, reward_id=reward_id, state=state, **(prize | more))
    channel.store.rewards[reward_id] = reward
    return reward


def test_the_wallet_shows_each_kind_of_thing_and_nobody_elses(channel: Channel) -> None:
    code = channel.market.win(channel.person("ann"))
    channel.store.codes.clear()
    cash(channel, State.CLAIMABLE, "A" * 26)
    cash(channel, State.WAIT_USER, "B" * 26, action=UserAction(kind="confirm", package="pkg"), due_at_ms=1)
    cash(channel, State.HELD, "C" * 26, reason="recalled")
    channel.market.win(channel.person("bob"))
    page = channel.get("/wallet", "ann")["body"]
    assert page.count('class="entry"') == 4
    for words in ("To redeem", "To collect again", "Waiting for you", "Being checked", "Collect again", code, "¥1.00"):
        assert words in page
    assert "http://127.0.0.1:9/confirm?package=pkg" in page
    assert "21 Feb" in page or "Valid until" in page
    assert channel.store.codes[lookup_key(code)], "a code that was shown is found"
    assert "Nothing here yet" in channel.get("/wallet", "zoe")["body"]


def test_a_code_that_was_shown_is_redeemed(channel: Channel) -> None:
    code = channel.market.win(channel.person("ann"))
    channel.store.codes.clear()
    unknown = channel.post("/v1/redemptions", "staff", {"code": code, "key": key()})
    assert json.loads(unknown["body"])["code"] == "redemption_code_unknown"
    channel.get("/wallet", "ann")
    assert channel.post("/v1/redemptions", "staff", {"code": code, "key": key()})["statusCode"] == 200
    assert code not in channel.get("/wallet", "ann")["body"]


def test_collecting_again_is_a_scan_of_ones_own_code(channel: Channel) -> None:
    reward = cash(channel, State.CLAIMABLE, "A" * 26)
    ref = CodeRef.from_key(reward.ref)
    first = Mark("c1", 1, "claim", person=channel.person("ann"), campaign="autumn@1")
    channel.world.scans.items[ref.key()] = ScanImage(ref.key(), first, 1, first)
    assert channel.form("/wallet", "bob", reward_id="A" * 26)["statusCode"] == 404
    assert channel.form("/wallet", "ann", csrf="x", reward_id="A" * 26)["statusCode"] == 401
    assert channel.world.scans.writes == 0
    done = channel.form("/wallet", "ann", reward_id="A" * 26)
    assert (done["statusCode"], done["headers"]["Location"]) == (303, "/wallet?done=collect")
    last = channel.world.scans.items[ref.key()].last
    assert (last.form, last.intent, last.claim_id, last.person) == ("claim", "collect", "c1", channel.person("ann"))
    channel.store.rewards["A" * 26] = msgspec.structs.replace(reward, state=State.WAIT_USER)
    assert channel.form("/wallet", "ann", reward_id="A" * 26)["statusCode"] == 409
    assert channel.world.scans.writes == 1


def waiting_for_a_name(channel: Channel, reward_id: str = "D" * 26) -> Reward:
    """A prize of ¥2,500 of Ann's that the rail will not pay to nobody knows whom; she holds the code."""
    reward = cash(channel, State.HELD, reward_id, reason="awaiting_name", due_at_ms=1)
    ref = CodeRef.from_key(reward.ref)
    first = Mark("c1", 1, "claim", person=channel.person("ann"), campaign="autumn@1")
    channel.world.scans.items[ref.key()] = ScanImage(ref.key(), first, 1, first)
    return reward


def test_a_name_is_sealed_at_once_and_sends_the_reward_on(channel: Channel, capfd: pytest.CaptureFixture[str]) -> None:
    reward = waiting_for_a_name(channel)
    page = channel.get("/wallet", "ann")["body"]
    assert "Your name is needed" in page
    assert read_reward(RewardDesk(channel.store, channel.market.catalog), channel.world.session("ann"), "D" * 26).action
    done = channel.form("/wallet/name", "ann", reward_id=reward.reward_id, name="王小明")
    assert (done["statusCode"], done["headers"]["Location"]) == (303, "/wallet?done=name")
    stored = channel.store.rewards[reward.reward_id]
    assert (stored.state, open_name(KEY, reward.reward_id, stored.name)) == (State.PENDING, "王小明")
    assert "王小明" not in msgspec.json.encode(stored).decode()
    assert channel.world.scans.writes == 1, "the relay is told by a scan"
    page = channel.get("/wallet", "ann", done="name")["body"]
    assert "Thank you" in page
    assert "王小明" not in page + capfd.readouterr().out


def test_a_name_by_program_and_what_is_refused(channel: Channel) -> None:
    reward = waiting_for_a_name(channel)
    path = f"/v1/rewards/{reward.reward_id}/name"

    def refusal(name: str, body: object, **headers: str) -> tuple[int, str]:
        reply = channel.post(path, name, body, **headers)
        return reply["statusCode"], json.loads(reply["body"])["code"]

    assert refusal("", {"name": "王小明"}) == (401, "session_required")
    assert refusal("bob", {"name": "王小明"}) == (404, "reward_not_ready")
    assert refusal("ann", {"name": "1"}) == (400, "name_malformed")
    assert refusal("ann", {"name": "a" * 61}) == (400, "body_invalid")
    assert refusal("ann", {"name": "王小明"}, origin="https://elsewhere.example") == (403, "origin_refused")
    assert channel.form("/wallet/name", "ann", csrf="x", reward_id="D" * 26, name="王小明")["statusCode"] == 401
    assert "2 to 30 letters" in channel.form("/wallet/name", "ann", reward_id="D" * 26, name="<b>")["body"]
    assert channel.store.rewards[reward.reward_id] == reward
    told = json.loads(channel.post(path, "ann", {"name": "王小明"})["body"])
    assert told == {"reward_id": reward.reward_id, "state": "PENDING"}
    assert refusal("ann", {"name": "王小明"}) == (409, "name_not_wanted")


def test_a_name_whose_message_is_lost_is_the_sweepers(channel: Channel) -> None:
    reward = waiting_for_a_name(channel)
    channel.world.scans.items.clear()
    assert channel.form("/wallet/name", "ann", reward_id=reward.reward_id, name="王小明")["statusCode"] == 303
    stored = channel.store.rewards[reward.reward_id]
    assert (stored.state, stored.due_at_ms) == (State.PENDING, channel.market.now_ms)


ADDRESS = {"name": "王小明", "phone": "+86 138-0000-0000", "address": "四川省成都市锦江区春熙路1号2单元"}


def waiting_for_an_address(channel: Channel, reward_id: str = "E" * 26) -> Reward:
    """A bicycle of Ann's that nobody knows where to send."""
    return cash(channel, State.HELD, reward_id, reason="awaiting_address", due_at_ms=1, **BICYCLE)


BICYCLE = {"kind": "physical", "amount_minor": 158_000}


def test_an_address_is_sealed_shown_to_nobody_and_corrected(
    channel: Channel, capfd: pytest.CaptureFixture[str]
) -> None:
    reward_id = waiting_for_an_address(channel).reward_id
    desk, ann = RewardDesk(channel.store, channel.market.catalog), channel.world.session("ann")
    assert read_reward(desk, ann, reward_id).action == RewardAction("address", "/wallet")
    page = channel.get("/wallet", "ann")["body"]
    assert "Your address is needed" in page
    for hint in ("name", "tel", "street-address"):
        assert f'autocomplete="shipping {hint}"' in page
    assert page.count("<label") == 3
    assert "收货地址" in channel.get("/wallet", "ann", lang="zh-CN")["body"]
    done = channel.form("/wallet/address", "ann", reward_id=reward_id, **ADDRESS)
    assert (done["statusCode"], done["headers"]["Location"]) == (303, "/wallet?done=address")
    stored = channel.store.rewards[reward_id]
    assert (stored.state, stored.reason, stored.parcel_state) == (State.HELD, "awaiting_dispatch", "to_send")
    assert stored.parcel is not None
    assert json.loads(open_address(ADDRESS_KEY, reward_id, stored.parcel.address)) == ADDRESS
    page = channel.get("/wallet", "ann", done="address")["body"]
    assert "Correct the address" in page
    shown = page + msgspec.json.encode(read_reward(desk, ann, reward_id)).decode() + capfd.readouterr().out
    assert not [one for one in ADDRESS.values() if one in shown + repr(stored)]
    assert channel.form("/wallet/address", "ann", reward_id=reward_id, **ADDRESS, csrf="x")["statusCode"] == 401
    moved = ADDRESS | {"address": "云南省昆明市五华区人民路9号"}
    path = f"/v1/rewards/{reward_id}/address"
    assert json.loads(channel.post(path, "ann", moved)["body"]) == {"reward_id": reward_id, "state": "HELD"}
    corrected = channel.store.rewards[reward_id].parcel
    assert corrected is not None
    assert json.loads(open_address(ADDRESS_KEY, reward_id, corrected.address)) == moved
    assert channel.world.scans.writes == 0, "no worker has anything to do with it"


def test_what_is_no_address_is_said_by_its_field_and_stays_typed(channel: Channel) -> None:
    reward_id = waiting_for_an_address(channel).reward_id
    path = f"/v1/rewards/{reward_id}/address"
    for field, value, code in (
        ("name", "1", "receiver_malformed"),
        ("phone", "12345", "phone_malformed"),
        ("phone", "call me 13800000000", "phone_malformed"),
        ("address", "here", "address_malformed"),
        ("address", "街" * 201, "address_malformed"),
    ):
        refused = json.loads(channel.post(path, "ann", ADDRESS | {field: value})["body"])
        assert (refused["code"], refused["where"]) == (code, field)
    page = channel.form("/wallet/address", "ann", reward_id=reward_id, **(ADDRESS | {"phone": '"><b>1'}))
    assert (page["statusCode"], page["body"].count('aria-invalid="true"')) == (400, 1)
    assert "7 to 15 digits" in page["body"]
    assert 'value="王小明"' in page["body"]
    assert "<b>1" not in page["body"]
    assert json.loads(channel.post(path, "bob", ADDRESS)["body"])["code"] == "reward_not_ready"
    reward = channel.store.rewards[reward_id]
    channel.store.rewards[reward_id] = msgspec.structs.replace(reward, claimable_until_ms=channel.market.now_ms)
    assert json.loads(channel.post(path, "ann", ADDRESS)["body"])["code"] == "address_not_wanted"
    assert "Your address is needed" not in channel.get("/wallet", "ann")["body"]


def test_the_owner_follows_the_parcel(channel: Channel) -> None:
    reward_id = waiting_for_an_address(channel).reward_id
    channel.post(f"/v1/rewards/{reward_id}/address", "ann", ADDRESS)
    now_ms = channel.market.now_ms
    taken = parcels.taken(channel.store.rewards[reward_id], "lena", now_ms)
    sent = parcels.sent(taken, "顺丰", "SF1234567890", now_ms)
    for reward, english, chinese in (
        (taken, "It is being packed.", "正在打包"),
        (sent, "Sent with 顺丰, tracking number SF1234567890.", "运单号 SF1234567890"),
        (parcels.delivered(sent, now_ms), "Delivered. 顺丰", "已送达"),
        (parcels.returned(sent, now_ms), "The parcel came back to us.", "包裹被退回"),
    ):
        channel.store.rewards[reward_id] = reward
        assert english in channel.get("/wallet", "ann")["body"]
        assert chinese in channel.get("/wallet", "ann", lang="zh-CN")["body"]
    reply = read_reward(RewardDesk(channel.store, channel.market.catalog), channel.world.session("ann"), reward_id)
    assert reply.shipment == Shipment("returned", "顺丰", "SF1234567890")


def test_pages_carry_a_strict_policy_and_both_languages(channel: Channel) -> None:
    channel.market.win(channel.person("ann"))
    for path in ("/wallet", "/outlet"):
        reply = channel.get(path, "ann", lang="zh-CN")
        policy = reply["headers"]["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert 'lang="zh-CN"' in reply["body"]
        assert " style=" not in reply["body"]
    assert "camera=(self)" in channel.get("/outlet", "ann")["headers"]["Permissions-Policy"]
    body = channel.get("/wallet", "ann", lang="zh-CN")["body"]
    drawn = body[body.index("<svg aria-hidden") : body.index("</svg>", body.index('class="qr"')) + 6]
    assert ElementTree.fromstring(drawn[drawn.rindex("<svg") :])  # noqa: S314 -- our own output


def test_an_unknown_address_is_a_problem(channel: Channel) -> None:
    assert json.loads(channel.get("/nowhere", "ann")["body"])["code"] == "route_unknown"


def test_a_right_says_where_its_code_is(channel: Channel) -> None:
    channel.market.win(channel.person("ann"))
    (reward_id,) = channel.store.rewards
    desk = RewardDesk(channel.store, channel.market.catalog)
    reply = read_reward(desk, channel.world.session("ann"), reward_id)
    assert (reply.state, reply.reason) == ("CLAIMABLE", "redeem")
    assert reply.action == RewardAction("redeem", "/wallet")
