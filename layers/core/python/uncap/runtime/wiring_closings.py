"""What closing draws need, wired for reconcile_job: the list of draws, the entries' salt, the granter's own tools."""

from collections.abc import Callable, Iterable

import msgspec

from uncap.adapters.closing_entries import ClosingEntries
from uncap.adapters.documents import DocumentTable
from uncap.domain.prizes.closing import ClosingDraw, closing_secret
from uncap.domain.rewards.ports import ScanReader
from uncap.services.grant_rewards import Granter
from uncap.services.run_closings import Closings

CLOSING = "closing"
"""Partition of the Catalog under which every campaign's closing draw is."""


def open_closings(granter: Granter, scans: ScanReader, source: DocumentTable, master: Callable[[], bytes]) -> Closings:
    """A container's own; `master` reads the DrawKeys secret at the first entry."""

    def draws() -> Iterable[ClosingDraw]:
        return [msgspec.json.decode(doc, type=ClosingDraw) for _, doc in source.query(CLOSING)]

    return Closings(
        granter=granter,
        scans=scans,
        store=ClosingEntries(),
        draws=draws,
        salt_of=lambda campaign_id: closing_secret(master(), campaign_id, "salt"),
    )
