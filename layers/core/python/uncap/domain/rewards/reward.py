"""A reward as a value: what is owed to whom, where its payment stands, and its two ledger entries.

Made by `granting.py`, moved by `states.py`, kept by `adapters/ledger.py`, shown by scan_api and the console. Field
names are stored short: the whole item must stay within one write unit (1 KB), attempt and entries included.
"""

from enum import StrEnum

import msgspec

from uncap.domain.campaigns.reference import Place
from uncap.domain.ledger import Posting
from uncap.domain.rails import Scene, UserAction
from uncap.domain.scans import CodeRef

VERSION = 1
AWAITING_NAME = "awaiting_name"
"""Why a reward is held from ¥2,000 until its owner says a name."""
AWAITING_ADDRESS, AWAITING_DISPATCH, AWAITING_DELIVERY = "awaiting_address", "awaiting_dispatch", "awaiting_delivery"
"""Why a prize that is sent is held: its owner has not said where to; nobody has sent it; it has not arrived."""


class State(StrEnum):
    """Where a reward stands (docs/architecture.md)."""

    NONE = "NONE"  # the code carries no prize; the item says that this is decided
    PENDING = "PENDING"  # owed, on its way to the rail
    SUBMITTING = "SUBMITTING"  # an attempt is written; the rail may or may not know it
    ACCEPTED = "ACCEPTED"  # the rail works on it
    WAIT_USER = "WAIT_USER"  # the person must confirm
    PAID = "PAID"
    FAILED = "FAILED"  # the rail will not pay this person; until the deadline someone may still decide otherwise
    CLAIMABLE = "CLAIMABLE"  # nobody confirmed in time; the person may come back until the deadline
    RELEASED = "RELEASED"  # the deadline passed or a person refused it; the value is breakage
    HELD = "HELD"  # waits for a fact (shipment, association) or for a person; `reason` says which


FINAL = frozenset({State.NONE, State.PAID, State.RELEASED})


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try at the rail with everything it is told, written before the rail is called.

    `closed` is empty while the rail may still pay this bill; then its word for why not ("expired", …), or "paid".
    """

    no: int = msgspec.field(name="n")
    rail: str = msgspec.field(name="r")
    at_ms: int = msgspec.field(name="t")
    amount_minor: int = msgspec.field(name="a")
    campaign_name: str = msgspec.field(name="c")
    reward_note: str = msgspec.field(name="w")
    scene: Scene = msgspec.field(name="s", default=Scene.MARKETING)
    notify_url: str = msgspec.field(name="u", default="")
    key_expires_at_ms: int = msgspec.field(name="x", default=0)  # 0: resending is safe for ever
    rail_id: str = msgspec.field(name="i", default="")
    account: str = msgspec.field(name="m", default="")  # the rail's account it is sent through, "" for its only one
    tries: int = msgspec.field(name="k", default=0)  # answers that left it open; spaces the next ones out
    closed: str = msgspec.field(name="z", default="")

    @property
    def is_open(self) -> bool:
        return not self.closed


class Redemption(msgspec.Struct, frozen=True, omit_defaults=True):
    """A pay-N right, redeemed: by which outlet, which of its people, when. `key` is the request's: a retry is known."""

    outlet: str = msgspec.field(name="o")
    person: str = msgspec.field(name="p")
    at_ms: int = msgspec.field(name="t")
    key: str = msgspec.field(name="k")
    upstream: str = msgspec.field(name="u")  # who owes the outlet the replacement


class Parcel(msgspec.Struct, frozen=True, omit_defaults=True):
    """A prize that is sent. `address` is sealed, "" once it is erased; `by` is the operator who took it over."""

    state: str = msgspec.field(name="s")  # to_send | taken | sent | delivered | returned
    at_ms: int = msgspec.field(name="t")  # since when
    address: str = msgspec.field(name="a", default="")
    by: str = msgspec.field(name="b", default="")
    carrier: str = msgspec.field(name="c", default="")
    tracking_no: str = msgspec.field(name="n", default="")


