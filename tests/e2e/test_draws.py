"""On the deployed stack, IAM enforced: the last drawn prize is won once; a stranger checks a revealed draw."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from cli import brand
from cli.clients import ApiProblemError
from cli.draw import app as draw_commands
from cli.draw_fetch import whole_draw
from dev.seed.main import read_batch
from tests.kits.market import CATALOG_AGE_S, UNITS_PER_CASE, Market, eventually
from uncap.domain.catalog import Role

CLAIMERS = 12
OPEN_FOR_MS = 30_000
LUCKY = {
    "draw_id": "lucky",
    "shares": [{"prize_id": "points-50", "win": 1, "per": 1, "total": 1, "per_day": 1, "per_region": 1}],
    "per_person": 1,
}


class Gala:
    """A case of bottles under a campaign that lays prizes, draws one more, and ends in a moment."""

    def __init__(self, market: Market) -> None:
        self.market, desk = market, market.desk
        self.campaign_id = f"gala-{market.campaign_id}"
        plain = brand.campaign_body(self.campaign_id, [market.gtin], int(time.time() * 1000))
        self.ends_ms = int(time.time() * 1000) + OPEN_FOR_MS
        effects = [
            {"no": 1, "beneficiary": "consumer", "kind": "laid"},
            {"no": 3, "beneficiary": "consumer", "kind": "drawn", "prize_id": "lucky"},
        ]
        times = {"ends_at_ms": self.ends_ms, "claim_until_ms": self.ends_ms}
        draft = {"campaign": {**plain, **times, "effects": effects, "draws": [LUCKY]}}
        with pytest.raises(ApiProblemError, match="approval_needed"):
            desk.call("POST", "/campaigns", draft["campaign"])
        path = f"/campaigns/{self.campaign_id}/draft"
        desk.call("PUT", path, draft)
        desk.call("POST", f"{path}/submit", {"reason": "gala night"})
        assert desk.colleague is not None
        with closing((second := desk.colleague()).client):
            second.call("POST", f"{path}/approve")
        self.batch_no: int = desk.call("POST", "/batches", {"gtin": market.gtin, "size": UNITS_PER_CASE})["batch_no"]
        desk.call("POST", f"/batches/{self.batch_no}/commission")
        brand.ship(desk, f"{self.campaign_id}-ship", self.batch_no, 0, UNITS_PER_CASE, "dist-chengdu")
        self.release_id = brand.release(desk, self.batch_no, self.campaign_id, 0, UNITS_PER_CASE)
        self.view = read_batch(desk, self.batch_no)

    def claim(self, index: int) -> dict[str, Any]:
        """The drawn slot's reward, once it is decided."""
        phone = self.market.phone()
        answer = phone.scan(self.market.gtin, self.market.keys.serial(self.view, index, Role.CAP_INNER))
        return self.market.reward_when(phone, answer.rewards[1], "PAID", "NONE")


def test_the_last_drawn_prize_and_the_revealed_draw(market: Market, tmp_path: Path) -> None:
    gala = Gala(market)
    with pytest.raises(ApiProblemError, match="claims_still_open"):
        market.desk.call("POST", f"/releases/{gala.release_id}/reveal")
    time.sleep(CATALOG_AGE_S)
    with ThreadPoolExecutor(CLAIMERS) as pool:
        states = [one["state"] for one in pool.map(gala.claim, range(CLAIMERS))]
    assert sorted(states) == ["NONE"] * (CLAIMERS - 1) + ["PAID"]

    def revealed() -> Any:
        if time.time() * 1000 < gala.ends_ms:
            return None
        return market.desk.call("POST", f"/releases/{gala.release_id}/reveal")

    answer = eventually(revealed, "the draw is revealed")
    draw, _ = whole_draw(market.desk, gala.release_id)
    file = tmp_path / "draw.json"
    file.write_bytes(msgspec.json.encode(draw))
    noted = ["--commitment", answer["commitment"], "--beacon", answer["release"]["beacon_value"]]
    checked = CliRunner().invoke(draw_commands, ["verify", str(file), "--json", *noted])
    assert checked.exit_code == 0, checked.output
    told = msgspec.json.decode(checked.stdout)
    assert told["passed"]
    assert told["eligible_count"] == UNITS_PER_CASE
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(draw, winners=draw.winners[1:])))
    assert CliRunner().invoke(draw_commands, ["verify", str(file)]).exit_code == 1
