"""Chapter: the market's diversion case is worked: evidence, objection, decision, and what follows for money.

While people investigate, the channel's rebates of that shipment wait; confirmed, they lapse and the distributor's
yearly coefficient falls. Who buys one of these bottles meanwhile is paid like anyone. Used by `command.py`.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cli.clients import Phone
from cli.demo.books import Auditor
from cli.demo.chapters.actors import Cast
from cli.demo.plan import SECOND_SHIPMENT_START, Plan, Visit
from cli.demo.report import Line
from cli.diversion.paper import write_pdf
from dev.seed.main import DISTRIBUTORS
from dev.stack.outputs import StackOutputs
from uncap.adapters.catalog import BatchView
from uncap.domain.catalog import Role
from uncap.domain.codes.links import parse_code_link
from uncap.domain.diversion.penalties import FULL_PPM
from uncap.domain.rewards.ids import reward_id
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.scans import CodeRef

HELD_WITHIN_S, DECIDED_WITHIN_S = 60.0, 120.0
CATALOG_AGE_S = 5.5
_REBATE_EFFECT = 2  # the campaign's fixed rebate to the distributor (cli/brand.py)
_CUT_PPM = 50_000
_PERSON = re.compile(r"p_[0-9A-HJKMNP-TV-Z]{26}")
_ZONE = ZoneInfo("Asia/Shanghai")


def play(cast: Cast, story: Plan, view: BatchView, auditor: Auditor) -> Iterator[Line]:
    """The chapter's rows, each a check."""
    found = [one for one in _cases(cast) if one["shipment_id"] == cast.world.shipments[0]]
    if len(found) != 1:
        yield Line("the diverted shipment's case", f"{len(found)} cases", ok=False)
        return
    case = found[0]
    party, year = next(iter(DISTRIBUTORS)), datetime.now(_ZONE).year
    before = _coefficient(cast, party, year)
    _move(cast.desk, case["case_id"], "investigating", "three shops report it")
    time.sleep(CATALOG_AGE_S)
    consumer, rebate = _buy(cast, story, view)
    held = _becomes(auditor, rebate, State.HELD, HELD_WITHIN_S)
    yield Line("investigated: a new rebate of the shipment", _said(held), held is not None, held.reason if held else "")
    yield from _evidence(cast, case["case_id"])
    version = cast.desk.call("GET", f"/diversion/cases/{case['case_id']}").get("version", 1)
    objection = {"party_id": case["party_id"], "text": "a customer moved house with a lorry of it", "version": version}
    cast.desk.call("POST", f"/diversion/cases/{case['case_id']}/objection", objection)
    decided = _move(cast.second, case["case_id"], "confirmed", "the lorry's papers name another town")
    yield Line("objection heard, then decided by a second person", decided["state"], decided["state"] == "confirmed")
    time.sleep(CATALOG_AGE_S)
    lapsed = _becomes(auditor, rebate, State.RELEASED, DECIDED_WITHIN_S)
    yield Line("confirmed: that rebate", _said(lapsed), lapsed is not None)
    bought = _becomes(auditor, consumer, State.PAID, HELD_WITHIN_S)
    yield Line("the consumer of that bottle", _said(bought), bought is not None, "no case touches a consumer's prize")
    after = _coefficient(cast, party, year)
    yield Line("the distributor's coefficient", f"{after / 10_000:.2f} %", after == max(0, before - _CUT_PPM))


def _coefficient(cast: Cast, party: str, year: int) -> int:
    answer = cast.desk.call("GET", f"/diversion/coefficients/{party}", year=year)
    return int(answer.get("ppm", FULL_PPM))


def _buy(cast: Cast, story: Plan, view: BatchView) -> tuple[str, str]:
    """One more bottle of the diverted shipment, bought where it belongs; the consumer's and the distributor's ids."""
    visits = (*story.warehouse, *story.market, *story.after)
    used = {visit.index for visit in visits} | {*story.rejected, *story.decommissioned}
    free = (index for index in range(SECOND_SHIPMENT_START) if index not in used)
    index = next(index for index in free if cast.keys.prize(view, index).startswith("points"))
    phone = Phone(cast.outputs.scan_base, f"demo-{cast.world.run}-late")
    code = parse_code_link(cast.keys.link(view, index))
    home = next(visit for visit in story.market if _at_home(visit)).place
    where = {"lat": home.lat, "lng": home.lng, "accuracy_m": home.accuracy_m, "datum": "wgs84"}
    answer = phone.scan(code.gtin, code.serial, place=where)
    ref = CodeRef(view.batch.batch_no, index, Role.CAP_INNER)
    return answer.rewards[0], reward_id(ref, cast.world.campaign_id, _REBATE_EFFECT, "distributor")


def _at_home(visit: Visit) -> bool:
    return visit.kind == "claim" and visit.index < SECOND_SHIPMENT_START


def _evidence(cast: Cast, case_id: str) -> Iterator[Line]:
    """The pack as JSON and as PDF beside the stack's data; nobody who scanned is in it."""
    pack = cast.desk.call("GET", f"/diversion/cases/{case_id}/evidence")
    paper = evidence_folder(cast.outputs) / f"case-{case_id}.pdf"
    text = json.dumps(pack, ensure_ascii=False, indent=2)
    paper.with_suffix(".json").write_text(text + "\n")
    write_pdf(pack, str(paper), _ZONE)
    digest = hashlib.sha256(paper.read_bytes()).hexdigest()[:12]
    whole = paper.read_bytes().startswith(b"%PDF") and not _PERSON.search(text)
    yield Line("evidence pack", f"{paper.stat().st_size:,} B", whole, f"{paper} (SHA-256 {digest}…)")


def evidence_folder(outputs: StackOutputs) -> Path:
    """Where the demo leaves what a person may want to look at."""
    folder = Path(outputs.state_dir) / "evidence"
    folder.mkdir(exist_ok=True)
    return folder


def _cases(cast: Cast) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = []
    cursor = ""
    while True:
        query = {"cursor": cursor} if cursor else {}
        page = cast.desk.call("GET", "/diversion/cases", state="open", **query)
        cases += page["items"]
        cursor = page["next"]
        if not cursor:
            return cases


def _move(desk: Any, case_id: str, state: str, note: str) -> dict[str, Any]:
    version = desk.call("GET", f"/diversion/cases/{case_id}").get("version", 1)
    moved: dict[str, Any] = desk.call(
        "POST", f"/diversion/cases/{case_id}", {"state": state, "note": note, "version": version}
    )
    return moved


def _becomes(auditor: Auditor, wanted: str, state: State, within_s: float) -> Reward | None:
    """The reward once it is in this state; None if it is not in time."""

    def look() -> Reward | None:
        return next((one for one in auditor.those([wanted]) if one.state is state), None)

    return _eventually(look, within_s)


def _eventually(look: Callable[[], Reward | None], within_s: float) -> Reward | None:
    deadline = time.monotonic() + within_s
    while (found := look()) is None and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def _said(reward: Reward | None) -> str:
    return str(reward.state) if reward else "not in time"
