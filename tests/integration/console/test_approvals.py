"""What reserves money takes two people: activations, drawn prizes, higher budgets; and who may win nothing."""

import json
from typing import Any

import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import Api, Bench

WEEK_MS = 7 * brand.DAY_MS
DRAFT = "/campaigns/open-and-win/draft"
ACTIVATE = {"beacon_value": brand.BEACON}


def draws(**changes: Any) -> list[dict[str, Any]]:
    return [{"draw_id": "lucky", "shares": [{"prize_id": "big", "win": 1, "per": 1_000, "total": 5, **changes}]}]


def drawn_body(total: int = 5, **changes: Any) -> dict[str, object]:
    effects = [
        {"no": 1, "beneficiary": "consumer", "kind": "laid"},
        {"no": 3, "beneficiary": "consumer", "kind": "drawn", "prize_id": "lucky"},
    ]
    return brand.campaign_body(**{"effects": effects, "draws": draws(total=total), **changes})


def entries(bench: Bench) -> dict[str, Any]:
    items = bench.client.scan(TableName="ledger")["Items"]
    return {one["pk"]["S"]: json.loads(one["doc"]["S"]) for one in items if one["pk"]["S"].startswith("entry#")}


def test_who_committed_to_a_release_does_not_activate_it(bench: Bench, admin: Api) -> None:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    path = (
        "/releases/"
        + admin.ok("POST", f"/batches/{units}/releases", brand.release_body(0, 100))["release"]["release_id"]
    )
    assert admin.refused("POST", f"{path}/activate", ACTIVATE) == (403, "second_person_needed")
    assert not entries(bench)
    assert admin.refused("POST", f"{path}/activation", {"reason": "again"}) == (409, "proposal_open")
    bench.clock.now_ms += WEEK_MS
    assert admin.second().refused("POST", f"{path}/activate", ACTIVATE)[1] in ("token_expired", "proposal_expired")


def test_an_activation_asked_for_long_ago_is_asked_for_again(bench: Bench, admin: Api) -> None:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    path = (
        "/releases/"
        + admin.ok("POST", f"/batches/{units}/releases", brand.release_body(0, 100))["release"]["release_id"]
    )
    bench.clock.now_ms += WEEK_MS
    late, other = bench.sign_in("lea", "admin"), bench.sign_in("max", "finance")
    assert other.refused("POST", f"{path}/activate", ACTIVATE) == (409, "proposal_expired")
    assert late.ok("POST", f"{path}/activation", {"reason": "print run is back"})["requested_by"] == "lea"
    assert late.refused("POST", f"{path}/activate", ACTIVATE) == (403, "second_person_needed")
    assert other.ok("POST", f"{path}/activate", ACTIVATE)["release"]["state"] == "activated"
    assert other.ok("POST", f"{path}/activate", ACTIVATE)["release"]["state"] == "activated"
    assert late.refused("POST", f"{path}/activation", {"reason": "once more"}) == (409, "release_activated")


def test_drawn_prizes_come_into_force_by_two_people_with_their_budget(bench: Bench, admin: Api) -> None:
    brand.product(admin)
    assert admin.refused("POST", "/campaigns", drawn_body()) == (409, "approval_needed")
    assert admin.refused("POST", f"{DRAFT}/submit", {"reason": "launch"}) == (404, "draft_unknown")
    admin.ok("PUT", DRAFT, {"campaign": drawn_body()})
    assert admin.refused("POST", f"{DRAFT}/approve") == (409, "proposal_missing")
    admin.ok("POST", f"{DRAFT}/submit", {"reason": "launch"})
    assert admin.refused("POST", f"{DRAFT}/publish") == (409, "approval_needed")
    assert admin.refused("POST", f"{DRAFT}/approve") == (403, "second_person_needed")
    admin.ok("PUT", DRAFT, {"campaign": drawn_body(50), "version": 2})
    assert admin.second().refused("POST", f"{DRAFT}/approve") == (409, "proposal_outdated")
    assert admin.refused("GET", "/campaigns/open-and-win/versions")[0] == 404
    admin.ok("POST", f"{DRAFT}/submit", {"reason": "launch, larger"})
    live = admin.second().ok("POST", f"{DRAFT}/approve")
    assert (live["version"], live["draws"][0]["shares"][0]["total"]) == (1, 50)
    assert entries(bench)["entry#reserve-open-and-win@drawn-v1"]["postings"] == [
        ["expense:open-and-win:CNY", 50 * 888],
        ["budget:open-and-win@drawn:CNY", -50 * 888],
    ]
    assert admin.second().refused("POST", f"{DRAFT}/approve") == (409, "proposal_missing")
    trail = [one["action"] for one in admin.ok("GET", "/audit?day=2026-11-22")["entries"]]
    assert {"publish-campaign.request", "campaigns.approve"} <= set(trail)


