"""A release's last step: after the deadline the seed is revealed and the whole draw is published.

Called by `routes/console/releases.py`; `uncap draw verify` checks what `read_draw` and `read_draw_page` give.
"""

from typing import Annotated

import msgspec

from uncap.domain.catalog import Release
from uncap.domain.errors import ConflictError
from uncap.domain.prizes.bulk import winners
from uncap.domain.prizes.commitment import commitment, derive_seed
from uncap.domain.prizes.eligible import EligibleSet
from uncap.domain.prizes.laying import check_committed
from uncap.domain.prizes.published import PublishedDraw, Winner, publish_draw
from uncap.services.commit_release import ReleaseAnswer, code_hashes, load_release, release_write
from uncap.services.desk import Actor, Desk, draft

INLINE = 20_000
"""Up to this many codes the document holds all; beyond, winners and code hashes come in pages of this many."""


class PageOfDraw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ranks of eligible codes, from 0."""

    start: Annotated[int, msgspec.Meta(ge=0, lt=1 << 28)] = 0
    count: Annotated[int, msgspec.Meta(ge=1, le=INLINE)] = INLINE


class DrawPage(msgspec.Struct, frozen=True):
    """The eligible codes of ranks `start`.. in rising order: their hashes (32 bytes each, base64) and their winners.

    `next` is the rank to go on from, 0 at the end.
    """

    start: int
    code_hashes: bytes
    winners: tuple[Winner, ...]
    next: int


def reveal_draw(desk: Desk, actor: Actor, release_id: str) -> ReleaseAnswer:
    """Close the release and publish its seed. Repeating it changes nothing.

    Raises NotFoundError (`release_unknown`), ConflictError (`release_not_activated`, `claims_still_open`).
    """
    _, release = load_release(desk, release_id)
    if release.state == "closed":
        return ReleaseAnswer(release, commitment(release))
    if release.state != "activated":
        raise ConflictError("release_not_activated", "nothing was laid yet", where="release_id")
    if desk.clock_ms() < release.claim_until_ms:
        raise ConflictError("claims_still_open", "the seed stays secret until the last claim", where="release_id")
    seed = derive_seed(desk.draw_master(), release_id)
    check_committed(release, seed)
    closed = msgspec.structs.replace(release, state="closed", seed=seed.hex(), version=release.version + 1)
    desk.writes.commit(
        [release_write(closed)],
        draft(actor, "releases.reveal", release_id, before=release.state, after=f"seed for {release.seed_hash}"),
    )
    return ReleaseAnswer(closed, commitment(closed))


def read_draw(desk: Desk, release_id: str) -> PublishedDraw:
    """The published document. Raises ConflictError (`seed_not_revealed`) before the reveal.

    Above 20,000 codes winners and hashes are left to `read_draw_page`, and `code_hashes_file` says so.
    """
    view, release = load_release(desk, release_id)
    pool = desk.catalog.campaign_version(release.campaign_id, release.campaign_version).pool
    _require_seed(release)
    if release.eligible_count > INLINE:
        return PublishedDraw(release, pool, (), code_hashes_file=f"{release_id}.hashes")
    return publish_draw(release, pool, code_hashes(desk, view.batch, list(EligibleSet.of(release))))


def read_draw_page(desk: Desk, release_id: str, page: PageOfDraw) -> DrawPage:
    """One page of a large draw. Raises ConflictError (`seed_not_revealed`)."""
    view, release = load_release(desk, release_id)
    _require_seed(release)
    eligible = EligibleSet.of(release)
    stop = min(page.start + page.count, eligible.count)
    indices = [eligible.index_at(rank) for rank in range(page.start, stop)]
    if not indices:
        return DrawPage(page.start, b"", (), 0)
    within = range(indices[0], indices[-1] + 1)
    won = tuple(Winner(i, prize) for i, prize in winners(release, bytes.fromhex(release.seed)) if i in within)
    return DrawPage(page.start, code_hashes(desk, view.batch, indices), won, stop if stop < eligible.count else 0)


def _require_seed(release: Release) -> None:
    if not release.seed:
        raise ConflictError("seed_not_revealed", "the draw is published once claims have ended", where="release_id")
