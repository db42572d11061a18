"""Prizes that are sent: what is to be sent, and what became of it. Mounted by `table.py`."""

from uncap.routes.console.endpoint import Area
from uncap.services.desk import Actor, Desk
from uncap.services.list_entries import Listing
from uncap.services.list_rewards import RewardId
from uncap.services.send_parcels import (
    ParcelQuery,
    ParcelView,
    Returning,
    Sending,
    TakenParcel,
    list_parcels,
    mark_delivered,
    mark_returned,
    mark_sent,
    put_back,
    read_parcel,
    take_parcel,
)

PARCELS = Area("parcels")


@PARCELS.get("/parcels")
def get_parcels(desk: Desk, query: ParcelQuery) -> Listing[ParcelView]:
    """Prizes to send, taken over or on their way, without addresses."""
    return list_parcels(desk, query)


@PARCELS.get("/parcels/{reward_id}")
def get_parcel(desk: Desk, reward_id: RewardId) -> ParcelView:
    """One prize that is sent, without its address."""
    return read_parcel(desk, reward_id)


@PARCELS.post("/parcels/{reward_id}/take")
def post_take(desk: Desk, actor: Actor, reward_id: RewardId) -> TakenParcel:
    """Take a prize over for sending, and see where it goes. Recorded each time."""
    return take_parcel(desk, actor, reward_id)


@PARCELS.post("/parcels/{reward_id}/put-back")
def post_put_back(desk: Desk, actor: Actor, reward_id: RewardId, body: Returning) -> ParcelView:
    """A prize taken over is not sent after all."""
    return put_back(desk, actor, reward_id, body)


@PARCELS.post("/parcels/{reward_id}/sent")
def post_sent(desk: Desk, actor: Actor, reward_id: RewardId, body: Sending) -> ParcelView:
    """A prize was handed to a carrier."""
    return mark_sent(desk, actor, reward_id, body)


@PARCELS.post("/parcels/{reward_id}/delivered")
def post_delivered(desk: Desk, actor: Actor, reward_id: RewardId) -> ParcelView:
    """A prize has arrived: it is paid."""
    return mark_delivered(desk, actor, reward_id)


@PARCELS.post("/parcels/{reward_id}/returned")
def post_returned(desk: Desk, actor: Actor, reward_id: RewardId, body: Returning) -> ParcelView:
    """A prize came back to the sender; its owner is asked for another address."""
    return mark_returned(desk, actor, reward_id, body)
