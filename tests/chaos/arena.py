"""A campaign to be tormented: laid cash, a rebate for the distributor, scarce drawn cash, a limit per person.

Made on a Market's product; used by `runner.py` and tests/e2e/test_chaos.py.
"""

import time
from contextlib import closing
from typing import Any

import msgspec

from cli import brand
from cli.clients import Phone, ScanAnswer
from dev.seed.main import DISTRIBUTORS, read_batch
from tests.kits.market import CATALOG_AGE_S, UNITS_PER_CASE, Market
from uncap.domain.catalog import Campaign, Role
from uncap.domain.scans import CodeRef

DRAWN_TOTAL = 12
PER_PERSON = 4
LUCKY = {
    "draw_id": "lucky",
    "shares": [{"prize_id": "cash-88", "win": 1, "per": 3, "total": DRAWN_TOTAL}],
    "per_person": 2,
}
EFFECTS = [
    {"no": 1, "beneficiary": "consumer", "kind": "laid"},
    {"no": 2, "beneficiary": "distributor", "kind": "fixed", "prize_id": "rebate-5"},
    {"no": 3, "beneficiary": "consumer", "kind": "drawn", "prize_id": "lucky"},
]
_POOL = [
    {"prize_id": "cash-888", "win": 1, "per": 12},
    {"prize_id": "cash-88", "win": 1, "per": 3},
    {"prize_id": "points-50", "win": 1, "per": 4},
]


class Arena:
    """`units` bottles of one batch, half of them shipped to each distributor, all of them claimable."""

    def __init__(self, market: Market, units: int) -> None:
        self.market, desk = market, market.desk
        self.units = -(-units // UNITS_PER_CASE) * UNITS_PER_CASE
        self.campaign_id = f"chaos-{int(time.time() * 1000):x}"
        self._publish(desk)
        self.batch_no: int = desk.call("POST", "/batches", {"gtin": market.gtin, "size": self.units})["batch_no"]
        desk.call("POST", f"/batches/{self.batch_no}/commission")
        self.half = self.units // 2
        for party, start, stop in zip(DISTRIBUTORS, (0, self.half), (self.half, self.units), strict=True):
            brand.ship(desk, f"{self.campaign_id}-{party}", self.batch_no, start, stop, party)
        self.release_id = brand.release(desk, self.batch_no, self.campaign_id, 0, self.units)
        self.view = read_batch(desk, self.batch_no)
        time.sleep(CATALOG_AGE_S)

    def _publish(self, desk: Any) -> None:
        """Drawn prizes have a budget, so a second person approves the campaign."""
        plain = brand.campaign_body(self.campaign_id, [self.market.gtin], int(time.time() * 1000))
        changed = {"pool": _POOL, "effects": EFFECTS, "draws": [LUCKY], "limit": {"per_campaign": PER_PERSON}}
        path = f"/campaigns/{self.campaign_id}/draft"
        desk.call("PUT", path, {"campaign": {**plain, **changed}})
        desk.call("POST", f"{path}/submit", {"reason": "to be tormented"})
        with closing((second := desk.colleague()).client):
            second.call("POST", f"{path}/approve")

    def campaign(self) -> Campaign:
        """The version that decides its claims, as the console tells it."""
        [only] = self.market.desk.call("GET", f"/campaigns/{self.campaign_id}/versions")
        return msgspec.convert(only, Campaign)

    def ref(self, index: int) -> CodeRef:
        return CodeRef(self.batch_no, index, Role.CAP_INNER)

    def serial(self, index: int) -> str:
        return self.market.keys.serial(self.view, index)

    def prize(self, index: int) -> str:
        """The prize laid on this bottle, as only the brand's keys can tell; "" for none."""
        return self.market.keys.prize(self.view, index)

    def distributor(self, index: int) -> str:
        return list(DISTRIBUTORS)[index >= self.half]

    def claim(self, phone: Phone, index: int, claim_id: str) -> ScanAnswer:
        """Raises ApiProblemError."""
        return phone.scan(self.market.gtin, self.serial(index), claim_id=claim_id)
