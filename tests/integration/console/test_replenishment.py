"""Operators see and decide replenishment claims; each step is audited, repeated or not."""

from typing import Any

import pytest

from tests.integration.console.brand import UNIT, parties
from tests.integration.console.conftest import NOW_MS, Api, Bench
from uncap.adapters.replenishments import Move
from uncap.domain.replenishment import RAISE, Claim, Step, raised, step_id


@pytest.fixture
def claim(bench: Bench, admin: Api) -> None:
    """The shop has redeemed three."""
    parties(admin)
    first = raised(Claim("shop-a", "dist-a", NOW_MS), UNIT, 3)
    step = Step(step_id(RAISE, "shop-a", "dist-a", UNIT, "r"), "shop-a", "dist-a", UNIT, RAISE, 3, NOW_MS, "p_x")
    bench.desk.replenishments().decide(Move(None, first, step))


def act(kind: str, pieces: int, key: str, **more: object) -> dict[str, object]:
    return {"kind": kind, "gtin": UNIT, "pieces": pieces, "key": key, **more}


def open_of(api: Api, party: str) -> int:
    return int(api.ok("GET", f"/parties/{party}/replenishments")["open"])


def test_down_to_zero(claim: None, admin: Api) -> None:
    assert open_of(admin, "shop-a") == 3
    for upstream, claimant in (("dist-a", "shop-a"), ("brand", "dist-a")):
        path = f"/parties/{upstream}/replenishments/{claimant}"
        admin.ok("POST", path, act("approve", 3, "a"))
        for _ in range(2):
            done: Any = admin.ok("POST", path, act("goods", 2, "g", reference="sh-1"))
            assert done["lines"][0]["settled"] == 2
        admin.ok("POST", path, act("credit", 1, "c", reference="cn-1", amount_minor=450))
        assert open_of(admin, claimant) == 0
    told = admin.ok("GET", "/parties/dist-a/replenishments")
    assert told["owed"][0]["credited_minor"] == 450
    assert [one["claimant"] for one in told["asked"]] == ["shop-a"]
    actions = [one["action"] for one in admin.ok("GET", "/audit?day=2026-11-22")["entries"]]
    assert actions.count("replenishment.credit") == 2


def test_refusals(claim: None, admin: Api, bench: Bench) -> None:
    path = "/parties/dist-a/replenishments/shop-a"
    assert admin.refused("POST", path, act("approve", 4, "a")) == (409, "claim_not_raised")
    assert admin.refused("POST", path, act("goods", 1, "g", reference="x")) == (409, "claim_not_approved")
    assert admin.refused("POST", path, act("goods", 1, "g")) == (400, "reference_missing")
    assert admin.refused("POST", path, act("burn", 1, "g")) == (400, "body_invalid")
    assert admin.refused("POST", "/parties/dist-b/replenishments/shop-a", act("approve", 1, "a"))[1] == "claim_unknown"
    brand = bench.sign_in("bea", "brand")
    assert brand.refused("POST", path, act("approve", 1, "a")) == (403, "operator_not_permitted")
    assert open_of(brand, "shop-a") == 3
