"""A member's scan: goods received, or looked at in the field. One mark, one write, never a claim. Called by the routes.

The stream carries the mark on: the projector founds the receipt (`adapters/receipts.py`) and counts the scan.
"""

from uncap.domain.claims import decide_claim
from uncap.domain.errors import AuthError, ForbiddenError
from uncap.domain.places import cell_of
from uncap.domain.scans import Mark
from uncap.domain.sessions import Session
from uncap.services.claim_code import ScanDesk, ScanRequest, ScanResult, bound_claim_id
from uncap.services.find_code import find_code

PARTY_INTENTS = frozenset({"receive", "inspect"})
_TOLD = frozenset({"recalled", "frozen", "decommissioned", "line_rejected"})
"""What whoever has the goods in hand must know; the rest of a claim's reasons is about prizes."""


def scan_as_party(desk: ScanDesk, session: Session, request: ScanRequest, now_ms: int) -> ScanResult:
    """Records the scan for the member's party; what it says of the goods is in `reason`.

    `session` is a member's (`services/join_party.py`). Raises CodeForgedError, AuthError (`session_required`),
    ForbiddenError (`intent_not_allowed`), TransientError.
    """
    if not session.person:
        raise AuthError("session_required", "Sign in before scanning.")
    if request.intent not in PARTY_INTENTS or not session.is_member(now_ms):
        raise ForbiddenError("intent_not_allowed", "Only members of a party may do this.")
    code = find_code(desk.keyring(), desk.catalog, request.gtin, request.serial, now_ms)
    decision = decide_claim(code.batch, code.release, code.campaign, code.index, code.ref.role, now_ms)
    place = request.place
    mark = Mark(
        # The same id as in a claim of this person's is another act.
        claim_id=bound_claim_id(session.person, code.ref, f"{request.intent}|{request.claim_id}"),
        at_ms=now_ms,
        form="observe",
        person=session.person,
        cell=cell_of(place) if place else "",
        accuracy_m=int(place.accuracy_m) if place else 0,
        outlet=session.party,
        intent=request.intent,
    )
    # A hammered code is written all the same: a receipt must not be lost.
    image = desk.scans.observe(code.ref, mark)
    desk.hot.note(code.ref, image)
    reason = decision.reason if decision.reason in _TOLD else ""
    return ScanResult("observed", reason, code, image, written=True)
