"""A prize that is sent: from its owner's address to its delivery, as moves of its reward (ADR 0035). Pure.

Called by the worker (`ask`), the wallet (`addressed`), the console (`taken` … `returned`) and the sweeper. Every
function returns a new value with `rev` one higher and raises ConflictError (`transition_illegal`) where the move is
not allowed; the money is booked once, with the delivery.
"""

import unicodedata

import msgspec

from uncap.domain import ledger
from uncap.domain.campaigns.physical import PHYSICAL
from uncap.domain.errors import InputError
from uncap.domain.rewards import states
from uncap.domain.rewards.reward import AWAITING_ADDRESS, AWAITING_DELIVERY, AWAITING_DISPATCH, Parcel, Reward, State

DAY_MS = 86_400_000
ERASED_AFTER_MS = 30 * DAY_MS
SILENCE_MS = 30 * DAY_MS
"""A parcel that nobody has heard of for as long counts as delivered."""
COME_BACK_MS = 30 * DAY_MS
"""For as long at least the owner of a parcel that came back may say another address."""
CLEARING = "parcels"
_NAME_CHARACTERS = (2, 30)
_PHONE_DIGITS = (7, 15)
_ADDRESS_CHARACTERS = (8, 200)


class Address(msgspec.Struct, frozen=True):
    """Who receives a parcel, and where. Never logged; sealed as it comes in, opened for who sends it."""

    name: str
    phone: str
    address: str

    def __repr__(self) -> str:
        return "Address(…)"


def checked_address(name: str, phone: str, address: str) -> Address:
    """The three in their one spelling. InputError (`receiver_malformed`, `phone_malformed`, `address_malformed`),
    `where` the field."""
    given = Address(*(" ".join(unicodedata.normalize("NFC", one).split()) for one in (name, phone, address)))
    shortest, longest = _NAME_CHARACTERS
    if not shortest <= len(given.name) <= longest or not _is_text(given.name) or not _has_letter(given.name):
        raise InputError("receiver_malformed", f"a name has {shortest} to {longest} characters", where="name")
    fewest, most = _PHONE_DIGITS
    digits = sum("0" <= one <= "9" for one in given.phone)
    if not fewest <= digits <= most or not all(one in "0123456789 -()" for one in given.phone.removeprefix("+")):
        raise InputError("phone_malformed", f"a phone number has {fewest} to {most} digits", where="phone")
    shortest, longest = _ADDRESS_CHARACTERS
    if not shortest <= len(given.address) <= longest or not _is_text(given.address) or not _has_letter(given.address):
        raise InputError("address_malformed", f"an address has {shortest} to {longest} characters", where="address")
    return given


def ask(reward: Reward, now_ms: int) -> Reward:
    """Owed and not stopped: it waits for its owner's address until the deadline, or to be sent where that is known."""
    if reward.kind != PHYSICAL or reward.state is not State.PENDING or reward.settled:
        raise states.illegal(reward, "ask for an address")
    if reward.parcel is not None and reward.parcel.address:
        return states.moved(reward, state=State.HELD, reason=AWAITING_DISPATCH)
    due = max(reward.claimable_until_ms, now_ms)
    return states.moved(reward, state=State.HELD, reason=AWAITING_ADDRESS, due_at_ms=due)


def takes_address(reward: Reward, now_ms: int) -> bool:
    """Whether its owner may say an address now: for the first time, or another one until the parcel is taken over."""
    if reward.kind != PHYSICAL or reward.state is not State.HELD:
        return False
    if reward.reason == AWAITING_ADDRESS:
        return now_ms < reward.claimable_until_ms
    return _is_in(reward, AWAITING_DISPATCH, "to_send")


def addressed(reward: Reward, sealed: str, now_ms: int) -> Reward:
    """To be sent, there. What an earlier parcel carried is forgotten."""
    if not takes_address(reward, now_ms):
        raise states.illegal(reward, "take an address")
    return _dispatch(reward, Parcel("to_send", now_ms, sealed))


