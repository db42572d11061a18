"""A release's first step: freeze the eligible set, commit to seed, codes and prize table before the beacon speaks.

Called by `routes/console/releases.py`; activation and reveal are in their own files. Rules: docs/adr/0003.
"""

import re
from typing import Annotated

import msgspec
import numpy as np

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.adapters.catalog import BatchView
from uncap.domain.association.ports import UnitSpan
from uncap.domain.catalog import Campaign, CodeBatch, IndexRange, Release, Role
from uncap.domain.codes import bulk
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.domain.lifecycle import assignment_of
from uncap.domain.prizes import merkle
from uncap.domain.prizes.commitment import commitment, derive_seed, seed_hash
from uncap.domain.prizes.eligible import EligibleSet
from uncap.domain.prizes.laying import prize_counts
from uncap.domain.ranges import MAX_RANGES, check_range, merged
from uncap.services.create_campaign import RELEASED
from uncap.services.desk import Actor, Desk, Id, Index, Reason, Stop, catalog_write, draft
from uncap.services.keep_proposals import proposal_of, proposal_write

ACTIVATION = "activate-release"
"""Proposals of this kind: a release reserves money when it is activated."""
RELEASES = "releases#"
"""Partition prefix of the Catalog: a campaign's releases with their batches, for its public page."""
MAX_ELIGIBLE = 1_000_000
"""Hashing every code of a larger release would outlast the gateway's 29 s; release a batch in parts."""
# Genesis (epoch seconds) and period (s) of drand's public networks, https://api.drand.sh/chains.
_DRAND = {"drand-quicknet": (1_692_803_367, 3), "drand-default": (1_595_431_050, 30)}
_RELEASE_ID = re.compile(r"r([1-9]\d{0,7})-([1-9]\d{0,3})", re.ASCII)
ReleaseId = Annotated[str, msgspec.Meta(pattern=r"^r[1-9]\d{0,7}-[1-9]\d{0,3}$(?!\n)", max_length=14)]


class Gap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Indices that take no part: samples, spares, scrap."""

    start: Index
    stop: Stop
    reason: Annotated[str, msgspec.Meta(max_length=60)] = ""


class NewRelease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part of a batch to be activated under a campaign. The beacon round must still lie ahead."""

    campaign_id: Id
    start: Index
    stop: Stop
    beacon_source: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,60}$(?!\n)", max_length=60)]
    beacon_round: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,60}$(?!\n)", max_length=60)]
    reason: Reason
    excluded: Annotated[tuple[Gap, ...], msgspec.Meta(max_length=MAX_RANGES)] = ()


class ReleaseAnswer(msgspec.Struct, frozen=True):
    """A release and the one line to publish and note down: the commitment over all that is fixed."""

    release: Release
    commitment: str


def commit_release(desk: Desk, actor: Actor, batch_no: int, given: NewRelease) -> ReleaseAnswer:
    """Raises NotFoundError (`batch_unknown`, `campaign_unknown`), InputError (`range_invalid`, `release_too_large`,
    `release_empty`, `beacon_in_the_past`), ConflictError (`batch_not_commissioned`, `batch_on_hold`,
    `release_overlaps`, `codes_not_assigned`, `campaign_not_assigned`, `campaign_not_for_product`,
    `changed_meanwhile`)."""
    view = desk.batch(batch_no)
    campaign = desk.campaign_versions(given.campaign_id)[-1]
    _check_place(view, given)
    _check_campaign(campaign, _product(view.batch, given), desk.clock_ms())
    check_beacon(given.beacon_source, given.beacon_round, desk.clock_ms())
    release = _laid_out(desk, view, campaign, given)
    answer = ReleaseAnswer(release, commitment(release))
    # The batch's version rises too: two releases committed at once cannot both have seen the range free, and a
    # rejected range cannot slip in between reading the batch and freezing the eligible set.
    batch = msgspec.structs.replace(view.batch, version=view.batch.version + 1)
    summary = f"{release.eligible_count} of {given.start}..{given.stop}, commitment {answer.commitment}"
    desk.writes.commit(
        [
            release_write(release),
            catalog_write(f"batch#{batch_no}", "meta", doc_of(batch), batch.version),
            catalog_write("index", f"{RELEASED}{campaign.campaign_id}", doc_of(release.release_id), 0),
            catalog_write(f"{RELEASES}{campaign.campaign_id}", release.release_id, doc_of(batch_no), 0),
            # Committing asks for the activation: whoever does that is another person (ADR 0020).
            proposal_write(proposal_of(desk, actor, ACTIVATION, release.release_id, given.reason)),
        ],
        draft(
            actor, "releases.commit", release.release_id, reason=given.reason, after=summary, about=[span_of(release)]
        ),
    )
    return answer


def load_release(desk: Desk, release_id: str) -> tuple[BatchView, Release]:
    """The release and its batch. Raises NotFoundError (`release_unknown`)."""
    match = _RELEASE_ID.fullmatch(release_id)
    view = desk.catalog.batch(int(match[1]), fresh=True) if match else None
    for release in view.releases if view else ():
        if view and release.release_id == release_id:
            return view, release
    raise NotFoundError("release_unknown", f"there is no release {release_id}", where="release_id")