class Reward(msgspec.Struct, frozen=True, omit_defaults=True):
    """`amount_minor` is the prize's face value; the person receives `net_minor`. `rev` counts the item's writes.

    `party` and `payee` are frozen when the reward is first put. `granted` and `settled` are its ledger entries; each
    is written once.
    """

    reward_id: str = msgspec.field(name="id")
    ref: str = msgspec.field(name="c")  # CodeRef.key()
    campaign: str = msgspec.field(name="v")  # "campaign_id@version" that decided the claim
    release_id: str = msgspec.field(name="l")
    effect_no: int = msgspec.field(name="e")
    beneficiary: str = msgspec.field(name="b")
    state: State = msgspec.field(name="s")
    claimed_at_ms: int = msgspec.field(name="t")
    claimable_until_ms: int = msgspec.field(name="d")
    version: int = msgspec.field(name="ver", default=VERSION)
    party: str = msgspec.field(name="p", default="")
    payee: str = msgspec.field(name="o", default="")
    person: str = msgspec.field(name="w", default="")  # whom `payee` was sealed for, where that is not the party
    kind: str = msgspec.field(name="k", default="")
    prize_id: str = msgspec.field(name="z", default="")
    amount_minor: int = msgspec.field(name="a", default=0)
    withheld_minor: int = msgspec.field(name="h", default=0)
    currency: str = msgspec.field(name="y", default="")
    reason: str = msgspec.field(name="x", default="")
    attempt: Attempt | None = msgspec.field(name="n", default=None)
    action: UserAction | None = msgspec.field(name="u", default=None)
    paid_at_ms: int = msgspec.field(name="f", default=0)
    due_at_ms: int = msgspec.field(name="q", default=0)  # 0: nothing to look at by itself
    rev: int = msgspec.field(name="r", default=1)
    granted: tuple[Posting, ...] = msgspec.field(name="g", default=())
    settled: tuple[Posting, ...] = msgspec.field(name="m", default=())
    place: Place | None = msgspec.field(name="j", default=None)  # only where place matters
    fee_minor: int = msgspec.field(name="fe", default=0)  # a pay-N right's: what the outlet is credited besides
    fee_currency: str = msgspec.field(name="fy", default="")
    redeemed: Redemption | None = msgspec.field(name="rd", default=None)
    name: str = msgspec.field(name="nm", default="")  # the payee's, sealed, while a bill that needs it may be sent
    cleared: str = msgspec.field(name="cl", default="")  # the stop that people decided does not hold this one
    review: str = msgspec.field(name="rv", default="")  # what the risk gate found, while the party is still waited for
    holds: tuple[str, ...] = msgspec.field(name="ho", default=())  # a drawn prize's places in budgets (ADR 0019)
    parcel: Parcel | None = msgspec.field(name="pc", default=None)  # a prize that is sent: where it stands (ADR 0035)

    @property
    def net_minor(self) -> int:
        """What the rail is told to pay."""
        return self.amount_minor - self.withheld_minor

    @property
    def parcel_state(self) -> str:
        """Where its parcel stands, "" without one."""
        return self.parcel.state if self.parcel else ""

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def payee_person(self) -> str:
        """The person key under which `payee` opens."""
        return self.person or self.party

    @property
    def code(self) -> CodeRef:
        return CodeRef.from_key(self.ref)

    @property
    def campaign_id(self) -> str:
        return self.campaign.rsplit("@", 1)[0]

    @property
    def campaign_version(self) -> int:
        return int(self.campaign.rsplit("@", 1)[1])


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """A money case for a human. The id is derived from what it is about, so opening it twice opens it once."""

    case_id: str
    kind: str
    at_ms: int
    reward_id: str = ""
    bill_no: str = ""
    detail: str = ""
    state: str = "open"
