"""One view per face of a campaign's public page, by name. Used by its tests and `python -m dev.page_server`."""

import hashlib

from webui.campaign_page import CampaignView, Closing, PrizeLine, Seal


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_PRIZES = (
    PrizeLine({"zh-CN": "开盖头奖", "en": "Cap jackpot"}, "cash", 88_800, "laid", 1, 10_000),
    PrizeLine({"zh-CN": "开盖红包", "en": "Cap red packet"}, "cash", 188, "laid", 1, 8),
    PrizeLine({"zh-CN": "会员积分", "en": "Member points"}, "points", 20, "every", 1, 1),
    PrizeLine({"zh-CN": "现金 88 元", "en": "88 yuan"}, "cash", 8_800, "drawn", 1, 1_000, 500),
    PrizeLine(
        {"zh-CN": "夜场红包", "en": "Night packet"}, "cash", 888, "drawn", 1, 50, 2_000, True, ("18:00-23:00", "VIP")
    ),
    PrizeLine({"zh-CN": "露营套装", "en": "Camping set"}, "goods_voucher", 1, "drawn", 1, 5_000, 20, by_rule=True),
    PrizeLine(
        {"zh-CN": "新能源汽车首付", "en": "Down payment on an electric car"}, "cash", 5_000_000, "closing", 1, 0, 1
    ),
    PrizeLine({"zh-CN": "双人旅行", "en": "A trip for two"}, "cash", 880_000, "closing", 10, 0, 10),
)
_TERMS = Closing(1, 20, 30)
_COMMITTED = Closing(
    1,
    20,
    30,
    "committed",
    _hash("seed hash"),
    "drand-quicknet 13548207",
    1_284_031,
    _hash("root"),
    _hash("commitment"),
)
_PUBLISHED = Closing(
    1,
    20,
    30,
    "published",
    _hash("seed hash"),
    "drand-quicknet 13548207",
    1_284_031,
    _hash("root"),
    _hash("commitment"),
    _hash("beacon"),
    _hash("seed"),
    _hash("result"),
)
_SEALS = (
    Seal("r12-2", 480_000, _hash("r12-2"), "drand-quicknet 12034411", _hash("v2")),
    Seal("r12-1", 720_000, _hash("r12-1"), "drand-quicknet 11904520", _hash("v1"), _hash("s1")),
)


def _view(name: str, **changes: object) -> CampaignView:
    fields: dict[str, object] = {
        "campaign_id": name,
        "version": 3,
        "path": f"/campaigns/{name}",
        "state": "open",
        "name": {"zh-CN": "春日开瓶有礼", "en": "Open and win in spring"},
        "rules": {
            "zh-CN": "开瓶扫描瓶盖内码即可参加，每个码限用一次。\n员工及其亲属不得参加。未尽事宜见品牌官网。",
            "en": "Open, scan the code inside the cap; a code counts once.\nStaff and their families do not take part.",
        },
        "starts_on": "2026-11-22",
        "ends_on": "2027-02-28",
        "claim_until": "2027-03-31",
        "currency": "CNY",
        "prizes": _PRIZES,
        "products": (
            {"zh-CN": "经典拉格 500 毫升", "en": "Classic lager 500 ml"},
            {"zh-CN": "淡色艾尔", "en": "Pale ale"},
        ),
        "per_day": 3,
        "closing": _TERMS,
        "seals": _SEALS,
    }
    return CampaignView(**{**fields, **changes})  # type: ignore[arg-type]


CAMPAIGNS = {
    "OPEN": _view("OPEN"),
    "COMMITTED": _view("COMMITTED", state="over", closing=_COMMITTED),
    "PUBLISHED": _view("PUBLISHED", state="over", closing=_PUBLISHED),
    "BARE": _view(
        "BARE", state="upcoming", prizes=_PRIZES[2:3], closing=None, seals=(), products=(), per_day=0, rules={"en": "-"}
    ),
}
