"""Approved transfers and expected travel: what the brand declares innocent beforehand.

Called by `routes/console/diversion.py`. Kept in the Catalog under `diversion`, never deleted; the projector obeys them
within its catalog's age.
"""

from typing import Annotated

import h3  # type: ignore[import-untyped]
import msgspec

from uncap.adapters.audited_writes import doc_of
from uncap.domain.diversion.allowances import (
    CELL_PLACE,
    PARTY_PLACE,
    TRANSFER_SK,
    TRAVEL_SK,
    ApprovedTransfer,
    ExpectedTravel,
)
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.services.desk import Actor, Desk, Id, Reason, TimeMs, catalog_write, draft
from uncap.services.list_entries import Listing, PageQuery, list_entries

PK = "diversion"
MAX_ALLOWANCES = 1_000
_LONGEST_MS = 2 * 366 * 86_400_000

Place = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(party:[A-Za-z0-9_-]{1,40}|h3:[0-9a-f]{15})$(?!\n)",
        max_length=46,
        description="party:{id}, the territory of a party, or h3:{cell}",
    ),
]
OptionalId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,40}$(?!\n)", max_length=40)]


class NewTransfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Goods of `party_id` may turn up in `place`, scanned from `from_ms` to `until_ms`. `gtin`: "" for all products."""

    approval_id: Id
    party_id: Id
    place: Place
    from_ms: TimeMs
    until_ms: TimeMs
    reason: Reason
    gtin: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{14})?$(?!\n)", max_length=14)] = ""


class Revocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an approval ends before its time."""

    reason: Reason


class NewTravel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a shipment's scans so many millionths are expected in `place` in that time. `party_id`: "" for everyone's."""

    travel_id: Id
    place: Place
    share_ppm: Annotated[int, msgspec.Meta(ge=1, le=900_000)]
    from_ms: TimeMs
    until_ms: TimeMs
    reason: Reason
    party_id: OptionalId = ""


def approve_transfer(desk: Desk, actor: Actor, given: NewTransfer) -> ApprovedTransfer:
    """Raises NotFoundError (`party_unknown`), InputError (`period_invalid`, `place_invalid`), ConflictError
    (`approval_exists`, `too_many_allowances`)."""
    desk.party(given.party_id)
    _check(desk, given.place, given.from_ms, given.until_ms)
    if given.place == f"{PARTY_PLACE}{given.party_id}":
        raise InputError("place_invalid", "goods need no approval at home", where="place")
    one = ApprovedTransfer(
        given.approval_id,
        given.party_id,
        given.place,
        given.from_ms,
        given.until_ms,
        given.reason,
        actor.login,
        given.gtin,
    )
    write = catalog_write(PK, f"{TRANSFER_SK}{one.approval_id}", doc_of(one), 1, "approval_exists")
    after = f"{one.party_id} to {one.place}"
    desk.writes.commit([write], draft(actor, "diversion.approve", one.approval_id, reason=one.reason, after=after))
    return one


def revoke_transfer(desk: Desk, actor: Actor, approval_id: str, given: Revocation) -> ApprovedTransfer:
    """It ends now; scans until now stay explained. Raises NotFoundError (`approval_unknown`), ConflictError
    (`already_revoked`, `changed_meanwhile`)."""
    sk = f"{TRANSFER_SK}{approval_id}"
    stored = desk.catalog_docs.value(PK, sk, ApprovedTransfer)
    if stored is None:
        raise NotFoundError("approval_unknown", f"there is no approval {approval_id}", where="approval_id")
    if stored.revoked_at_ms:
        raise ConflictError("already_revoked", "this approval has ended", where="approval_id")
    ended = msgspec.structs.replace(stored, revoked_at_ms=desk.clock_ms(), version=stored.version + 1)
    desk.writes.commit(
        [catalog_write(PK, sk, doc_of(ended), ended.version)],
        draft(actor, "diversion.revoke", approval_id, reason=given.reason),
    )
    return ended


def expect_travel(desk: Desk, actor: Actor, given: NewTravel) -> ExpectedTravel:
    """Raises InputError (`period_invalid`, `place_invalid`), NotFoundError (`party_unknown`), ConflictError
    (`travel_exists`, `too_many_allowances`)."""
    if given.party_id:
        desk.party(given.party_id)
    _check(desk, given.place, given.from_ms, given.until_ms)
    one = ExpectedTravel(
        given.travel_id,
        given.place,
        given.share_ppm,
        given.from_ms,
        given.until_ms,
        given.reason,
        actor.login,
        given.party_id,
    )
    write = catalog_write(PK, f"{TRAVEL_SK}{one.travel_id}", doc_of(one), 1, "travel_exists")
    after = f"{one.share_ppm} ppm in {one.place}"
    desk.writes.commit([write], draft(actor, "diversion.expect", one.travel_id, reason=one.reason, after=after))
    return one


def list_transfers(desk: Desk, query: PageQuery) -> Listing[ApprovedTransfer]:
    """One page, by id."""
    return list_entries(desk.catalog_docs, PK, TRANSFER_SK, ApprovedTransfer, query)


def list_travel(desk: Desk, query: PageQuery) -> Listing[ExpectedTravel]:
    """One page, by id."""
    return list_entries(desk.catalog_docs, PK, TRAVEL_SK, ExpectedTravel, query)


def _check(desk: Desk, place: str, from_ms: int, until_ms: int) -> None:
    if not from_ms < until_ms <= from_ms + _LONGEST_MS:
        raise InputError("period_invalid", "it begins before it ends, and lasts two years at most", where="until_ms")
    if place.startswith(PARTY_PLACE):
        desk.party(place.removeprefix(PARTY_PLACE))
    elif not h3.is_valid_cell(place.removeprefix(CELL_PLACE)):
        raise InputError("place_invalid", "not an H3 cell", where="place")
    if len(desk.catalog_docs.query(PK)) >= MAX_ALLOWANCES:
        raise ConflictError("too_many_allowances", f"at most {MAX_ALLOWANCES} approvals and expectations")
