"""Rules, drafts, pauses of places, pushes and explanations through the console's API."""

from typing import Any

import msgspec
import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from uncap.adapters.decisions import decision_key
from uncap.domain.campaigns.facts import Decision, Facts, Pick
from uncap.domain.scans import Mark

EXPLAIN, PUSH = "/campaigns/open-and-win/explain", "/campaigns/open-and-win/outlets"
REBATES = [
    {"prize_id": "r-5", "kind": "trade_credit", "amount_minor": 5, "name": brand.words("Rebate")},
    {"prize_id": "r-9", "kind": "trade_credit", "amount_minor": 9, "name": brand.words("Top-up")},
]


def rule(no: int, prize: str = "r-5", **changes: Any) -> dict[str, Any]:
    effects = [{"no": 2, "beneficiary": "outlet", "kind": "fixed", "prize_id": prize}]
    return {"no": no, "effects": effects, "when": {"regions": ["510100"]}, **changes}


def body(*rules: dict[str, Any], **changes: object) -> dict[str, Any]:
    plain: dict[str, Any] = brand.campaign_body()
    return plain | {"prizes": [*plain["prizes"], *REBATES], "rule_set": list(rules), **changes}


def test_rules_are_stored_by_reference(admin: Api) -> None:
    brand.product(admin)
    stored = admin.ok("POST", "/campaigns", body(rule(1), rule(2, "r-9", precedence=200)))
    assert (stored["rule_set"]["count"], stored["rule_set"]["needs"]) == (2, ["region"])
    assert stored["rule_set"]["slots"] == [[2, "outlet"]]
    told = admin.ok("POST", EXPLAIN, {"facts": {"region": "510104", "outlet": "shop-a"}})
    assert [(one["no"], one["prize_id"], one["party"]) for one in told["outcomes"]] == [
        (1, "", ""),
        (2, "r-9", "shop-a"),
    ]
    assert [(one["rule_no"], one["lost"]) for one in told["traces"] if one["lost"]] == [
        (1, [{"no": 2, "beneficiary": "outlet", "to_rule": 2, "precedence": 200}])
    ]
    assert admin.refused("POST", EXPLAIN, {"facts": {}, "version": 9}) == (
        404,
        "campaign_unknown",
    )
    assert admin.ok("GET", "/campaigns/schema")["$defs"]["NewRule"]


def test_large_sets_come_in_parts(admin: Api) -> None:
    brand.product(admin)
    parts = [
        admin.ok(
            "POST", "/rule-parts", {"rules": [rule(no, when={"outlets": [f"o-{no}"]}) for no in range(at, at + 300)]}
        )
        for at in (1, 301)
    ]
    names = [part["digest"] for part in parts]
    stored = admin.ok("POST", "/campaigns", body(rule(900), rule_parts=names))
    assert (stored["rule_set"]["count"], len(stored["rule_set"]["parts"])) == (601, 3)
    assert [one["no"] for one in admin.ok("GET", f"/rule-parts/{names[1]}")["rules"]] == list(range(301, 601))
    assert admin.refused("GET", f"/rule-parts/{'0' * 32}") == (404, "rules_unknown")
    told = admin.ok("POST", EXPLAIN, {"facts": {"outlet": "o-450"}, "rules": [3]})
    assert (told["rules"], told["considered"]) == (601, 1)
    assert [(one["rule_no"], one["missed"]) for one in told["traces"]] == [(3, ["outlets"]), (450, [])]
    assert admin.refused("POST", "/campaigns", body(rule_parts=["0" * 32], version=2)) == (409, "rules_missing")
    assert admin.refused("POST", "/rule-parts", {}) == (400, "rules_empty")


KING = "rule_set[0].effects[0].beneficiary"


