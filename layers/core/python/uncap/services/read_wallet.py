"""A person's wallet: what is kept here, what waits for their tap, name or address, what they can collect again.

Called by `routes/channel_routes.py`. Collecting again is a scan of the code one holds, with the claim's own id: the
relay then sends the payout anew, as it does for an owner who scans again; no other way to the rail is opened: ADR 0021.
"""

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Protocol

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.adapters.ledger_items import REWARD, reward_of
from uncap.adapters.owner_lists import person_owner
from uncap.adapters.wire.dynamodb import Attributes
from uncap.domain.campaigns.pay_n import PAY_N
from uncap.domain.days import day_of
from uncap.domain.errors import ConflictError, NotFoundError
from uncap.domain.rewards.parcels import takes_address
from uncap.domain.rewards.reward import (
    AWAITING_ADDRESS,
    AWAITING_DELIVERY,
    AWAITING_DISPATCH,
    AWAITING_NAME,
    Reward,
    State,
)
from uncap.domain.rewards.rights import code_of, lookup_key
from uncap.domain.scans import Mark
from uncap.domain.sessions import Session
from uncap.services.claim_code import Scans
from uncap.services.read_reward import RewardDesk, read_reward
from webui.channel_views import WalletEntry

SHOWN = 50
_UNTIL = ("right", "again", "name", "address")
"""Sections of what ends on a day."""


class Lists(Protocol):
    """See adapters/owner_lists.py."""

    def keys(self, owner: str, limit: int) -> Sequence[str]: ...

    def items(self, pks: Sequence[str]) -> dict[str, Attributes]: ...


class RightCodes(Protocol):
    """See adapters/replenishments.py."""

    def note_right(self, key: str, reward_id: str) -> None: ...


class WalletDesk(msgspec.Struct, frozen=True):
    """What a wallet needs from outside. `code_key` derives the codes of rights."""

    lists: Lists
    reward: RewardDesk
    catalog: Catalog
    scans: Scans
    codes: RightCodes
    code_key: Callable[[], bytes]
    zone: tzinfo


def read_wallet(desk: WalletDesk, session: Session, now_ms: int, *, back: str = "") -> tuple[WalletEntry, ...]:
    """The person's rewards, newest first, up to 50. Raises TransientError."""
    pks = [pk for pk in desk.lists.keys(person_owner(session.person), SHOWN) if pk.startswith(REWARD)]
    found = desk.lists.items(pks)
    rewards = [reward_of(found[pk]["doc"]["S"]) for pk in pks if pk in found]
    return tuple(_entry(desk, session, one, now_ms, back) for one in rewards if one.party == session.person)


def collect_again(desk: WalletDesk, session: Session, reward_id: str, now_ms: int) -> None:
    """Has the payout of a reward that expired unconfirmed sent again. Pressed twice, it is paid once all the same.

    Raises NotFoundError (`reward_not_ready`), ConflictError (`reward_not_claimable`), TransientError.
    """
    reward = desk.reward.rewards.get(reward_id)
    if reward is None or not session.person or reward.party != session.person or reward.beneficiary != "consumer":
        raise NotFoundError("reward_not_ready", "Nothing is known of this reward yet.")
    if not _can_collect(reward, now_ms):
        raise ConflictError("reward_not_claimable", "This reward is not waiting to be collected.")
    tell_worker(desk, session, reward, now_ms)


def tell_worker(desk: WalletDesk, session: Session, reward: Reward, now_ms: int) -> None:
    """A scan of the code one holds, from which the relay makes a message to the worker.

    Raises NotFoundError (`reward_not_ready`: somebody else holds the code), TransientError.
    """
    image = desk.scans.get(reward.code)
    first = image.first if image else None
    if first is None or first.person != session.person:
        raise NotFoundError("reward_not_ready", "Nothing is known of this reward yet.")
    mark = Mark(
        claim_id=first.claim_id,  # a retry of the claim, and so no new scan to whoever counts them
        at_ms=now_ms,
        form="claim",
        person=session.person,
        intent="collect",
        release_id=first.release_id,
        campaign=first.campaign,
    )
    desk.scans.observe(reward.code, mark)


def _can_collect(reward: Reward, now_ms: int) -> bool:
    return reward.state is State.CLAIMABLE and reward.kind != PAY_N and now_ms < reward.claimable_until_ms


def _entry(desk: WalletDesk, session: Session, reward: Reward, now_ms: int, back: str) -> WalletEntry:
    reply = read_reward(desk.reward, session, reward.reward_id, known=reward, back=back)
    section, shipment = _section(reward, now_ms), reply.shipment
    terms = None
    if reward.kind == PAY_N:
        campaign = desk.catalog.campaign_version(reward.campaign_id, reward.campaign_version)
        terms = campaign.prize(reward.prize_id).pay_n
    return WalletEntry(
        reward_id=reward.reward_id,
        section=section,
        kind=reward.kind,
        amount_minor=reply.amount_minor,
        currency=reply.currency,
        prize=reply.prize,
        shipment=shipment.state if shipment else "",
        carrier=shipment.carrier if shipment else "",
        tracking_no=shipment.tracking_no if shipment else "",
        wants_address=takes_address(reward, now_ms),
        url=reply.action.url if reply.action and section == "waiting" else "",
        until=day_of(reward.claimable_until_ms - 1, desk.zone) if section in _UNTIL else "",
        code=_code(desk, reward) if section == "right" else "",
        add_minor=terms.add_minor if terms else 0,
        on=day_of(reward.paid_at_ms or reward.claimed_at_ms, desk.zone),
        notice=reply.notice,
    )


def _code(desk: WalletDesk, reward: Reward) -> str:
    """The right's code; from the moment it is shown, it is found."""
    code = code_of(desk.code_key(), reward.reward_id)
    desk.codes.note_right(lookup_key(code), reward.reward_id)
    return code


def _section(reward: Reward, now_ms: int) -> str:
    if reward.state is State.CLAIMABLE:
        if now_ms >= reward.claimable_until_ms:
            return "over"
        return "right" if reward.kind == PAY_N else "again"
    sections = {State.PAID: "paid", State.WAIT_USER: "waiting", State.RELEASED: "over"}
    if reward.state is State.HELD and reward.reason == AWAITING_NAME:
        return "name" if now_ms < reward.claimable_until_ms else "over"
    if reward.state is State.HELD and reward.reason == AWAITING_ADDRESS:
        return "address" if now_ms < reward.claimable_until_ms else "over"
    if reward.state is State.HELD and reward.reason in (AWAITING_DISPATCH, AWAITING_DELIVERY):
        return "earned"
    if reward.state in (State.HELD, State.FAILED):
        return "checking"
    return sections.get(reward.state, "earned")
