"""What a page says about a code: at most one read of Scans, never a write. Called by `routes/scan_routes.py`.

The holder's own page also reads where the rewards stand, which spares the page its first poll.
"""

from datetime import tzinfo
from urllib.parse import quote

import msgspec

from uncap.domain.campaigns.draws import DRAWN, DrawShare
from uncap.domain.catalog import Campaign, PoolShare, Product
from uncap.domain.claims import decide_claim
from uncap.domain.days import day_of
from uncap.domain.errors import NotFoundError
from uncap.domain.lifecycle import item_facts, notice_of
from uncap.domain.scans import ScanImage
from uncap.domain.sessions import Session
from uncap.services.claim_code import ScanDesk, consumer_rewards
from uncap.services.find_code import IssuedCode
from uncap.services.read_reward import RewardDesk, read_reward
from webui.views import PrizeOdds, RewardView, ScanPageView


class ViewDesk(msgspec.Struct, frozen=True):
    """What a page needs from outside. From `clone_threshold` scans on, an outer code's page warns of copies."""

    scan: ScanDesk
    reward: RewardDesk
    clone_threshold: int


def view_code(desk: ViewDesk, session: Session, code: IssuedCode, now_ms: int, *, back: str = "") -> ScanPageView:
    """The view without `claim_id` and `csrf`. `back` is this page's own address, for coming back to it."""
    return view_of(desk, session, code, desk.scan.scans.get(code.ref), now_ms, back=back)


def not_issued_view(gtin: str, serial: str) -> ScanPageView:
    """The same for every serial nobody issued; the two may be any text a stranger put into the address."""
    path = link_path(quote(gtin, safe="", errors="replace"), quote(serial, safe="", errors="replace"))
    return ScanPageView(verdict="not_issued", link_path=path)


def view_of(
    desk: ViewDesk, session: Session, code: IssuedCode, image: ScanImage | None, now_ms: int, *, back: str = ""
) -> ScanPageView:
    """The view of a code whose item is known (None: never scanned)."""
    status, reason = _status(code, image, session, now_ms)
    campaign = code.campaign
    item = item_facts(code.batch, code.index)
    product = desk.scan.catalog.product(item.gtin or code.gtin)
    inner = code.ref.role.is_inner
    scans = image.count if image else 0
    return ScanPageView(
        verdict="issued",
        link_path=link_path(code.gtin, code.serial),
        status=status,
        reason=reason,
        inner=inner,
        product=_name(product),
        gtin=code.gtin,
        serial=code.serial,
        lot=item.lot,
        produced_on=item.produced_on,
        best_before=item.best_before,
        notice=notice_of(code.batch, code.index),
        first_scan_on=first_scan_on(image, desk.scan.zone),
        scans=scans,
        clone_warning=not inner and scans >= desk.clone_threshold,
        campaign=campaign.name if campaign else {},
        rules=campaign.rules if campaign else {},
        odds=_odds(campaign),
        claim_until=_claim_until(code, desk.scan.zone),
        rewards=_rewards(desk, session, image, back) if status == "claimed_by_you" else (),
    )


def first_scan_on(image: ScanImage | None, zone: tzinfo) -> str:
    """The day somebody claimed the code, "" if nobody has: a day tells a buyer enough and a stranger little."""
    claimed = image is not None and image.first is not None and image.first.form == "claim"
    return day_of(image.first.at_ms, zone) if claimed and image and image.first else ""


def link_path(gtin: str, serial: str) -> str:
    """The code's page on this host."""
    return f"/01/{gtin}/21/{serial}"


def _status(code: IssuedCode, image: ScanImage | None, session: Session, now_ms: int) -> tuple[str, str]:
    first = image.first if image else None
    decision = decide_claim(code.batch, code.release, code.campaign, code.index, code.ref.role, now_ms)
    if decision.reason == "recalled":
        return "observed", "recalled"  # concerns whoever holds the bottle, also after the claim
    if first is not None and first.form == "claim":
        return ("claimed_by_you" if session.person and first.person == session.person else "claimed"), ""
    if first is not None:
        return "observed", first.reason or "decommissioned"
    return ("observed", decision.reason) if decision.form == "observe" else ("claimable", "")


def _name(product: Product | None) -> dict[str, str]:
    return product.name if product else {}


def _odds(campaign: Campaign | None) -> tuple[PrizeOdds, ...]:
    """Of what is laid, and of what everyone is drawn for; rules may name other draws (ADR 0019)."""
    if campaign is None:
        return ()
    drawn = {one.prize_id for one in campaign.effects if one.kind == DRAWN and one.beneficiary == "consumer"}
    shares: list[PoolShare | DrawShare] = list(campaign.pool)
    shares += [share for draw in campaign.draws if draw.draw_id in drawn for share in draw.shares]
    return tuple(PrizeOdds(campaign.prize(share.prize_id).name, share.win, share.per) for share in shares)


def _claim_until(code: IssuedCode, zone: tzinfo) -> str:
    if code.campaign is None or code.release is None:
        return ""
    return day_of(min(code.campaign.claim_until_ms, code.release.claim_until_ms) - 1, zone)


def _rewards(desk: ViewDesk, session: Session, image: ScanImage | None, back: str) -> tuple[RewardView, ...]:
    if image is None:
        return ()
    return tuple(_reward(desk.reward, session, one, back) for one in consumer_rewards(desk.scan.catalog, image))


def _reward(desk: RewardDesk, session: Session, reward_id: str, back: str) -> RewardView:
    try:
        reply = read_reward(desk, session, reward_id, back=back)
    except NotFoundError:
        return RewardView(reward_id, "")  # claimed, and being confirmed
    url = reply.action.url if reply.action else ""
    return RewardView(
        reward_id, reply.state, reply.kind, reply.amount_minor, reply.currency, reply.prize, reply.reason, url
    )
