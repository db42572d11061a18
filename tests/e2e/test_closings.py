"""On the deployed stack, IAM enforced: a campaign ends, its prizes are drawn and paid, a stranger checks them."""

import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from typer.testing import CliRunner

from cli import brand
from cli.draw import app as draw_commands
from cli.draw_fetch import whole_closing
from dev.stack import http
from tests.kits.market import Market, eventually
from uncap.adapters.scan_items import mark_text
from uncap.domain.catalog import Role
from uncap.domain.prizes.published_closing import PublishedClosing
from uncap.domain.scans import CodeRef, Mark

HOUR_MS = 3_600_000
PEOPLE = 5
BEACON = "5f" * 32


def over(market: Market) -> str:
    """A campaign whose last claim lies two hours back, with two prizes for its close."""
    now_ms = int(time.time() * 1000)
    campaign_id = f"close-{market.campaign_id}"
    body = brand.campaign_body(campaign_id, [market.gtin], now_ms - 5 * HOUR_MS)
    times = {"ends_at_ms": now_ms - 3 * HOUR_MS, "claim_until_ms": now_ms - 2 * HOUR_MS}
    effects = [{"no": 1, "beneficiary": "consumer", "kind": "fixed", "prize_id": "points-50"}]
    terms = {"no": 9, "prizes": [{"prize_id": "points-50", "count": 2}], "runners_up": 1}
    campaign = {**body, **times, "pool": [], "effects": effects, "closing": terms}
    path = f"/campaigns/{campaign_id}/draft"
    market.desk.call("PUT", path, {"campaign": campaign})
    market.desk.call("POST", f"{path}/submit", {"reason": "as agreed"})
    second(market, f"{path}/approve")
    return campaign_id


def second(market: Market, path: str, body: dict[str, Any] | None = None) -> Any:
    assert market.desk.colleague is not None
    with closing((other := market.desk.colleague()).client):
        return other.call("POST", path, body)


def claimed(market: Market, campaign_id: str) -> None:
    """Claims as the scan path wrote them while the campaign lasted."""
    table, client = market.outputs.scans_table, market.aws("dynamodb")
    release_id = market.view.releases[0].release_id
    for number in range(PEOPLE):
        ref = CodeRef(market.batch_no, market.next(""), Role.CAP_INNER)
        mark = Mark(
            f"late{number}", int(time.time() * 1000) - 4 * HOUR_MS, "claim", f"{campaign_id}-{number}",
            release_id=release_id, campaign=f"{campaign_id}@1",
        )  # fmt: skip
        text = {"S": mark_text(mark)}
        client.put_item(TableName=table, Item={"pk": {"S": ref.key()}, "f": text, "l": text, "n": {"N": "1"}})


def test_the_draw_at_a_close(market: Market, tmp_path: Path) -> None:
    campaign_id, desk = over(market), market.desk
    claimed(market, campaign_id)
    path = f"/campaigns/{campaign_id}/closing"
    desk.call("POST", path, {"beacon_source": brand.LOCAL_BEACON, "reason": "as announced"})

    def collected() -> bool:
        market.invoke("reconcile_job")
        return bool(desk.call("GET", path)["complete"])

    eventually(collected, "every claim is an entry")
    draw = desk.call("POST", f"{path}/commit", {"beacon_round": "1", "reason": "all collected"})
    assert draw["fixed"]["entry_count"] == PEOPLE
    second(market, f"{path}/reveal", {"beacon_value": BEACON})

    def given() -> bool:
        market.invoke("reconcile_job")
        return bool(desk.call("GET", path)["given"])

    def paid() -> bool:
        return {one["state"] for one in desk.call("GET", f"{path}/winners")} == {"PAID"}

    eventually(given, "the winners have their rewards")
    eventually(paid, "the winners are paid")
    desk.call("POST", f"{path}/publish")
    published, _ = whole_closing(desk, campaign_id)
    assert Counter(one.prize_id for one in published.winners) == {"points-50": 2}
    file = tmp_path / "close.json"
    file.write_bytes(msgspec.json.encode(published))
    noted = ["--commitment", draw["commitment"], "--beacon", BEACON]
    assert CliRunner().invoke(draw_commands, ["verify", str(file), *noted]).exit_code == 0
    with closing(http.client(market.outputs.scan_base)) as visitor:
        told = visitor.get(f"/campaigns/{campaign_id}", headers={"Accept": "application/json"}).json()
        page = visitor.get(f"/campaigns/{campaign_id}?lang=en", headers={"Accept": "text/html"})
        offered = visitor.get(f"/campaigns/{campaign_id}/draw").content
    assert msgspec.json.decode(offered, type=PublishedClosing) == published
    assert (told["state"], told["closing"]["commitment"]) == ("over", draw["commitment"])
    assert page.status_code == 200
    assert "The draw at the close" in page.text
