"""Every entry of the Ledger table, segment by segment: for the month's end, not for requests. Used by `uncap books`."""

from collections.abc import Iterator

import msgspec

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.ledger import ENTRY
from uncap.adapters.ledger_items import REWARD, reward_of
from uncap.adapters.models import LedgerItem
from uncap.domain.books.journal import Booked, of_entry, of_reward
from uncap.domain.ledger import JournalEntry
from uncap.domain.rewards.reward import Reward

SEGMENTS = 4


def every_entry() -> Iterator[Booked]:
    """In the table's own order. Raises TransientError, PoisonError. Needs `open_tables` to have bound LedgerItem."""
    for item in _items():
        if item.pk.startswith(ENTRY):
            yield of_entry(msgspec.json.decode(item.doc, type=JournalEntry))
        elif item.pk.startswith(REWARD):
            yield from of_reward(reward_of(item.doc, item.granted, item.settled))


def every_reward() -> Iterator[Reward]:
    """The rewards alone."""
    for item in _items():
        if item.pk.startswith(REWARD):
            yield reward_of(item.doc, item.granted, item.settled)


def _items() -> Iterator[LedgerItem]:
    wanted = ["pk", "doc", "granted", "settled"]
    for segment in range(SEGMENTS):
        with translated():
            yield from LedgerItem.scan(segment=segment, total_segments=SEGMENTS, attributes_to_get=wanted)
