"""One view per face of the scan page, by name. Used by its tests, bench/page.py and `python -m dev.page_server`."""

from msgspec.structs import replace

from webui.views import PrizeOdds, RewardView, ScanPageView

GTIN = "09520123456788"
REWARD_ID = "7Q2M4T8XK1ZB5N9C3W6D0GJPRS"
REASONS = (
    "outer_code",
    "not_assigned",
    "not_activated",
    "line_rejected",
    "decommissioned",
    "recalled",
    "frozen",
    "campaign_not_started",
    "campaign_ended",
    "campaign_paused",
    "no_campaign",
)
STATES = (
    "NONE",
    "PENDING",
    "SUBMITTING",
    "ACCEPTED",
    "WAIT_USER",
    "PAID",
    "FAILED",
    "CLAIMABLE",
    "RELEASED",
    "HELD",
)
ERRORS = ("person_limit_reached", "session_expired", "busy", "anything_else")

CASH = {"zh-CN": "开盖红包", "en": "Cap red packet"}
CLAIMABLE = ScanPageView(
    verdict="issued",
    link_path=f"/01/{GTIN}/21/CLAIMABLE",
    status="claimable",
    product={"zh-CN": "云溪精酿 · 小麦白啤 500 ml", "en": "Yunxi Brewing · Wheat Beer 500 ml"},
    gtin=GTIN,
    serial="CLAIMABLE",
    lot="QX26-0417",
    produced_on="2026-09-03",
    best_before="2027-03-02",
    campaign={"zh-CN": "开盖有礼 · 2026 秋", "en": "Open and win · autumn 2026"},
    rules={
        "zh-CN": "每瓶瓶盖内有一个码，只能领取一次。\n奖品在上市前已排定，数量不增不减，每批比例相同。",
        "en": "One code under every cap; it can be claimed once.\n"
        "Prizes were laid before the bottles were sold, in exact numbers, the same in every release.",
    },
    odds=(
        PrizeOdds({"zh-CN": "红包 ¥88.00", "en": "Red packet ¥88.00"}, 1, 1_200),
        PrizeOdds({"zh-CN": "红包 ¥8.80", "en": "Red packet ¥8.80"}, 1, 40),
        PrizeOdds({"zh-CN": "20 积分", "en": "20 points"}, 1, 4),
    ),
    claim_until="2026-12-31",
    claim_id="c_5J8M2K7Q4T9X1ZB3",
    csrf="3f1c5d0b7a",
)


def reward(state: str) -> RewardView:
    """A cash reward in this state, as the caller of the page owns it."""
    won = state not in ("", "NONE")
    return RewardView(
        reward_id=REWARD_ID,
        state=state,
        kind="cash" if won else "",
        amount_minor=880 if won else 0,
        currency="CNY" if won else "",
        prize=CASH if won else {},
        confirm_url="https://pay.example.test/confirm/1" if state == "WAIT_USER" else "",
    )


def _named(name: str, view: ScanPageView) -> ScanPageView:
    return replace(view, link_path=f"/01/{GTIN}/21/{name}", serial=name)


def _bare(view: ScanPageView) -> ScanPageView:
    """Without a campaign."""
    return replace(view, campaign={}, rules={}, odds=(), claim_until="")


def _gallery() -> dict[str, ScanPageView]:
    base = CLAIMABLE
    yours = replace(base, status="claimed_by_you", first_scan_on="2026-11-22", scans=1)
    views = {
        "CLAIMABLE": base,
        "NOT-ISSUED": ScanPageView(verdict="not_issued", link_path=""),
        "CLAIMED": replace(base, status="claimed", first_scan_on="2026-11-18", scans=3),
        "YOURS-UNKNOWN": yours,
        "YOURS-CONFIRMING": replace(yours, rewards=(reward(""),)),
        "YOURS-POINTS": replace(
            yours,
            rewards=(RewardView(REWARD_ID, "PAID", "points", 1_200, "", {"zh-CN": "会员积分", "en": "Member points"}),),
        ),
        "YOURS-VOUCHER": replace(
            yours,
            rewards=(
                RewardView(REWARD_ID, "PENDING", "goods_voucher", 900, "CNY", {"zh-CN": "再来一瓶", "en": "One more"}),
            ),
        ),
        "YOURS-ELSEWHERE": replace(yours, rewards=(replace(reward("WAIT_USER"), confirm_url=""),)),
        "YOURS-AWAITING": replace(yours, rewards=(replace(reward("HELD"), reason="awaiting_shipment"),)),
        "YOURS-REFUSED": replace(yours, rewards=(replace(reward("RELEASED"), reason="risk_confirmed"),)),
        "OUTER-CLONE": _bare(
            replace(base, status="observed", reason="outer_code", inner=False, scans=37, clone_warning=True)
        ),
    }
    views |= {f"YOURS-{state}": replace(yours, rewards=(reward(state),)) for state in STATES}
    for reason in REASONS:
        inner = reason != "outer_code"
        view = replace(base, status="observed", reason=reason, inner=inner, scans=2)
        views[f"OBSERVED-{reason}"] = _bare(view) if reason == "no_campaign" else view
    for code in ERRORS:
        views[f"ERROR-{code}"] = replace(base, error=code, retry_after_s=40_000 if code.startswith("person") else 0)
    return {name.upper(): _named(name.upper(), view) for name, view in views.items()}


GALLERY = _gallery()