def span_of(release: Release) -> UnitSpan:
    """The units it covers, those that take no part among them."""
    return UnitSpan(release.batch_no, release.start, release.stop)


def release_write(release: Release) -> DocWrite:
    """The conditional put of a release in its `version`."""
    pk, sk = f"batch#{release.batch_no}", f"release#{release.release_id}"
    return catalog_write(pk, sk, doc_of(release), release.version)


def hashed_role(batch: CodeBatch) -> Role:
    """Whose serials the commitment covers: the batch's hidden code, the first where there are several.

    Raises ConflictError (`batch_without_inner_code`): nothing can be won on codes that everyone can copy.
    """
    for role in batch.roles:
        if role.is_inner:
            return role
    raise ConflictError("batch_without_inner_code", "a release needs codes of an inner role", where="batch_no")


def code_hashes(desk: Desk, batch: CodeBatch, indices: list[int]) -> bytes:
    """32 bytes per index, as they are published."""
    key = desk.keyring().key(batch.epoch, batch.gtin, hashed_role(batch))
    rows = bulk.serials(key, batch.batch_no, np.asarray(indices, np.int64))
    return merkle.code_hashes(batch.gtin, bulk.texts_of(rows))


def _check_place(view: BatchView, given: NewRelease) -> None:
    batch = view.batch
    check_range(given.start, given.stop, batch.size)
    if batch.state != "commissioned":
        raise ConflictError("batch_not_commissioned", "commission the batch first", where="batch_no")
    if batch.hold:
        raise ConflictError("batch_on_hold", f"the batch is {batch.hold}", where="batch_no")
    for other in view.releases:
        if other.start < given.stop and given.start < other.stop:
            raise ConflictError("release_overlaps", f"{other.release_id} covers part of this range", where="start")


def _product(batch: CodeBatch, given: NewRelease) -> str:
    """The GTIN of what the codes are on: of blank ones the product they were all assigned."""
    if not batch.blank:
        return batch.gtin
    assigned = assignment_of(batch, given.start)
    if assigned is None or given.stop > assigned.stop:
        raise ConflictError("codes_not_assigned", "the whole range needs one product first", where="start")
    if assigned.campaign_id not in ("", given.campaign_id):
        raise ConflictError("campaign_not_assigned", f"assigned to {assigned.campaign_id}", where="campaign_id")
    return assigned.gtin


def _check_campaign(campaign: Campaign, gtin: str, now_ms: int) -> None:
    if gtin not in campaign.gtins:
        raise ConflictError("campaign_not_for_product", "the campaign is not for this product", where="campaign_id")
    if campaign.claim_until_ms <= now_ms:
        raise ConflictError("campaign_over", "the campaign's claims have ended", where="campaign_id")


def check_beacon(source: str, number: str, now_ms: int) -> None:
    """Of a public network we know, the round's time is known: a past one could have been chosen for its value.

    Raises InputError (`beacon_malformed`, `beacon_in_the_past`).
    """
    network = _DRAND.get(source)
    if network is None:
        return
    if not number.isdecimal():
        raise InputError("beacon_malformed", "a drand round is a number", where="beacon_round")
    genesis_s, period_s = network
    if (genesis_s + (int(number) - 1) * period_s) * 1000 <= now_ms:
        raise InputError("beacon_in_the_past", "name a round that is still to come", where="beacon_round")


def _laid_out(desk: Desk, view: BatchView, campaign: Campaign, given: NewRelease) -> Release:
    batch = view.batch
    gaps = [IndexRange(gap.start, gap.stop, gap.reason) for gap in given.excluded]
    gaps += [*batch.rejected, *batch.decommissioned]
    excluded = tuple(_cut(gap, given.start, given.stop) for gap in merged(gaps))
    excluded = tuple(gap for gap in excluded if gap.start < gap.stop)
    eligible = EligibleSet(given.start, given.stop, excluded)
    if eligible.count == 0:
        raise InputError("release_empty", "no code is left to release", where="excluded")
    if eligible.count > MAX_ELIGIBLE:
        raise InputError("release_too_large", f"release at most {MAX_ELIGIBLE} codes at a time", where="stop")
    release_id = f"r{batch.batch_no}-{len(view.releases) + 1}"
    hashes = code_hashes(desk, batch, list(eligible))
    return Release(
        release_id=release_id,
        batch_no=batch.batch_no,
        campaign_id=campaign.campaign_id,
        campaign_version=campaign.version,
        start=given.start,
        stop=given.stop,
        eligible_count=eligible.count,
        eligible_hash=eligible.digest(batch.batch_no),
        prize_table=prize_counts(campaign.pool, eligible.count),
        seed_hash=seed_hash(derive_seed(desk.draw_master(), release_id)),
        beacon_source=given.beacon_source,
        beacon_round=given.beacon_round,
        claim_until_ms=campaign.claim_until_ms,
        excluded=excluded,
        merkle_root=merkle.root_of(eligible, hashes).hex(),
    )


def _cut(gap: IndexRange, start: int, stop: int) -> IndexRange:
    return IndexRange(max(gap.start, start), min(gap.stop, stop), gap.reason)