@pytest.mark.parametrize(
    ("wrong", "code", "where"),
    [
        (rule(1, "gone"), "campaign_invalid", "rule_set[1].effects"),
        (rule(1, when={"hours": [{"start": 9, "stop": 9}]}), "campaign_invalid", "rule_set[1].when.hours"),
        (rule(1, when={"shop": "o-1"}), "body_invalid", "rule_set[0].when"),
        (rule(1, effects=[{"no": 2, "beneficiary": "king", "kind": "fixed"}]), "body_invalid", KING),
        (rule(1, when={"roles": ["cap_inner", "cap_inner"]}), "product_invalid", "roles"),
        (rule(0), "body_invalid", "rule_set[0].no"),
    ],
)  # fmt: skip
def test_refusals_name_rule_and_field(admin: Api, wrong: dict[str, Any], code: str, where: str) -> None:
    brand.product(admin)
    answer = admin.call("POST", "/campaigns", body(wrong))
    assert (answer.status, answer.code, answer.body["where"]) == (400, code, where)


def test_a_started_campaign_gains_rules_and_its_releases_their_budget(bench: Bench, admin: Api) -> None:
    units, _ = brand.batch(admin)
    admin.ok("POST", "/campaigns", body(rule(1)))
    answer = brand.activated(admin, units)
    assert admin.refused("POST", "/campaigns", body(version=2)) == (409, "campaign_started")
    assert admin.refused("POST", "/campaigns", body(rule(1, when={}), version=2)) == (409, "campaign_started")
    more = rule(2, "r-9", precedence=200, when={"outlets": ["shop-a"]})
    assert admin.refused("POST", "/campaigns", body(rule(1), more, version=2)) == (409, "approval_needed")
    brand.approved(admin, body(rule(1), more))
    found = {one["pk"]["S"]: one for one in bench.client.scan(TableName="ledger")["Items"]}
    name = f"entry#reserve-{answer['release']['release_id']}"
    worst = 12 * 888 + 300 * 88 + 1_200 * 5
    # Twelve of 888, 300 of 88, and 1,200 rebates of 5; the top-up may make each of them 9.
    assert f'["expense:open-and-win:CNY",{worst}]' in found[name]["doc"]["S"]
    assert f'["expense:open-and-win:CNY",{1_200 * 4}]' in found[f"{name}-v2"]["doc"]["S"]


def test_a_campaign_stands_still_in_places(admin: Api) -> None:
    brand.product(admin)
    admin.ok("POST", "/campaigns", body(rule(1)))
    places = {"regions": ["510100"], "outlets": ["shop-a"]}
    pause = {"paused": False, "reason": "stock-taking", "version": 1, "places": places}
    paused = admin.ok("POST", "/campaigns/open-and-win/pause", pause)
    assert (paused["version"], paused["paused_for"]) == (2, places)
    assert admin.ok("POST", "/campaigns/open-and-win/pause", pause | {"version": 2})["version"] == 2
    changed = admin.ok("POST", "/campaigns", body(rule(1), version=3))
    assert changed["paused_for"] == paused["paused_for"], "a change does not lift a pause"
    lifted = admin.ok("POST", "/campaigns/open-and-win/pause", {"paused": False, "reason": "done", "version": 3})
    assert not lifted.get("paused_for")
    assert lifted["rule_set"] == paused["rule_set"]


def test_drafts_may_be_wrong_until_they_are_published(admin: Api) -> None:
    assert admin.refused("GET", "/campaigns/open-and-win/draft") == (404, "draft_unknown")
    path = "/campaigns/open-and-win/draft"
    first = admin.ok("PUT", path, {"campaign": body(rule(1, "gone"))})
    assert first["fault"]["where"] == "rule_set[1].effects"
    assert admin.refused("PUT", path, {"campaign": body(rule(1))}) == (409, "changed_meanwhile")
    assert admin.refused("PUT", "/campaigns/other/draft", {"campaign": body()}) == (400, "draft_mismatch")
    assert admin.refused("POST", f"{path}/publish")[1] == "campaign_invalid"
    second = admin.ok("PUT", path, {"campaign": body(rule(1)), "version": 2})
    assert second["fault"]["code"] == "product_unknown"
    brand.product(admin)
    assert admin.ok("GET", path)["fault"] is None
    planned = body(rule(1), effective_at_ms=NOW_MS + brand.DAY_MS)
    admin.ok("PUT", path, {"campaign": planned, "version": 3})
    published = admin.ok("POST", f"{path}/publish")
    assert (published["version"], published["effective_at_ms"]) == (1, NOW_MS + brand.DAY_MS)
    assert admin.ok("POST", f"{path}/publish")["version"] == 2


