"""The draw at a campaign's close, from the beacon's value on: revealed by a second person, then published.

Called by `routes/console/closings.py`. In between reconcile_job draws and grants; `uncap draw verify` checks what
`read_published` and `read_entries` give.
"""

from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.adapters.closing_entries import ClosingEntries
from uncap.domain.errors import ConflictError
from uncap.domain.prizes.closing import (
    NOBODY,
    ClosingDraw,
    closing_result,
    closing_secret,
    holder,
    prizes_in_order,
)
from uncap.domain.prizes.commitment import seed_hash
from uncap.domain.prizes.entering import CHUNK, Outcome, public_entry, ref_of, split
from uncap.domain.prizes.published_closing import PublishedClosing, publish_closing, require_true
from uncap.domain.rewards import ids
from uncap.services.activate_release import Beacon
from uncap.services.desk import Actor, Desk, catalog_write, draft
from uncap.services.keep_proposals import approved_proposal, proposal_write
from uncap.services.plan_closing import REVEAL, closing_write, load_closing

INLINE = 20_000
"""Up to this many entries the document holds them; beyond, they come in pages of this many."""
PUBLISHED = "published#"
"""Partition prefix of the Catalog: the published document as text, in pieces, for the campaign's public page."""
PIECE = 100_000
"""Characters of one piece: an item takes 400 KB, the whole 1.4 MB of a transaction's four."""


