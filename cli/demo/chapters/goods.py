"""Chapter: goods from the packing line to a distributor's door, with everything that goes wrong on the way.

A line file with rejects, a repeat and a short case; a spoilt code replaced by two people; a pallet shipped, its case
received by a scan; a bottle traced up and the pallet down; what a partner says of it in EPCIS. Used by `command.py`.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from cli import brand
from cli.demo.chapters.actors import Cast, Pack
from cli.demo.report import Line
from cli.line_files import LineDay, LineRow, run_line, to_bytes_by_form
from dev.seed.main import DISTRIBUTORS
from uncap.domain.catalog import Role
from uncap.domain.codes.links import check_digit
from uncap.domain.codes.sscc import sscc_of

STEM = "95201235"  # with four digits for the run, as cli/demo/world.py's
NAME = {"zh-CN": "清泉果汁 300ml 演示装", "en": "Clearwell Juice 300 ml, demo pack"}
UNITS, PACK, CASES_PER_PALLET = 240, 12, 10
REJECT_EACH, SPARES, REPEATS = 40, 1, 1
REJECTS = (UNITS - SPARES) // REJECT_EACH
PACKED = UNITS - SPARES - REJECTS
SPOILT, SPARE = 30, UNITS - SPARES  # a unit of case 2, and the roll's last code
SEEN_WITHIN_S = 60.0
_COMPANY = "952012"
GLN_BODY = "952012300001"  # the distributor's location number but for its check digit
_EPCIS_CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


def play(cast: Cast) -> Iterator[Line]:
    """The chapter's rows, each a check."""
    pack = _declare(cast)
    yield from _line(cast, pack)
    yield from _replacement(cast, pack)
    yield from _road(cast, pack)
    yield from _epcis(cast, pack)


def _declare(cast: Cast) -> Pack:
    gtin, case_gtin = brand.product(cast.desk, f"{STEM}{cast.world.run % 10_000:04d}", NAME, PACK)
    units, cases = brand.batch(cast.desk, gtin, case_gtin, UNITS, lot=f"JUICE-{cast.world.run}")
    body = {"unit_batch_no": cases, "holds": CASES_PER_PALLET, "company_prefix": _COMPANY}
    made = cast.desk.call("POST", "/pallets", body)
    return Pack(gtin, units, cases, made["batch_no"], made["sscc_first"])


