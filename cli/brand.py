"""A brand's paperwork through the console API, in the order a brand does it. Used by the seed, the demo and e2e tests.

Every step may be repeated: what is already declared as wanted is left as it is.
"""

import secrets
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import httpx

from cli.clients import ApiProblemError, Console

DAY_MS = 86_400_000
LOCAL_BEACON = "uncap-local"
"""Stands in for a public beacon: a value nobody knew at the commitment, and that nobody else can check."""


def declare(console: Console, path: str, body: dict[str, Any]) -> bool:
    """POST that tolerates being repeated: False if it was there already."""
    try:
        console.call("POST", path, body)
    except ApiProblemError as problem:
        if problem.status == httpx.codes.CONFLICT:
            return False
        raise
    return True


def gtin14(stem: str) -> str:
    """The GTIN-14 of 13 leading digits: check digit by GS1 General Specifications 7.9."""
    if len(stem) != 13 or not stem.isdecimal():
        raise ValueError("a GTIN-14 has 13 digits before its check digit")
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(stem))
    return stem + str(-total % 10)


def distributor(console: Console, party_id: str, name: dict[str, str], region: str, circle: dict[str, Any]) -> None:
    """A distributor with a circular territory, and nothing else."""
    declare(console, "/parties", {"party_id": party_id, "role": "distributor", "name": name, "parent_id": "brand"})
    try:
        console.call("GET", f"/parties/{party_id}/territory")
    except ApiProblemError as problem:
        if problem.status != httpx.codes.NOT_FOUND:
            raise
        console.call(
            "PUT", f"/parties/{party_id}/territory", {"region": region, "shapes": [{"type": "Circle", **circle}]}
        )


def product(console: Console, stem: str, name: dict[str, str], units_per_case: int) -> tuple[str, str]:
    """A bottle and its case; returns their GTINs. `stem`: 12 digits that the two share."""
    unit, case = gtin14("0" + stem), gtin14("1" + stem)
    case_name = {lang: f"{text} × {units_per_case}" for lang, text in name.items()}
    declare(
        console,
        "/products",
        {"gtin": case, "name": case_name, "roles": ["case_outer", "case_inner"], "level": "case"},
    )
    declare(
        console,
        "/products",
        {
            "gtin": unit,
            "name": name,
            "roles": ["cap_outer", "cap_inner"],
            "units_per_case": units_per_case,
            "case_gtin": case,
            "best_before_days": 540,
        },
    )
    return unit, case


def batch(console: Console, gtin: str, case_gtin: str, size: int, **details: object) -> tuple[int, int]:
    """A commissioned batch of bottles and the batch of the cases they are packed in; returns both numbers."""
    units = console.call("POST", "/batches", {"gtin": gtin, "size": size, **details})["batch_no"]
    cases = console.call("POST", "/batches", {"gtin": case_gtin, "unit_batch_no": units})["batch_no"]
    for batch_no in (units, cases):
        console.call("POST", f"/batches/{batch_no}/commission")
    return units, cases


def release(console: Console, batch_no: int, campaign_id: str, start: int, stop: int, **details: object) -> str:
    """Commits to `start..stop`, then lays the prizes with a beacon value drawn after the commitment."""
    body = {
        "campaign_id": campaign_id,
        "start": start,
        "stop": stop,
        "beacon_source": LOCAL_BEACON,
        "beacon_round": f"{batch_no}-{start}",
        "reason": "local demonstration",
        **details,
    }
    answer = console.call("POST", f"/batches/{batch_no}/releases", body)
    release_id: str = answer["release"]["release_id"]
    if console.colleague is None:
        raise ValueError("an activation is approved by a second operator")
    approver = console.colleague()
    with closing(approver.client):
        approver.call("POST", f"/releases/{release_id}/activate", {"beacon_value": secrets.token_hex(32)})
    return release_id


def ship(console: Console, shipment_id: str, batch_no: int, start: int, stop: int, to_party: str) -> None:
    """Units `start..stop` of a batch leave for a distributor."""
    body = {"shipment_id": shipment_id, "batch_no": batch_no, "start": start, "stop": stop, "to_party": to_party}
    declare(console, "/shipments", body)


def reject(console: Console, batch_no: int, indices: Sequence[int]) -> None:
    """What the line threw away, told before the release."""
    ranges = [{"start": index, "stop": index + 1} for index in indices]
    console.call("POST", f"/batches/{batch_no}/reject", {"ranges": ranges, "reason": "camera could not read them"})


def decommission(console: Console, batch_no: int, indices: Sequence[int]) -> None:
    """Half of them as ranges, as a withdrawn case would be; the others singly, as a damaged cap would be."""
    for place, index in enumerate(indices):
        if place % 2:
            body: dict[str, object] = {"index": index, "role": "cap_inner", "reason": "cap damaged"}
        else:
            body = {"start": index, "stop": index + 1, "reason": "case withdrawn"}
        console.call("POST", f"/batches/{batch_no}/decommission", body)


def campaign(console: Console, campaign_id: str, gtins: Sequence[str], now_ms: int, **details: object) -> None:
    """A campaign as `campaign_body` describes it."""
    declare(console, "/campaigns", campaign_body(campaign_id, gtins, now_ms, **details))


def campaign_body(campaign_id: str, gtins: Sequence[str], now_ms: int, **details: object) -> dict[str, object]:
    """Laid cash and points for the consumer and a fixed rebate for the distributor, but for the `details`."""
    return {
        "campaign_id": campaign_id,
        "name": {"zh-CN": "开盖有礼", "en": "Open and win"},
        "rules": {
            "zh-CN": "每瓶盖内码可领取一次。奖品随机置于盖内，数量与中奖率见下表；现金由微信支付发放，需本人确认收款。",
            "en": "Each code under a cap can be claimed once. Prizes are laid on the codes at random; numbers and odds "
            "are in the table below. Cash is paid through WeChat Pay and must be confirmed by the winner.",
        },
        "starts_at_ms": now_ms - 60_000,
        "ends_at_ms": now_ms + 90 * DAY_MS,
        "claim_until_ms": now_ms + 120 * DAY_MS,
        "gtins": list(gtins),
        "prizes": [
            {"prize_id": "cash-888", "kind": "cash", "amount_minor": 888, "name": _words("现金大奖", "Big cash prize")},
            {"prize_id": "cash-88", "kind": "cash", "amount_minor": 88, "name": _words("现金红包", "Cash prize")},
            {"prize_id": "points-50", "kind": "points", "amount_minor": 50, "name": _words("积分", "Points")},
            {"prize_id": "rebate-5", "kind": "trade_credit", "amount_minor": 5, "name": _words("动销返利", "Rebate")},
        ],
        "pool": [
            {"prize_id": "cash-888", "win": 1, "per": 40},
            {"prize_id": "cash-88", "win": 1, "per": 4},
            {"prize_id": "points-50", "win": 1, "per": 4},
        ],
        "effects": [
            {"no": 1, "beneficiary": "consumer", "kind": "laid"},
            {"no": 2, "beneficiary": "distributor", "kind": "fixed", "prize_id": "rebate-5"},
        ],
        **details,
    }


def rewards_of(console: Console, code: str) -> list[dict[str, Any]]:
    """Every reward of a claimed code ("batch.index.role"), open or not; none before its rules are decided."""
    try:
        rewards: list[dict[str, Any]] = console.call("GET", "/rewards", code=code)["items"]
    except ApiProblemError as problem:
        if problem.code == "claim_undecided":
            return []
        raise
    return rewards


def _words(chinese: str, english: str) -> dict[str, str]:
    return {"zh-CN": chinese, "en": english}
