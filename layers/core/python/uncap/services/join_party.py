"""A person becomes a member of a party by an invitation's code, and is known as one from the session on.

Called by `routes/member_routes.py`. The token carries party and role, so a member's scan reads nothing more; when it
has been believed for an hour the membership is read again (`domain/memberships.py`).
"""

from datetime import tzinfo
from typing import Protocol

import msgspec

from uncap.domain.days import day_of
from uncap.domain.errors import ForbiddenError, LimitError, NotFoundError
from uncap.domain.memberships import BELIEVED_S, Invitation, Membership, accepted, key_of
from uncap.domain.sessions import Session, seal
from uncap.services.claim_limits import Limits
from uncap.services.open_session import OpenSession, SessionDesk

TRIES_PER_DAY = 10
_DAY_S = 86_400


class Memberships(Protocol):
    """See adapters/memberships_wire.py."""

    def membership(self, person: str) -> Membership | None: ...

    def invitation(self, key: str) -> Invitation | None: ...

    def join(self, used: Invitation, membership: Membership) -> None: ...


class Counted(Protocol):
    """What counts tries: the scan desk, or the channel's."""

    @property
    def limits(self) -> Limits: ...

    @property
    def zone(self) -> tzinfo: ...


class MemberDesk(msgspec.Struct, frozen=True):
    """What memberships need from outside."""

    scan: Counted
    session: SessionDesk
    store: Memberships


def join_party(desk: MemberDesk, session: Session, code: str, now_ms: int) -> OpenSession:
    """The person's session as a member. Accepting the same invitation again gives the same membership.

    Raises InputError (`invitation_malformed`), NotFoundError (`invitation_unknown`), ConflictError (see `accepted`),
    LimitError (`invitation_tries`).
    """
    key = key_of(code)
    _take_a_try(desk, session.person, key, now_ms)
    invitation = desk.store.invitation(key)
    if invitation is None:
        raise NotFoundError("invitation_unknown", "There is no such invitation.", where="code")
    used, membership = accepted(invitation, desk.store.membership(session.person), session.person, now_ms)
    if used is not invitation:
        desk.store.join(used, membership)
    return _as_member(desk, session, membership, now_ms)


def as_member(desk: MemberDesk, session: Session, now_ms: int, *, fresh: bool = False) -> OpenSession:
    """The session of someone who acts for a party; its token is new where the membership had to be read.

    `fresh` reads it in any case: for what must not outlive a revocation. Raises ForbiddenError (`intent_not_allowed`).
    """
    known = believed(desk, session, now_ms, fresh=fresh)
    if not known.session.party:
        raise ForbiddenError("intent_not_allowed", "Only members of a party may do this.")
    return known


def believed(desk: MemberDesk, session: Session, now_ms: int, *, fresh: bool = False) -> OpenSession:
    """The session with the party its person belongs to now, or with none."""
    if not fresh and session.is_member(now_ms):
        return OpenSession(session)
    membership = desk.store.membership(session.person)
    if membership is None or not membership.stands:
        without = msgspec.structs.replace(session, party="", party_role="", member_until_s=0)
        return OpenSession(without, seal(desk.session.keys(), without) if session.party else "")
    return _as_member(desk, session, membership, now_ms)


def _as_member(desk: MemberDesk, session: Session, membership: Membership, now_ms: int) -> OpenSession:
    member = msgspec.structs.replace(
        session,
        party=membership.party_id,
        party_role=membership.party_role,
        member_until_s=min(now_ms // 1000 + BELIEVED_S, session.expires_at_s),
    )
    return OpenSession(member, seal(desk.session.keys(), member))


def _take_a_try(desk: MemberDesk, person: str, key: str, now_ms: int) -> None:
    """Ten different codes a day, so that nobody finds one by trying."""
    counter = f"{person}#invitations#{day_of(now_ms, desk.scan.zone)}"
    if not desk.scan.limits.take(counter, key, TRIES_PER_DAY, now_ms // 1000 + 2 * _DAY_S):
        raise LimitError("invitation_tries", "Too many codes for today.", retry_after_s=_DAY_S)