def test_activities_reach_named_outlets(bench: Bench, admin: Api) -> None:
    brand.product(admin)
    brand.parties(admin)
    brand.campaign(admin)
    push = {"outlets": ["shop-a", "shop-a"], "until_ms": NOW_MS + 3_600_000, "reason": "spring push"}
    assert admin.ok("POST", PUSH, push)["outlets"] == 1
    assert [one["campaign_id"] for one in admin.ok("GET", "/parties/shop-a/activities")["items"]] == ["open-and-win"]
    bench.clock.now_ms += 3_600_000
    assert admin.ok("GET", "/parties/shop-a/activities")["items"] == []
    assert admin.refused("POST", PUSH, push | {"outlets": ["dist-a"]}) == (
        400,
        "not_an_outlet",
    )
    assert admin.refused("POST", PUSH, push | {"outlets": ["none"]}) == (
        404,
        "party_unknown",
    )


def test_outlets_are_invited_by_someone_else(admin: Api) -> None:
    brand.parties(admin)
    shop = {"party_id": "shop-b", "role": "outlet", "name": brand.words("B"), "parent_id": "dist-a"}
    assert admin.refused("POST", "/parties", shop | {"invited_by": "shop-b"}) == (400, "inviter_invalid")
    assert admin.refused("POST", "/parties", shop | {"invited_by": "nobody"}) == (404, "party_unknown")
    staff = {"party_id": "s", "role": "outlet_staff", "name": brand.words("S"), "parent_id": "shop-a"}
    assert admin.refused("POST", "/parties", staff | {"invited_by": "dist-a"}) == (400, "inviter_invalid")
    assert admin.ok("POST", "/parties", shop | {"invited_by": "shop-a"})["invited_by"] == "shop-a"


def test_a_claim_is_explained_as_it_was_decided(bench: Bench, admin: Api) -> None:
    brand.product(admin)
    admin.ok("POST", "/campaigns", body(rule(1)))
    path = "/claims/7.3.1/explanation"
    assert admin.refused("GET", path) == (404, "claim_unknown")
    assert admin.refused("GET", "/claims/7.3.9/explanation")[0] == 400
    mark = Mark("i1", NOW_MS, "claim", person="p_1", campaign="open-and-win@1")
    text = msgspec.json.encode(mark).decode()
    scan = {"pk": {"S": "7.3.1"}, "f": {"S": text}, "l": {"S": text}, "n": {"N": "1"}}
    bench.client.put_item(TableName="scans", Item=scan)
    assert admin.refused("GET", path) == (409, "claim_undecided")
    facts = Facts(role=1, shipped=True, region="510104", outlet="shop-a")
    picks = (Pick(1, "consumer", 0, "laid"), Pick(2, "outlet", 1, "fixed", "r-5"))
    put_decision(bench, Decision("7.3.1", "open-and-win@1", facts, picks))
    told = admin.ok("GET", path)
    assert told["agrees"]
    assert [one["state"] for one in told["rewards"]] == ["", ""]
    put_decision(bench, Decision("7.3.1", "open-and-win@1", facts, picks[:1]))
    told = admin.ok("GET", f"{path}?rule=1")
    assert (told["agrees"], len(told["decided"])) == (False, 1)


def put_decision(bench: Bench, decision: Decision) -> None:
    doc = msgspec.json.encode(decision).decode()
    item = {"pk": {"S": decision_key("7.3.1", "open-and-win")}, "doc": {"S": doc}, "rev": {"N": "1"}}
    bench.client.put_item(TableName="ledger", Item=item)
