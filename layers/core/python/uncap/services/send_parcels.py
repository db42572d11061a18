"""Prizes that are sent: listed, taken over, sent, delivered or come back. Called by `routes/console/parcels.py`.

Every act is recorded first and then written on the revision that was read, so a record may tell of an act that lost
a race, and no act is without its record. Acts repeated with the same words change nothing.
"""

from typing import Annotated, Literal

import msgspec

from uncap.adapters.ledger_items import parcel_list
from uncap.domain.campaigns.physical import PHYSICAL
from uncap.domain.errors import ConflictError, NotFoundError
from uncap.domain.identity import open_address
from uncap.domain.rewards import parcels
from uncap.domain.rewards.parcels import Address
from uncap.domain.rewards.reward import Reward
from uncap.services.desk import Actor, Desk, Reason
from uncap.services.list_entries import Listing, PageQuery, cursor_of, read_cursor
from uncap.services.stop_money import Brakes

_SHOWN = 6
_Said = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f<>]+$(?!\n)", min_length=1, max_length=40)]
_Number = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{4,40}$(?!\n)", max_length=40)]


class ParcelQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Open parcels of one state, of one campaign or of all."""

    state: Literal["to_send", "taken", "sent"] = "to_send"
    campaign_id: Annotated[str, msgspec.Meta(max_length=40)] = ""


class Sending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who carries it, and under which number."""

    carrier: _Said
    tracking_no: _Number


class Returning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is put back, or came back."""

    reason: Reason


class ParcelView(msgspec.Struct, frozen=True):
    """A prize that is sent, without its address. `since_ms`: when it came to this state; `by`: who took it over."""

    reward_id: str
    state: str
    reason: str
    parcel: str
    campaign: str
    prize_id: str
    value_minor: int
    currency: str
    who: str
    by: str
    carrier: str
    tracking_no: str
    claimed_at_ms: int
    since_ms: int


class TakenParcel(msgspec.Struct, frozen=True):
    """The parcel and where it goes: shown to whoever took it over, and to nobody else."""

    parcel: ParcelView
    to: Address


def list_parcels(desk: Desk, query: ParcelQuery) -> Listing[ParcelView]:
    """One page from the index. Raises InputError (`cursor_malformed`)."""
    page = desk.reward_lists.page(
        state=parcel_list(query.state),
        campaign_id=query.campaign_id,
        limit=query.count,
        after=read_cursor(query.cursor, ""),
    )
    return Listing([view_of(one) for one in page.rewards], cursor_of(page.after))


def take_parcel(desk: Desk, actor: Actor, reward_id: str) -> TakenParcel:
    """Taken over, and its address opened; whoever took it over may ask again as long as it is not sent.

    Raises NotFoundError (`parcel_unknown`), ConflictError (`parcel_taken`, `parcel_stopped`, `transition_illegal`,
    `reward_moved`), PoisonError (`payee_unreadable`).
    """
    reward, now_ms = _load(desk, reward_id), desk.clock_ms()
    if reward.parcel_state == "taken":
        if _by(reward) != actor.login:
            raise ConflictError("parcel_taken", f"{_by(reward)} has taken it over", where="reward_id")
        desk.audit(actor, "parcels.take", reward_id, after="its address was shown again")
        return TakenParcel(view_of(reward), _address(desk, reward))
    taken = parcels.taken(reward, actor.login, now_ms)
    if reason := Brakes(desk.catalog, desk.clock_ms, packing=desk.association).reason(reward):
        desk.ledger.replace(reward, parcels.stopped(reward, reason, now_ms))
        raise ConflictError("parcel_stopped", f"nothing is sent now: {reason}", where="reward_id")
    address = _address(desk, reward)
    desk.audit(actor, "parcels.take", reward_id, after="its address was shown")
    desk.ledger.replace(reward, taken)
    return TakenParcel(view_of(taken), address)


def put_back(desk: Desk, actor: Actor, reward_id: str, given: Returning) -> ParcelView:
    """Not sent after all: its owner may correct the address, and anyone may take it over."""
    reward = _load(desk, reward_id)
    if reward.parcel_state == "to_send":
        return view_of(reward)
    return _moved(desk, actor, reward, parcels.put_back(reward, desk.clock_ms()), "put_back", given.reason)


def mark_sent(desk: Desk, actor: Actor, reward_id: str, given: Sending) -> ParcelView:
    """Handed to a carrier. ConflictError (`parcel_differs`): it was sent already, by other words."""
    reward = _load(desk, reward_id)
    parcel = reward.parcel
    if parcel is not None and parcel.state in ("sent", "delivered"):
        if (parcel.carrier, parcel.tracking_no) != (given.carrier, given.tracking_no):
            raise ConflictError("parcel_differs", "it was sent already, under another number", where="tracking_no")
        return view_of(reward)
    sent = parcels.sent(reward, given.carrier, given.tracking_no, desk.clock_ms())
    return _moved(desk, actor, reward, sent, "sent")


def mark_delivered(desk: Desk, actor: Actor, reward_id: str) -> ParcelView:
    """It has arrived: paid."""
    reward = _load(desk, reward_id)
    if reward.parcel_state == "delivered":
        return view_of(reward)
    return _moved(desk, actor, reward, parcels.delivered(reward, desk.clock_ms()), "delivered")


def mark_returned(desk: Desk, actor: Actor, reward_id: str, given: Returning) -> ParcelView:
    """It came back to the sender: its owner is asked for another address."""
    reward = _load(desk, reward_id)
    if reward.parcel_state == "returned":
        return view_of(reward)
    return _moved(desk, actor, reward, parcels.returned(reward, desk.clock_ms()), "returned", given.reason)


def read_parcel(desk: Desk, reward_id: str) -> ParcelView:
    """Raises NotFoundError (`parcel_unknown`)."""
    return view_of(_load(desk, reward_id))


def view_of(reward: Reward) -> ParcelView:
    """What every operator of the area is shown."""
    parcel = reward.parcel
    return ParcelView(
        reward_id=reward.reward_id,
        state=str(reward.state),
        reason=reward.reason,
        parcel=reward.parcel_state,
        campaign=reward.campaign,
        prize_id=reward.prize_id,
        value_minor=reward.amount_minor,
        currency=reward.currency,
        who=reward.party[:_SHOWN] + "…",
        by=_by(reward),
        carrier=parcel.carrier if parcel else "",
        tracking_no=parcel.tracking_no if parcel else "",
        claimed_at_ms=reward.claimed_at_ms,
        since_ms=parcel.at_ms if parcel else reward.claimed_at_ms,
    )


def _moved(desk: Desk, actor: Actor, old: Reward, new: Reward, act: str, reason: str = "") -> ParcelView:
    desk.audit(actor, f"parcels.{act}", old.reward_id, reason=reason, before=old.parcel_state, after=new.parcel_state)
    desk.ledger.replace(old, new)
    return view_of(new)


def _address(desk: Desk, reward: Reward) -> Address:
    sealed = reward.parcel.address if reward.parcel else ""
    return msgspec.json.decode(open_address(desk.address_key(), reward.reward_id, sealed), type=Address)


def _by(reward: Reward) -> str:
    return reward.parcel.by if reward.parcel else ""


def _load(desk: Desk, reward_id: str) -> Reward:
    reward = desk.ledger.get(reward_id)
    if reward is None or reward.kind != PHYSICAL:
        raise NotFoundError("parcel_unknown", "there is no such prize to send", where="reward_id")
    return reward
