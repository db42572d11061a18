"""Every consumer's claim of a campaign becomes an entry of its closing draw: a walk over Scans that can be killed.

Called by `run_closings.py` in reconcile_job once no claim can come any more. At most a chunk and a page are in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.domain.catalog import Campaign
from uncap.domain.errors import PoisonError
from uncap.domain.prizes.closing import person_tag
from uncap.domain.prizes.entering import CHUNK, ROW_BYTES, ClosingStore, Entering, completed, row_of, with_rows
from uncap.domain.rewards.ports import ScanReader
from uncap.domain.scans import ScanImage

SETTLE_MS = 3_600_000
"""After the last claim: more than clocks, catalog caches and slow requests can be apart."""
SEGMENTS = 4
PAGES = 64
"""Pages of Scans between two notes of how far it is, where few of them hold an entry."""


@dataclass(frozen=True)
class Entrance:
    """What entering needs. `salt`: of this campaign's draw."""

    scans: ScanReader
    store: ClosingStore
    catalog: Catalog
    salt: bytes


def enter_claims(campaign: Campaign, tools: Entrance, now_ms: int, time_is_up: Callable[[], bool]) -> Entering | None:
    """Go on until the list is complete or time is up; None while claims may still come.

    Raises ConflictError (`closing_moved`: another run is at work), TransientError; repeating it is safe.
    """
    until_ms, campaign_id = campaign.claim_until_ms, campaign.campaign_id
    if now_ms < until_ms + SETTLE_MS:
        return None
    entering = tools.store.entering(campaign_id) or Entering(until_ms)
    if entering.until_ms != until_ms:  # claims were let in again after a walk: it starts anew, over the same chunks
        entering = Entering(until_ms, rev=entering.rev)
    if entering.is_complete:
        return entering
    rows = bytearray(tools.store.rows(campaign_id, entering.count // CHUNK) if entering.tail else b"")
    while not entering.is_complete:
        before = len(rows)
        entering, ended = _walk(entering, campaign_id, tools, rows, time_is_up)
        entering = with_rows(entering, tools.salt, bytes(rows[before:]))
        entering = _kept(completed(entering) if ended else entering, campaign_id, tools.store, rows)
        if not ended and time_is_up():
            break
    return entering


def _walk(
    entering: Entering, campaign_id: str, tools: Entrance, rows: bytearray, time_is_up: Callable[[], bool]
) -> tuple[Entering, bool]:
    """Pages until there is something to store or the time is up; whether the table has ended."""
    segment, start = entering.segment, entering.start
    for _ in range(PAGES):
        if segment >= SEGMENTS or len(rows) >= CHUNK * ROW_BYTES:
            break
        page = tools.scans.page(segment, SEGMENTS, start)
        for image in page.images:
            if takes_part(image, campaign_id, tools.catalog) and image.first is not None:
                rows += row_of(image.ref, person_tag(tools.salt, image.first.person))
        segment, start = (segment, page.following) if page.following else (segment + 1, "")
        if time_is_up():
            break
    return msgspec.structs.replace(entering, segment=segment, start=start), segment >= SEGMENTS


def _kept(entering: Entering, campaign_id: str, store: ClosingStore, rows: bytearray) -> Entering:
    """Full chunks and the rest are stored with the progress; the rest stays in `rows`."""
    size = CHUNK * ROW_BYTES
    first = (entering.count - len(rows) // ROW_BYTES) // CHUNK
    chunks = {first + at // size: bytes(rows[at : at + size]) for at in range(0, len(rows), size)}
    saved = msgspec.structs.replace(entering, rev=entering.rev + 1)
    store.save_entering(campaign_id, saved, chunks)
    del rows[: len(rows) // size * size]
    return saved


def takes_part(image: ScanImage, campaign_id: str, catalog: Catalog) -> bool:
    """A person's own first claim, under this campaign, of a hidden code that was really printed for a pack.

    Who scanned for an outlet does not, nor do canaries (ADR 0018), nor what is no claim at all.
    """
    first = image.first
    if first is None or first.form != "claim" or not first.person or first.outlet or not image.ref.role.is_inner:
        return False
    try:
        if first.campaign_version[0] != campaign_id:
            return False
    except PoisonError:
        return False  # parked when it was claimed; it names no campaign at all
    view = catalog.batch(image.ref.batch_no)
    return view is not None and image.ref.index < view.batch.size
