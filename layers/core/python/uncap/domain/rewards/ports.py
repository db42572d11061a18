"""What the reward services need from the outside, as protocols: adapters keep them, and so does the fault harness.

All of them raise TransientError when nothing was decided (or nobody knows whether it was): the caller repeats.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from uncap.domain.errors import PoisonError
from uncap.domain.ledger import JournalEntry, Posting
from uncap.domain.rewards.reward import Case, Reward
from uncap.domain.scans import ScanImage

CHANNEL_ROLES = ("distributor", "outlet", "salesperson", "sub_distributor", "outlet_staff", "inviter")
"""Beneficiaries who are found in the channel; a consumer is not."""


class Channel(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who stands behind a unit in the channel; empty where unknown. `shipped`: a shipment covers the unit."""

    shipped: bool = False
    distributor: str = ""
    outlet: str = ""
    salesperson: str = ""
    sub_distributor: str = ""
    outlet_staff: str = ""
    inviter: str = ""  # who invited the outlet
    received: bool | None = None  # whether it was received where it is; None: nobody records receipts of such goods

    def party(self, beneficiary: str) -> str:
        """The party of this beneficiary class, or ""."""
        return str(getattr(self, beneficiary, "")) if beneficiary in CHANNEL_ROLES else ""


class ChannelReader(Protocol):
    """Shipments and the channel tree."""

    def channel_of(self, batch_no: int, index: int) -> Channel:
        """The unit's channel as it is known now."""
        ...


class ShipmentReader(Protocol):
    """Shipments alone: all the sweeper needs."""

    def shipped_to(self, batch_no: int, index: int) -> str:
        """The party the unit was last shipped to, or ""."""
        ...


class LedgerStore(Protocol):
    """Rewards, entries, cases and cursors. Every write is conditional."""

    def create(self, reward: Reward) -> Reward:
        """Put it if it is not there yet; the stored reward either way."""
        ...

    def get(self, reward_id: str) -> Reward | None:
        """The reward as of now (strongly consistent)."""
        ...

    def get_many(self, reward_ids: Sequence[str], *, consistent: bool = True) -> Mapping[str, Reward]:
        """Those of these rewards that exist. `consistent=False`, at half the price: as they are or were a while ago."""
        ...

    def replace(self, old: Reward, new: Reward) -> None:
        """One conditional update: only if the item still is at `old.rev`, and never over an existing settlement.

        ConflictError (`reward_moved`) otherwise; `granted` is never written again.
        """
        ...

    def due(self, now_ms: int, limit: int) -> Sequence[str]:
        """Ids of up to `limit` rewards whose time to be looked at has come (eventually consistent)."""
        ...

    def put_entry(self, entry: JournalEntry) -> bool:
        """Write a balanced entry once; False if its id is taken."""
        ...

    def has_entry(self, entry_id: str) -> bool:
        """Whether a journal entry with this id was written."""
        ...

    def open_case(self, case: Case) -> bool:
        """Open a case once; False if it was opened before."""
        ...

    def postings(self, segment: int, segments: int) -> Iterator[tuple[Posting, ...]]:
        """Every entry in one segment of the table: rewards' own and journal entries."""
        ...

    def rewards(self, segment: int, segments: int) -> Iterator[Reward]:
        """Every reward in one segment of the table."""
        ...

    def read_cursor(self, name: str) -> str:
        """What was saved under this name, or ""."""
        ...

    def save_cursor(self, name: str, text: str) -> None:
        """Remember where a job stands."""
        ...


class RewardQueue(Protocol):
    """RewardQueue: {"v": 1, "reward_id": …} or {"v": 1, "look": […]} (docs/architecture.md)."""

    def send(self, reward_ids: Sequence[str]) -> None:
        """Send one message per id. TransientError if some may not have been taken."""
        ...

    def look(self, reward_ids: Sequence[str], delay_s: int) -> None:
        """Have these looked at in `delay_s` seconds (at most 900). TransientError if that may not have been taken."""
        ...


class DelayedQueue(RewardQueue, Protocol):
    """RewardQueue as the worker uses it, which also sends back what may not be paid yet."""

    def later(self, reward_ids: Sequence[str], delay_s: int) -> None:
        """Send one message per id, delivered in `delay_s` seconds (at most 900). TransientError as `send`."""
        ...


class ParkedQueue(Protocol):
    """ParkedQueue: records no retry can heal."""

    def park(self, source: str, reason: str, detail: str, record: Mapping[str, Any]) -> None:
        """Keep the record (without serials) with its reason, durably, before going on."""
        ...


class ScanPage(NamedTuple):
    """A page of the Scans table; `following` is where the next begins, "" at the end.

    `unreadable`: (key, why) of items that are no scans. They must not stop whoever walks the table.
    """

    images: Sequence[ScanImage]
    following: str
    unreadable: Sequence[tuple[str, PoisonError]] = ()


class ScanReader(Protocol):
    """The Scans table as the jobs read it."""

    def get(self, pk: str) -> ScanImage | None:
        """One code's item (strongly consistent)."""
        ...

    def page(self, segment: int, segments: int, start: str) -> ScanPage:
        """One page of a segment from the position `start`; "" is the beginning."""
        ...


class Message(msgspec.Struct, frozen=True):
    """A message taken from a queue; it comes back unless it is deleted by its receipt."""

    receipt: str
    body: str


class Inbox(Protocol):
    """A queue that is emptied by hand: ParkedQueue or a dead-letter queue."""

    def receive(self) -> Sequence[Message]:
        """Up to ten messages, none if the queue looks empty."""
        ...

    def delete(self, receipt: str) -> None:
        """The message is dealt with."""
        ...
