"""Where a caller's own reward stands. Called by `routes/scan_routes.py` and by `view_code` for the holder's page."""

import re
from typing import Protocol
from urllib.parse import quote

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.domain.campaigns.pay_n import PAY_N
from uncap.domain.errors import NotFoundError
from uncap.domain.lifecycle import notice_of
from uncap.domain.rewards.reward import AWAITING_ADDRESS, AWAITING_NAME, Reward, State
from uncap.domain.sessions import Session

WALLET = "/wallet"
TO_REDEEM = "redeem"
TO_NAME = "name"
TO_ADDRESS = "address"
_REWARD_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}", re.ASCII)


class Rewards(Protocol):
    """The Ledger's rewards; see adapters/ledger_wire.py."""

    def get(self, reward_id: str) -> Reward | None: ...


class RewardDesk(msgspec.Struct, frozen=True):
    """`confirm_url`: where a payout that waits for the person's tap is confirmed outside WeChat; "" where nowhere."""

    rewards: Rewards
    catalog: Catalog
    confirm_url: str = ""


class RewardAction(msgspec.Struct, frozen=True):
    """What the person must do. `url` is empty where it is done in WeChat itself."""

    kind: str
    url: str


class Shipment(msgspec.Struct, frozen=True):
    """A prize that is sent. `state`: to_send | taken | sent | delivered | returned; its address is shown to nobody."""

    state: str
    carrier: str
    tracking_no: str


class RewardReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """As published (docs/architecture.md). `amount_minor` is what the person receives, tax already withheld.

    `notice` is what the brand says about a recall of the item, by language; empty where there is none.
    """

    reward_id: str
    state: str
    kind: str
    amount_minor: int
    currency: str
    prize: dict[str, str]
    reason: str
    action: RewardAction | None
    notice: dict[str, str] = {}
    shipment: Shipment | None = None


def read_reward(
    desk: RewardDesk, session: Session, reward_id: str, *, back: str = "", known: Reward | None = None
) -> RewardReply:
    """The caller's reward. `back`: where the confirm page leads afterwards. `known`: the reward, where it was read.

    Raises NotFoundError (`reward_not_ready`): not granted yet, not the caller's, or no such thing; nobody learns which.
    """
    reward = known or (desk.rewards.get(reward_id) if _REWARD_ID.fullmatch(reward_id) else None)
    if reward is None or not session.person or reward.party != session.person or reward.beneficiary != "consumer":
        raise NotFoundError("reward_not_ready", "Nothing is known of this reward yet.")
    return RewardReply(
        reward_id=reward_id,
        state=str(reward.state),
        kind=reward.kind,
        amount_minor=reward.net_minor,
        currency=reward.currency,
        prize=_prize_name(desk.catalog, reward),
        reason=TO_REDEEM if _is_right(reward) else reward.reason,
        action=_action(desk.confirm_url, reward, back),
        notice=_notice(desk.catalog, reward),
        shipment=_shipment(reward),
    )


def _shipment(reward: Reward) -> Shipment | None:
    parcel = reward.parcel
    if parcel is None or reward.state is State.RELEASED:
        return None
    return Shipment(parcel.state, parcel.carrier, parcel.tracking_no)


def _is_right(reward: Reward) -> bool:
    """A pay-N right that an outlet may redeem."""
    return reward.kind == PAY_N and reward.state is State.CLAIMABLE


def _prize_name(catalog: Catalog, reward: Reward) -> dict[str, str]:
    if not reward.prize_id:
        return {}
    return catalog.campaign_version(reward.campaign_id, reward.campaign_version).prize(reward.prize_id).name


def _notice(catalog: Catalog, reward: Reward) -> dict[str, str]:
    view = catalog.batch(reward.code.batch_no)
    return notice_of(view.batch, reward.code.index) if view else {}


def _action(confirm_url: str, reward: Reward, back: str) -> RewardAction | None:
    if _is_right(reward):
        return RewardAction(TO_REDEEM, WALLET)
    if reward.state is State.HELD and reward.reason == AWAITING_NAME:
        return RewardAction(TO_NAME, WALLET)
    if reward.state is State.HELD and reward.reason == AWAITING_ADDRESS:
        return RewardAction(TO_ADDRESS, WALLET)
    if reward.state is not State.WAIT_USER or reward.action is None:
        return None
    if not confirm_url:
        return RewardAction("confirm", "")
    url = f"{confirm_url}?package={quote(reward.action.package, safe='')}"
    return RewardAction("confirm", f"{url}&back={quote(back, safe='')}" if back else url)