class PageOfEntries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Places in the list, from 0."""

    start: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)] = 0
    count: Annotated[int, msgspec.Meta(ge=1, le=INLINE)] = INLINE


class EntriesPage(msgspec.Struct, frozen=True):
    """Entries from `start` on, 32 bytes each (base64); `next` is where to go on, 0 at the end."""

    start: int
    entries: bytes
    next: int


class ClosingView(msgspec.Struct, frozen=True):
    """The draw, how many entries are collected so far, whether that is all, and whether every prize was granted."""

    draw: ClosingDraw
    entries: int
    complete: bool
    given: bool


class PrizeHolder(msgspec.Struct, frozen=True):
    """Who has prize number `slot` now, for people who look after the winners; `place` -1 for nobody (left)."""

    slot: int
    prize_id: str
    place: int
    code_key: str = ""
    reward_id: str = ""
    state: str = ""
    reason: str = ""


def reveal_closing(desk: Desk, actor: Actor, campaign_id: str, given: Beacon) -> ClosingDraw:
    """Record the beacon's value and reveal the seed: who wins is settled. By another than who committed.

    Repeating it changes nothing. Raises NotFoundError (`closing_unknown`), ConflictError (`closing_not_committed`,
    `beacon_differs`, `seed_mismatch`, `proposal_missing`, `proposal_expired`), ForbiddenError (`second_person_needed`).
    """
    draw = load_closing(desk, campaign_id)
    if draw.beacon_value and draw.beacon_value != given.beacon_value:
        raise ConflictError("beacon_differs", "another value was recorded", where="beacon_value")
    if draw.beacon_value:
        return draw
    fixed = draw.settled_terms
    proposal = approved_proposal(desk, actor, REVEAL, campaign_id, draw.commitment)
    seed = closing_secret(desk.draw_master(), campaign_id, "seed")
    if seed_hash(seed) != fixed.seed_hash:
        raise ConflictError("seed_mismatch", "this is not the committed seed", where="campaign_id")
    drawn = msgspec.structs.replace(
        draw,
        state="drawn",
        beacon_value=given.beacon_value,
        seed=seed.hex(),
        drawn_at_ms=desk.clock_ms(),
        version=draw.version + 1,
    )
    summary = f"{fixed.beacon_source} {fixed.beacon_round}, {fixed.terms.total} prizes, {fixed.entry_count} entries"
    entry = draft(actor, "campaigns.closing_reveal", campaign_id, before=draw.state, after=summary)
    desk.writes.commit([closing_write(drawn), proposal_write(proposal)], entry)
    return drawn


def publish_result(desk: Desk, actor: Actor, campaign_id: str) -> ClosingDraw:
    """Check everything as a stranger would and publish the result; again after a runner-up was called.

    Raises NotFoundError (`closing_unknown`), ConflictError (`winners_not_granted`, or the fault's own code).
    """
    draw = load_closing(desk, campaign_id)
    outcome = _outcome(draw)
    result = closing_result(draw.commitment, draw.seed, draw.beacon_value, outcome.drawn, outcome.replaced)
    if draw.result == result:
        return draw
    document = _document(desk, draw, outcome)
    if not document.entries_file:
        require_true(document)
    published = msgspec.structs.replace(
        draw, state="published", result=result, published_at_ms=desk.clock_ms(), version=draw.version + 1
    )
    entry = draft(actor, "campaigns.closing_publish", campaign_id, before=draw.state, after=f"result {result}")
    desk.writes.commit([closing_write(published), *_pieces(campaign_id, document)], entry)
    return published


def read_closing(desk: Desk, campaign_id: str) -> ClosingView:
    """Raises NotFoundError (`closing_unknown`)."""
    draw, store = load_closing(desk, campaign_id), ClosingEntries()
    entering, outcome = store.entering(campaign_id), store.outcome(campaign_id)
    complete = entering is not None and entering.is_complete
    return ClosingView(draw, entering.count if entering else 0, complete, outcome is not None and outcome.given)


def read_published(desk: Desk, campaign_id: str) -> PublishedClosing:
    """The published document; a list of more than 20,000 entries is left to `read_entries`, and `entries_file` says so.

    Raises ConflictError (`closing_not_published`).
    """
    draw = load_closing(desk, campaign_id)
    _require_published(draw)
    return _document(desk, draw, _outcome(draw))


def read_entries(desk: Desk, campaign_id: str, page: PageOfEntries) -> EntriesPage:
    """One page of the committed list; public, like the rest, once it is committed to.

    Raises ConflictError (`closing_not_committed`).
    """
    count = load_closing(desk, campaign_id).settled_terms.entry_count
    stop = min(page.start + page.count, count)
    return EntriesPage(page.start, _entries(desk, campaign_id, page.start, stop), stop if stop < count else 0)


def read_holders(desk: Desk, campaign_id: str) -> tuple[PrizeHolder, ...]:
    """Who has each prize, by code and reward. Raises ConflictError (`winners_not_granted`)."""
    draw = load_closing(desk, campaign_id)
    outcome, terms, store = _outcome(draw), draw.settled_terms.terms, ClosingEntries()
    found: list[PrizeHolder] = []
    for slot, prize_id in enumerate(prizes_in_order(terms)):
        place = holder(terms, outcome.drawn, outcome.replaced, slot)
        if place == NOBODY:
            found.append(PrizeHolder(slot, prize_id, NOBODY))
            continue
        ref = ref_of(list(split(store.rows(campaign_id, place // CHUNK)))[place % CHUNK])
        reward_id = ids.reward_id(ref, campaign_id, terms.no, "consumer")
        found.append(PrizeHolder(slot, prize_id, place, ref.key(), reward_id))
    rewards = desk.ledger.get_many([one.reward_id for one in found if one.reward_id])
    return tuple(
        msgspec.structs.replace(one, state=str(rewards[one.reward_id].state), reason=rewards[one.reward_id].reason)
        if one.reward_id in rewards
        else one
        for one in found
    )


def _pieces(campaign_id: str, document: PublishedClosing) -> list[DocWrite]:
    """The document for about_page, which reaches neither the entries nor their salt."""
    text = doc_of(document)
    cuts = range(0, len(text), PIECE)
    return [
        catalog_write(f"{PUBLISHED}{campaign_id}", f"{at // PIECE:03d}", doc_of(text[at : at + PIECE]), 0)
        for at in cuts
    ]


def _outcome(draw: ClosingDraw) -> Outcome:
    outcome = ClosingEntries().outcome(draw.campaign_id) if draw.beacon_value else None
    if outcome is None or not outcome.given:
        raise ConflictError("winners_not_granted", "the winners are not all granted yet", where="campaign_id")
    return outcome


def _document(desk: Desk, draw: ClosingDraw, outcome: Outcome) -> PublishedClosing:
    count = draw.settled_terms.entry_count
    short = count <= INLINE
    entries = _entries(desk, draw.campaign_id, 0, count) if short else b""
    document = publish_closing(draw, entries, outcome.drawn, outcome.replaced)
    return document if short else msgspec.structs.replace(document, entries_file=f"{draw.campaign_id}.entries")


def _entries(desk: Desk, campaign_id: str, start: int, stop: int) -> bytes:
    salt, store = closing_secret(desk.draw_master(), campaign_id, "salt"), ClosingEntries()
    found = bytearray()
    for number in range(start // CHUNK, -(-stop // CHUNK)):
        rows = list(split(store.rows(campaign_id, number)))
        wanted = rows[max(0, start - number * CHUNK) : max(0, stop - number * CHUNK)]
        found += b"".join(public_entry(salt, row) for row in wanted)
    return bytes(found)


def _require_published(draw: ClosingDraw) -> None:
    if draw.state != "published":
        raise ConflictError("closing_not_published", "the result is not published yet", where="campaign_id")
