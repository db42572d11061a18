"""The paperwork of one brand, step by step, as tests need it. Every function returns what the API answered."""

from typing import Any

from tests.integration.console.conftest import NOW_MS, Api

UNIT, CASE = "09520123456788", "19520123456785"
DAY_MS = 86_400_000
BEACON = "5f" * 32


def words(text: str) -> dict[str, str]:
    return {"zh-CN": text, "en": text}


def product(api: Api) -> Any:
    api.ok("POST", "/products", {"gtin": CASE, "name": words("Case"), "roles": ["case_outer"], "level": "case"})
    unit = {"gtin": UNIT, "name": words("Beer"), "roles": ["cap_inner", "cap_outer"]}
    return api.ok("POST", "/products", {**unit, "units_per_case": 24, "case_gtin": CASE})


def batch(api: Api, size: int = 1_200) -> tuple[int, int]:
    product(api)
    units = api.ok("POST", "/batches", {"gtin": UNIT, "size": size, "lot": "L1"})["batch_no"]
    cases = api.ok("POST", "/batches", {"gtin": CASE, "unit_batch_no": units})["batch_no"]
    for number in (units, cases):
        api.ok("POST", f"/batches/{number}/commission")
    return units, cases


def export_body(units: int, **changes: object) -> dict[str, object]:
    return {
        "batch_no": units,
        "role": "cap_inner",
        "made_for": "Cap printer",
        "reason": "print run 7",
        "expires_at_ms": NOW_MS + 7 * DAY_MS,
        **changes,
    }


def export(api: Api, batch_no: int, **changes: object) -> str:
    """The id of a new order."""
    return str(api.ok("POST", "/exports", export_body(batch_no, **changes))["order"]["export_id"])


def parties(api: Api) -> None:
    api.ok("POST", "/parties", {"party_id": "brand", "role": "brand", "name": words("Brand")})
    for party_id in ("dist-a", "dist-b"):
        body = {"party_id": party_id, "role": "distributor", "name": words(party_id), "parent_id": "brand"}
        api.ok("POST", "/parties", body)
    shop = {"party_id": "shop-a", "role": "outlet", "name": words("Shop"), "parent_id": "dist-a"}
    api.ok("POST", "/parties", shop)


def campaign_body(**changes: object) -> dict[str, object]:
    return {
        "campaign_id": "open-and-win",
        "name": words("Open and win"),
        "rules": words("Each code counts once."),
        "starts_at_ms": NOW_MS - 1_000,
        "ends_at_ms": NOW_MS + 30 * DAY_MS,
        "claim_until_ms": NOW_MS + 60 * DAY_MS,
        "gtins": [UNIT],
        "prizes": [
            {"prize_id": "big", "kind": "cash", "amount_minor": 888, "name": words("Big")},
            {"prize_id": "small", "kind": "cash", "amount_minor": 88, "name": words("Small")},
        ],
        "pool": [{"prize_id": "big", "win": 1, "per": 100}, {"prize_id": "small", "win": 1, "per": 4}],
        "effects": [{"no": 1, "beneficiary": "consumer", "kind": "laid"}],
        **changes,
    }


def campaign(api: Api, **changes: object) -> Any:
    return api.ok("POST", "/campaigns", campaign_body(**changes))


def release_body(start: int, stop: int, **changes: object) -> dict[str, object]:
    return {
        "campaign_id": "open-and-win",
        "start": start,
        "stop": stop,
        "beacon_source": "local",
        "beacon_round": "1",
        "reason": "launch",
        **changes,
    }


def activated(api: Api, batch_no: int, start: int = 0, stop: int = 1_200, **changes: object) -> Any:
    answer = api.ok("POST", f"/batches/{batch_no}/releases", release_body(start, stop, **changes))
    release_id = answer["release"]["release_id"]
    return api.second().ok("POST", f"/releases/{release_id}/activate", {"beacon_value": BEACON})


def approved(api: Api, body: dict[str, object]) -> Any:
    """The campaign version as its second person put it in force."""
    path = f"/campaigns/{body['campaign_id']}/draft"
    found = api.call("GET", path)
    number = found.body["draft"]["version"] + 1 if found.status == 200 else 1
    api.ok("PUT", path, {"campaign": body, "version": number})
    api.ok("POST", f"{path}/submit", {"reason": "as agreed"})
    return api.second().ok("POST", f"{path}/approve")
