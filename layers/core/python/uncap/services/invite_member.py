"""Who works for a party, as operators decide it: invitations, the list, and ending a membership.

Called by `routes/console/parties.py`. What an invitation's code opens is in `domain/memberships.py`.
"""

from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.domain.memberships import INVITATION_LIFETIME_MS, Invitation, Membership, key_of, new_code
from uncap.services.desk import Actor, Desk, Reason, draft
from uncap.services.list_entries import Listing, PageQuery, list_entries

_ID_BYTES, _CODE_BYTES = 6, 7
_DAY_MS = 86_400_000
InvitationId = Annotated[str, msgspec.Meta(pattern=r"^i[0-9a-f]{12}$(?!\n)", max_length=13)]


class NewInvitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`note` says whom it is for, as the operator knows them; `days` it may be used."""

    note: Annotated[str, msgspec.Meta(max_length=80)] = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=30)] = INVITATION_LIFETIME_MS // _DAY_MS


class IssuedInvitation(msgspec.Struct, frozen=True):
    """`code` is shown this once."""

    invitation_id: str
    code: str
    party_id: str
    party_role: str
    expires_at_ms: int


class Member(msgspec.Struct, frozen=True):
    """An invitation and what became of it. `state`: open | expired | revoked | member."""

    invitation_id: str
    note: str
    state: str
    issued_by: str
    issued_at_ms: int
    expires_at_ms: int
    since_ms: int


class MembershipEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Reason


def invite_member(desk: Desk, actor: Actor, party_id: str, given: NewInvitation) -> IssuedInvitation:
    """Raises NotFoundError (`party_unknown`), InputError (`party_without_outlet`)."""
    party = desk.party(party_id)
    works_for = party.parent_id if party.role == "outlet_staff" else party.party_id
    if not works_for:
        raise InputError("party_without_outlet", "this member of staff belongs to no outlet", where="party_id")
    code, now_ms = new_code(desk.random_bytes(_CODE_BYTES)), desk.clock_ms()
    invitation = Invitation(
        invitation_id="i" + desk.random_bytes(_ID_BYTES).hex(),
        key=key_of(code),
        party_id=works_for,
        party_role=party.role,
        issued_by=actor.login,
        issued_at_ms=now_ms,
        expires_at_ms=now_ms + given.days * _DAY_MS,
        note=given.note,
    )
    act = draft(actor, "parties.invite", party_id, after=f"{invitation.invitation_id}, {given.days} days")
    desk.writes.commit(_writes(invitation), act)
    return IssuedInvitation(
        invitation.invitation_id,
        code,
        works_for,
        party.role,
        invitation.expires_at_ms,
    )


def list_members(desk: Desk, party_id: str, query: PageQuery) -> Listing[Member]:
    """One page of a party's invitations and members."""
    page = list_entries(desk.parties, f"memberships#{party_id}", "i", Invitation, query)
    now_ms = desk.clock_ms()
    return Listing([_member(one, now_ms) for one in page.items], page.next)


def end_membership(desk: Desk, actor: Actor, party_id: str, invitation_id: str, given: MembershipEnd) -> Member:
    """The invitation cannot be used any more, and whoever used it is no member. Repeating it changes nothing.

    A session that was believed before is believed for an hour at most. Raises NotFoundError (`invitation_unknown`),
    ConflictError (`changed_meanwhile`).
    """
    invitation = desk.parties.value(f"memberships#{party_id}", invitation_id, Invitation)
    if invitation is None:
        raise NotFoundError("invitation_unknown", "this party has no such invitation", where="invitation_id")
    now_ms = desk.clock_ms()
    if invitation.revoked_at_ms:
        return _member(invitation, now_ms)
    ended = msgspec.structs.replace(invitation, revoked_at_ms=now_ms, version=invitation.version + 1)
    writes = _writes(ended)
    if invitation.used_by:
        writes.append(_ended(desk, invitation, now_ms))
    desk.writes.commit(
        writes, draft(actor, "parties.end_membership", party_id, reason=given.reason, after=invitation_id)
    )
    return _member(ended, now_ms)


def _ended(desk: Desk, invitation: Invitation, now_ms: int) -> DocWrite:
    pk = f"membership#{invitation.used_by}"
    known = desk.parties.value(pk, "meta", Membership)
    if known is None or known.invitation_id != invitation.invitation_id:
        raise ConflictError("changed_meanwhile", "this person has joined by another invitation since", where=pk[:14])
    over = msgspec.structs.replace(known, revoked_at_ms=now_ms, version=known.version + 1)
    return DocWrite("parties", pk, "meta", doc_of(over), over.version)


def _writes(invitation: Invitation) -> list[DocWrite]:
    doc, version = doc_of(invitation), invitation.version
    return [
        DocWrite("parties", f"invitation#{invitation.key}", "meta", doc, version),
        DocWrite("parties", f"memberships#{invitation.party_id}", invitation.invitation_id, doc, version),
    ]


def _member(one: Invitation, now_ms: int) -> Member:
    if one.revoked_at_ms:
        state = "revoked"
    elif one.used_by:
        state = "member"
    else:
        state = "expired" if now_ms >= one.expires_at_ms else "open"
    return Member(
        one.invitation_id,
        one.note,
        state,
        one.issued_by,
        one.issued_at_ms,
        one.expires_at_ms,
        one.used_at_ms,
    )