def _line(cast: Cast, pack: Pack) -> Iterator[Line]:
    """The files of bottles into cases and of cases onto pallets, and the first one again."""
    bottles, cases = cast.links(pack.units, Role.CAP_INNER), cast.links(pack.cases, Role.CASE_OUTER)
    began = int(time.time() * 1000) - 86_400_000
    rows = run_line(bottles, cases, LineDay(PACK, began, REJECT_EACH, 0, REPEATS))
    rows = [row for row in rows if row.child != bottles[SPARE]]
    data = to_bytes_by_form(rows, "csv")
    report = cast.upload("line.csv", data, "association")
    counts, packed = report["counts"], report["result"]["packed"]
    yield Line("line file: bottles packed", str(packed), packed == PACKED, f"{len(rows)} rows, {counts}")
    short = -PACKED % PACK
    said = (counts.get("repeat", 0), counts.get("case_short", 0))
    yield Line("line file: repeats, short cases told", str(said), said == (REPEATS, int(short > 0)))
    again = cast.upload("line.csv", data, "association")
    same = again["upload_id"] == report["upload_id"] and again["result"]["packed"] == packed
    yield Line("the same file again", "changes nothing" if same else "was taken twice", same)
    pallets = [
        LineRow(link, sscc_of(pack.first_sscc, at // CASES_PER_PALLET), "add", began + 3_600_000)
        for at, link in enumerate(cases)
    ]
    loaded = cast.upload("pallets.csv", to_bytes_by_form(pallets, "csv"), "association")["result"]["packed"]
    yield Line("cases on pallets", str(loaded), loaded == len(cases))


def _replacement(cast: Cast, pack: Pack) -> Iterator[Line]:
    """A cap is spoilt after activation: the spare takes its prize and place; one person alone cannot do it."""
    spare = [{"start": SPARE, "stop": SPARE + 1, "reason": "spare"}]
    campaign = f"juice-{cast.world.run}"
    brand.campaign(cast.desk, campaign, [pack.gtin], int(time.time() * 1000))
    brand.release(cast.desk, pack.units, campaign, 0, UNITS, excluded=spare)
    swap = {"old_index": SPOILT, "new_index": SPARE}
    cast.desk.call("POST", f"/batches/{pack.units}/replacements", {**swap, "reason": "the cap was crushed"})
    alone = _code_of(lambda: cast.desk.call("POST", f"/batches/{pack.units}/replacements/approve", swap))
    yield Line("replacing a code alone", alone, alone == "second_person_needed")
    before = _chain(cast, f"{pack.units}.{SPOILT}")
    cast.second.call("POST", f"/batches/{pack.units}/replacements/approve", swap)
    place = _chain(cast, f"{pack.units}.{SPARE}")[1:]
    yield Line("the spare lies where the spoilt code lay", " in ".join(place), place == before[1:] != [])


def _road(cast: Cast, pack: Pack) -> Iterator[Line]:
    """Pallet 0 goes to a distributor, whose member scans a case at the door."""
    distributor = next(iter(DISTRIBUTORS))
    pallet = sscc_of(pack.first_sscc, 0)
    paper = {"shipment_id": f"juice-{cast.world.run}", "to_party": distributor, "codes": [pallet]}
    cast.desk.call("POST", "/shipments", paper)
    member = cast.member(distributor, "receiver")
    door = cast.links(pack.cases, Role.CASE_OUTER)[2]
    answer = cast.scan(member, door, "receive")
    consumed = answer["outcome"] != "observed" or bool(answer["rewards"])
    yield Line("a case received by scan consumes", "something" if consumed else "nothing", not consumed)
    bottle = f"{pack.units}.{SPARE}"
    received = _eventually(lambda: _status(cast, bottle) == ("received", distributor))
    yield Line("trace up: the bottle's place", " at ".join(_status(cast, bottle)), received)
    chain = _chain(cast, bottle)
    on_pallet = chain[-1:] == [f"{pack.pallets}.0"] and len(chain) == 3
    yield Line("trace up: bottle, case, pallet", " in ".join(chain), on_pallet, f"SSCC {pallet}")
    down = cast.desk.call("GET", "/trace", code=pallet)["down"]["counts"]
    want = {"case": CASES_PER_PALLET, "unit": CASES_PER_PALLET * PACK}
    yield Line("trace down: on the pallet", str(down), down == want)
    other = _status(cast, sscc_of(pack.first_sscc, 1))
    yield Line("the other pallet", " ".join(other).strip(), other[0] == "origin", "never shipped")


def _epcis(cast: Cast, pack: Pack) -> Iterator[Line]:
    """The distributor's own system tells that the pallet came; told twice, it is known once, the goods are there."""
    sscc, distributor = f"https://id.gs1.org/00/{sscc_of(pack.first_sscc, 0)}", next(iter(DISTRIBUTORS))
    gln = GLN_BODY + str(check_digit(GLN_BODY))
    cast.desk.call("PUT", f"/parties/{distributor}/gln", {"gln": gln, "reason": "told by the distributor"})
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event = {
        "type": "ObjectEvent",
        "eventTime": moment,
        "eventTimeZoneOffset": "+08:00",
        "epcList": [sscc],
        "action": "OBSERVE",
        "bizStep": "receiving",
        "disposition": "in_progress",
        "bizLocation": {"id": f"https://id.gs1.org/414/{gln}"},
    }
    document = {
        "@context": [_EPCIS_CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": moment,
        "epcisBody": {"eventList": [event]},
    }
    jobs = [cast.desk.call("POST", "/epcis/capture", document) for _ in range(2)]
    found = _found(cast, sscc)
    yield Line("EPCIS: told twice, known", str(len(found)), len(found) == 1 and len(jobs) == 2)
    last = f"{pack.cases}.{CASES_PER_PALLET - 1}"
    there = _eventually(lambda: _status(cast, last) == ("received", distributor))
    yield Line("EPCIS: the pallet's last case", " at ".join(_status(cast, last)), there)


def _found(cast: Cast, sscc: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []

    def look() -> bool:
        answer = cast.desk.call("GET", "/epcis/events", MATCH_epc=sscc, EQ_bizStep="receiving")
        body = answer if isinstance(answer, dict) else json.loads(answer)
        events[:] = body["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        return bool(events)

    _eventually(look)
    return events


def _chain(cast: Cast, code: str) -> list[str]:
    return [str(one["code"]) for one in cast.desk.call("GET", "/trace", code=code)["up"]]


def _status(cast: Cast, code: str) -> tuple[str, str]:
    place = cast.desk.call("GET", "/trace", code=code)["place"]
    return str(place["status"]), str((place["party"] or {"party_id": ""})["party_id"])


def _code_of(act: Callable[[], object]) -> str:
    from cli.clients import ApiProblemError

    try:
        act()
    except ApiProblemError as problem:
        return problem.code
    return "nobody objected"


def _eventually(look: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SEEN_WITHIN_S
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True
