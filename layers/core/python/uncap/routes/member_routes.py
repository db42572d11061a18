"""A member's side of the scan API: joining a party, and scanning for it. Used by `scan_routes.py`."""

from typing import Annotated

import msgspec
from aws_lambda_powertools.event_handler.api_gateway import Response

from uncap.domain.errors import ForbiddenError
from uncap.domain.memberships import OUTLET_ROLES
from uncap.domain.sessions import Session
from uncap.routes.requests import Request
from uncap.routes.scan_desk import ApiDesk
from uncap.routes.scan_replies import json_reply, session_cookie
from uncap.services.claim_code import ScanRequest, ScanResult, claim_code
from uncap.services.join_party import MemberDesk, as_member, believed, join_party
from uncap.services.open_session import OpenSession
from uncap.services.scan_as_party import PARTY_INTENTS, scan_as_party


class MembershipInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`code` as it was given out, `XXXXX-XXXXX`."""

    code: Annotated[str, msgspec.Meta(min_length=10, max_length=20)]


class MembershipReply(msgspec.Struct, frozen=True):
    """Programs send `token` from now on; a browser has it as its cookie. `expires_at`: epoch seconds."""

    party_id: str
    party_role: str
    token: str
    expires_at: int


_JOINING = msgspec.json.Decoder(MembershipInput)


def accept(desk: ApiDesk, request: Request, session: Session, now_ms: int) -> Response[str]:
    """The invitation in the body, accepted by this session's person."""
    body = request.json(_JOINING)
    opened = join_party(_members(desk), session, body.code, now_ms)
    member = opened.session
    reply = json_reply(MembershipReply(member.party, member.party_role, opened.token, member.expires_at_s))
    return with_cookie(reply, request, opened)


def record(desk: ApiDesk, session: Session, wanted: ScanRequest, now_ms: int) -> tuple[ScanResult, OpenSession]:
    """The scan under its intent, and the session it was made in, with a new token where the membership was read."""
    if wanted.intent in PARTY_INTENTS:
        opened = as_member(_members(desk), session, now_ms)
        return scan_as_party(desk.scan, opened.session, wanted, now_ms), opened
    opened = OpenSession(session)

    def outlet() -> str:
        nonlocal opened
        if desk.members is not None:
            opened = believed(desk.members, session, now_ms)
        return opened.session.party if opened.session.party_role in OUTLET_ROLES else ""

    return claim_code(desk.scan, session, wanted, now_ms, outlet), opened


def signed_in(desk: ApiDesk, opened: OpenSession, now_ms: int) -> OpenSession:
    """A program's new session, with the party its person works for."""
    if desk.members is None:
        return opened
    member = believed(desk.members, opened.session, now_ms)
    return member if member.token else opened


def with_cookie(reply: Response[str], request: Request, opened: OpenSession) -> Response[str]:
    """A browser's cookie follows its session; a program asks for a token when it wants one."""
    if not request.bearer():
        reply.cookies = session_cookie(request, opened)
    return reply


def _members(desk: ApiDesk) -> MemberDesk:
    if desk.members is None:
        raise ForbiddenError("intent_not_allowed", "Nobody belongs to a party here.")
    return desk.members