def taken(reward: Reward, by: str, now_ms: int) -> Reward:
    """Taken over for sending by one operator; from here on its owner changes nothing."""
    parcel = _parcel(reward, AWAITING_DISPATCH, "to_send", "be taken over")
    return _dispatch(reward, msgspec.structs.replace(parcel, state="taken", at_ms=now_ms, by=by))


def stopped(reward: Reward, reason: str, now_ms: int) -> Reward:
    """A recall, a pause or the like, found before anything was taken over: held for it, with its address."""
    _parcel(reward, AWAITING_DISPATCH, "to_send", "be stopped")
    due = now_ms + states.wait_ms(reward.reward_id, 3) if reason in states.WAITS_FOR_FACT else 0
    return states.moved(reward, state=State.HELD, reason=reason, due_at_ms=due)


def put_back(reward: Reward, now_ms: int) -> Reward:
    """Taken over and not sent after all: anyone may take it over."""
    parcel = _parcel(reward, AWAITING_DISPATCH, "taken", "be put back")
    return _dispatch(reward, msgspec.structs.replace(parcel, state="to_send", at_ms=now_ms, by=""))


def sent(reward: Reward, carrier: str, tracking_no: str, now_ms: int) -> Reward:
    """Handed to a carrier. Without news for `SILENCE_MS` it counts as delivered."""
    parcel = _parcel(reward, AWAITING_DISPATCH, "taken", "be sent")
    told = msgspec.structs.replace(parcel, state="sent", at_ms=now_ms, carrier=carrier, tracking_no=tracking_no)
    due = now_ms + SILENCE_MS
    return states.moved(reward, state=State.HELD, reason=AWAITING_DELIVERY, parcel=told, due_at_ms=due)


def delivered(reward: Reward, now_ms: int) -> Reward:
    """PAID, with the entry; its address is due to be erased."""
    parcel = _parcel(reward, AWAITING_DELIVERY, "sent", "be delivered")
    if reward.settled:
        raise states.illegal(reward, "be delivered")
    return states.moved(
        reward,
        state=State.PAID,
        parcel=msgspec.structs.replace(parcel, state="delivered", at_ms=now_ms),
        settled=ledger.paid(reward.beneficiary, CLEARING, reward.currency, reward.amount_minor, 0),
        paid_at_ms=now_ms,
        due_at_ms=now_ms + ERASED_AFTER_MS,
    )


def returned(reward: Reward, now_ms: int) -> Reward:
    """Back at the sender: that address is erased, and its owner is asked for another."""
    parcel = _parcel(reward, AWAITING_DELIVERY, "sent", "come back")
    until = max(reward.claimable_until_ms, now_ms + COME_BACK_MS)
    back = msgspec.structs.replace(parcel, state="returned", at_ms=now_ms, address="")
    return states.moved(
        reward, state=State.HELD, reason=AWAITING_ADDRESS, parcel=back, claimable_until_ms=until, due_at_ms=until
    )


def erased(reward: Reward) -> Reward:
    """Without the address, once it was delivered for long enough."""
    if reward.state is not State.PAID or reward.parcel is None:
        raise states.illegal(reward, "forget an address")
    return states.moved(reward, parcel=msgspec.structs.replace(reward.parcel, address=""))


def _dispatch(reward: Reward, parcel: Parcel) -> Reward:
    return states.moved(reward, state=State.HELD, reason=AWAITING_DISPATCH, parcel=parcel)


def _is_in(reward: Reward, reason: str, state: str) -> bool:
    return reward.state is State.HELD and reward.reason == reason and reward.parcel_state == state


def _parcel(reward: Reward, reason: str, state: str, what: str) -> Parcel:
    if reward.parcel is None or not _is_in(reward, reason, state):
        raise states.illegal(reward, what)
    return reward.parcel


def _is_text(text: str) -> bool:
    """Nothing that is not printed: no control characters, no marks that turn the reading direction."""
    return all(unicodedata.category(one)[0] in "LMNPSZ" and one not in "<>" for one in text)


def _has_letter(text: str) -> bool:
    return any(one.isalpha() for one in text)