def test_a_budget_is_raised_by_two_people_and_never_lowered(bench: Bench, admin: Api) -> None:
    brand.product(admin)
    brand.approved(admin, drawn_body(5))
    renamed = drawn_body(5, version=2, name=brand.words("Open, win"), rules=brand.words("Each code counts once."))
    assert admin.ok("POST", "/campaigns", renamed)["version"] == 2
    assert admin.refused("POST", "/campaigns", drawn_body(6, version=3)) == (409, "approval_needed")
    assert admin.refused("POST", "/campaigns", drawn_body(4, version=3)) == (409, "campaign_started")
    assert brand.approved(admin, drawn_body(6))["version"] == 3
    assert entries(bench)["entry#reserve-open-and-win@drawn-v3"]["postings"][0] == ["expense:open-and-win:CNY", 888]
    pause = {"paused": True, "reason": "a fault", "version": 3}
    assert admin.ok("POST", "/campaigns/open-and-win/pause", pause)["paused"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"draws": []}, "effects"),
        ({"effects": [{"no": 1, "beneficiary": "consumer", "kind": "laid"}]}, "draws"),
        ({"draws": [{"draw_id": "lucky", "shares": [{"prize_id": "gone", "win": 1, "per": 2, "total": 1}]}]}, "draws"),
        ({"draws": [{"draw_id": "lucky", "shares": [{"prize_id": "big", "win": 3, "per": 2, "total": 1}]}]}, "draws"),
        (
            {
                "draws": [
                    {"draw_id": "lucky", "shares": [{"prize_id": "big", "win": 1, "per": 2, "total": 1, "per_day": 2}]}
                ]
            },
            "draws",
        ),
        (
            {
                "rule_set": [
                    {
                        "no": 1,
                        "when": {"regions": ["510000"]},
                        "effects": [{"no": 5, "beneficiary": "consumer", "kind": "drawn", "prize_id": "lucky"}],
                    }
                ]
            },
            "rule_set[1].effects",
        ),
    ],
)
def test_a_draft_that_contradicts_itself_is_not_submitted(admin: Api, changes: dict[str, Any], where: str) -> None:
    brand.product(admin)
    shown = admin.ok("PUT", DRAFT, {"campaign": drawn_body(**changes)})
    assert (shown["fault"]["code"], shown["fault"]["where"]) == ("campaign_invalid", where)
    assert admin.refused("POST", f"{DRAFT}/submit", {"reason": "launch"}) == (409, "draft_faulty")


def test_odds_may_differ_by_place_where_everyone_has_a_chance(admin: Api) -> None:
    brand.product(admin)
    better = {"draw_id": "sichuan", "shares": [{"prize_id": "big", "win": 1, "per": 100, "total": 20}]}
    given = drawn_body()
    rule = {
        "no": 1,
        "when": {"regions": ["510000"]},
        "effects": [{"no": 3, "beneficiary": "consumer", "kind": "drawn", "prize_id": "sichuan"}],
    }
    live = brand.approved(admin, {**given, "draws": [*given["draws"], better], "rule_set": [rule]})  # type: ignore[misc]
    assert len(live["draws"]) == 2
    imagined = {"facts": {"region": "510104", "shipped": True}}
    outcomes = admin.ok("POST", "/campaigns/open-and-win/explain", imagined)["outcomes"]
    assert [(one["no"], one["kind"], one["prize_id"]) for one in outcomes] == [(1, "laid", ""), (3, "drawn", "sichuan")]


def test_a_person_is_blocked_and_unblocked_by_two_people(admin: Api) -> None:
    path = "/blocks/p_17"
    assert admin.refused("GET", path) == (404, "block_unknown")
    assert admin.refused("POST", path, {"blocked": False, "reason": "why not"}) == (409, "block_unchanged")
    assert admin.second().refused("POST", f"{path}/approve") == (409, "proposal_missing")
    admin.ok("POST", path, {"blocked": True, "reason": "sixty phones on one desk"})
    assert admin.refused("POST", f"{path}/approve") == (403, "second_person_needed")
    assert admin.second().ok("POST", f"{path}/approve")["blocked"]
    assert admin.refused("POST", path, {"blocked": True, "reason": "once more"}) == (409, "block_unchanged")
    admin.second().ok("POST", path, {"blocked": False, "reason": "it was a wedding"})
    assert not admin.ok("POST", f"{path}/approve")["blocked"]
    assert admin.ok("GET", path)["reason"] == "it was a wedding"


def test_a_leak_that_was_none_is_taken_back_by_two_people(admin: Api) -> None:
    why = {"reason": "the laptop was found, sealed"}
    assert admin.refused("POST", "/epochs/1/trust", why) == (409, "epoch_not_compromised")
    admin.ok("POST", "/epochs/1/state", {"state": "compromised", "reason": "key on a lost laptop"})
    admin.ok("POST", "/epochs/1/trust", why)
    assert admin.refused("POST", "/epochs/1/trust/approve") == (403, "second_person_needed")
    assert admin.second().ok("POST", "/epochs/1/trust/approve")["state"] == "verifying"
    assert admin.second().refused("POST", "/epochs/1/trust/approve") == (409, "epoch_not_compromised")
