"""Chapter: one case and one bottle pay the whole chain: store, distributor, salesperson, and the person who drinks it.

A store's member opens a case (the code inside it), a consumer opens a bottle; rules decide who gets what, and
`explain` says why. Used by `command.py`.
"""

import time
from collections.abc import Iterator

from cli import brand
from cli.clients import Phone
from cli.demo.chapters.actors import Cast
from cli.demo.report import Line
from dev.seed.main import DISTRIBUTORS
from uncap.domain.catalog import Role
from uncap.domain.codes.links import parse_code_link

STEM = "95201236"  # with four digits for the run, as cli/demo/world.py's
NAME = {"zh-CN": "清泉啤酒 330ml 渠道装", "en": "Clearwell Lager 330 ml, channel pack"}
UNITS, PACK = 24, 12
PAID_WITHIN_S = 90.0
CATALOG_AGE_S = 5.5
PRIZES = [
    {"prize_id": "sip", "kind": "points", "amount_minor": 10, "name": {"zh-CN": "积分", "en": "Points"}},
    {
        "prize_id": "case",
        "kind": "trade_credit",
        "amount_minor": 200,
        "name": {"zh-CN": "开箱返利", "en": "Case rebate"},
    },
    {
        "prize_id": "link",
        "kind": "trade_credit",
        "amount_minor": 5,
        "name": {"zh-CN": "关联返利", "en": "Linked rebate"},
    },
    {"prize_id": "sales", "kind": "points", "amount_minor": 3, "name": {"zh-CN": "业务积分", "en": "Sales points"}},
]


def play(cast: Cast) -> Iterator[Line]:
    """The chapter's rows, each a check."""
    distributor = next(iter(DISTRIBUTORS))
    seller = distributor.replace("dist", "sales")
    shop = cast.shop("demo-shop", seller)
    units, cases = _market(cast, (distributor, shop))
    time.sleep(CATALOG_AGE_S)
    owner = cast.member(shop, "owner")
    opened = cast.scan(owner, cast.links(cases, Role.CASE_INNER)[0], "claim")
    yield Line("a store opens a case", opened["outcome"], opened["outcome"] == "first")
    code = parse_code_link(cast.links(units, Role.CAP_INNER)[0])
    drunk = Phone(cast.outputs.scan_base, f"demo-{cast.world.run}-drinker").scan(code.gtin, code.serial)
    yield Line("a consumer opens a bottle of it", drunk.outcome, drunk.outcome == "first")
    wanted = {
        ("case", "outlet", shop, 200),
        ("case", "distributor", distributor, 5),
        ("case", "salesperson", seller, 3),
        ("bottle", "outlet", shop, 5),
        ("bottle", "distributor", distributor, 5),
        ("bottle", "salesperson", seller, 3),
    }
    paid = _paid(cast, units, cases, wanted)
    for what, beneficiary, party, amount in sorted(wanted):
        ok = (what, beneficiary, party, amount) in paid
        yield Line(f"{what}: the {beneficiary} earns", str(amount) if ok else "nothing", ok, party)
    told = cast.desk.call("GET", f"/claims/{units}.0.{int(Role.CAP_INNER)}/explanation")
    yield Line("explained as granted", "yes" if told["agrees"] else "no", bool(told["agrees"]))


def _market(cast: Cast, road: tuple[str, ...]) -> tuple[int, int]:
    """A product, a campaign of rules alone, bottles in cases, shipped down to the shop and activated."""
    gtin, case_gtin = brand.product(cast.desk, f"{STEM}{cast.world.run % 10_000:04d}", NAME, PACK)
    campaign = f"channel-{cast.world.run}"
    rules = [
        _rule(1, "cap_inner", consumer="sip", outlet="link", distributor="link", salesperson="sales"),
        _rule(2, "case_inner", outlet="case", distributor="link", salesperson="sales"),
    ]
    details: dict[str, object] = {"prizes": PRIZES, "pool": [], "effects": [], "rule_set": rules}
    brand.campaign(cast.desk, campaign, [gtin, case_gtin], int(time.time() * 1000), **details)
    units, cases = brand.batch(cast.desk, gtin, case_gtin, UNITS, lot=f"CHANNEL-{cast.world.run}")
    for party in road:
        brand.ship(cast.desk, f"{campaign}-{party}", units, 0, UNITS, party)
    for batch_no, size in ((units, UNITS), (cases, UNITS // PACK)):
        brand.release(cast.desk, batch_no, campaign, 0, size)
    return units, cases


def _rule(no: int, role: str, **gives: str) -> dict[str, object]:
    effects = [
        {"no": 1, "beneficiary": beneficiary, "kind": "fixed", "prize_id": prize}
        for beneficiary, prize in gives.items()
    ]
    return {"no": no, "name": f"opening a {role}", "when": {"roles": [role]}, "effects": effects}


def _paid(cast: Cast, units: int, cases: int, wanted: set[tuple[str, str, str, int]]) -> set[tuple[str, str, str, int]]:
    """What the chain has been paid for the first bottle and the first case, once all is there or time is up."""
    codes = {"bottle": f"{units}.0.{int(Role.CAP_INNER)}", "case": f"{cases}.0.{int(Role.CASE_INNER)}"}
    deadline = time.monotonic() + PAID_WITHIN_S
    while True:
        paid = {
            (what, one["beneficiary"], one["who"], one["amount_minor"])
            for what, code in codes.items()
            for one in brand.rewards_of(cast.desk, code)
            if one["state"] == "PAID"
        }
        if wanted <= paid or time.monotonic() > deadline:
            return paid
        time.sleep(1.0)
