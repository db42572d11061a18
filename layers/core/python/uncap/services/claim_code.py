"""One scan, one write: decide from the catalog, record, and say who holds the code. Called by `routes/scan_routes.py`.

The protocol is docs/adr/0001's: an unconditional update whose returned image tells whether *this* claim won, so that a
first scan, a repeat and a retry cost one request each and a lost reply is healed by sending the same again.
"""

import hashlib
from collections.abc import Callable
from datetime import tzinfo
from typing import Literal, Protocol

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.domain.campaigns.reference import slots_of
from uncap.domain.catalog import Role
from uncap.domain.claims import ClaimDecision, decide_claim
from uncap.domain.codes import crockford
from uncap.domain.codes.scheme import Keyring
from uncap.domain.errors import AuthError, ForbiddenError, LimitError
from uncap.domain.places import Place, cell_of
from uncap.domain.rewards.ids import reward_id
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.domain.sessions import Session
from uncap.services.claim_limits import ClaimSlots, Limits
from uncap.services.find_code import IssuedCode, find_code
from uncap.services.hot_codes import HotCodes

Outcome = Literal["first", "repeat", "observed"]
_DEVICE_DIGITS = 8
_OPENED_BY_OUTLETS = frozenset({Role.CASE_INNER, Role.BOX_INNER})


class Scans(Protocol):
    """The Scans table; see adapters/scans_wire.py."""

    def claim(self, ref: CodeRef, mark: Mark) -> ScanImage: ...

    def observe(self, ref: CodeRef, mark: Mark) -> ScanImage: ...

    def get(self, ref: CodeRef) -> ScanImage | None: ...


class ScanDesk(msgspec.Struct, frozen=True):
    """What a scan needs from outside. `keyring` fetches the keys when they are first needed."""

    keyring: Callable[[], Keyring]
    catalog: Catalog
    scans: Scans
    limits: Limits
    hot: HotCodes
    zone: tzinfo


class ScanRequest(msgspec.Struct, frozen=True):
    """`gtin` has 14 digits, `claim_id` is the client's own, the same for every retry."""

    gtin: str
    serial: str
    claim_id: str
    intent: str = "claim"
    place: Place | None = None


class ScanResult(msgspec.Struct, frozen=True):
    """`reason` says why it was only observed. `written` is False if memory answered."""

    outcome: Outcome
    reason: str
    code: IssuedCode
    image: ScanImage
    written: bool


def claim_code(
    desk: ScanDesk, session: Session, request: ScanRequest, now_ms: int, outlet_of: Callable[[], str] = str
) -> ScanResult:
    """Records the scan and claims the code where that is allowed.

    `outlet_of` gives the outlet the person works for, "" for none: asked only where a pack's inner code is claimed.
    Raises CodeForgedError, AuthError (`session_required`), ForbiddenError (`intent_not_allowed`), LimitError
    (`person_limit_reached`; the code is not consumed), TransientError (send the same again).
    """
    if not session.person:
        raise AuthError("session_required", "Sign in before claiming.")
    if request.intent != "claim":
        raise ForbiddenError("intent_not_allowed", "Consumers can only claim.")
    code = find_code(desk.keyring(), desk.catalog, request.gtin, request.serial, now_ms)
    decision = decide_claim(code.batch, code.release, code.campaign, code.index, code.ref.role, now_ms)
    claim_id = bound_claim_id(session.person, code.ref, request.claim_id)
    known = desk.hot.recall(code.ref, decision.form)
    if known is not None:
        return _result(code, decision, claim_id, known, written=False)
    mark = _mark(code, decision, claim_id, session, request, now_ms)
    if decision.form == "claim" and code.ref.role in _OPENED_BY_OUTLETS and (outlet := outlet_of()):
        mark = msgspec.structs.replace(mark, outlet=outlet)
    if decision.form == "observe":
        image = desk.scans.observe(code.ref, mark)
    elif code.campaign is not None and (code.campaign.limit.per_day or code.campaign.limit.per_campaign):
        image = _claim_within_limits(desk, code, mark)
    else:
        image = desk.scans.claim(code.ref, mark)
    desk.hot.note(code.ref, image)
    return _result(code, decision, claim_id, image, written=True)


def bound_claim_id(person: str, ref: CodeRef, claim_id: str) -> str:
    """The claim id as stored, 26 characters: bound to person and code, so that no one else can replay it."""
    text = f"{person}|{ref.key()}|{claim_id}"
    return crockford.digest(hashlib.sha256(text.encode()).digest(), 26)


def consumer_rewards(catalog: Catalog, image: ScanImage) -> tuple[str, ...]:
    """Ids of the holder's rewards: one per slot the campaign version that decided the claim has for consumers."""
    if image.first is None or image.first.form != "claim":
        return ()
    campaign_id, version = image.first.campaign_version
    campaign = catalog.campaign_version(campaign_id, version)
    mine = slots_of(campaign.effects, campaign.rule_set, "consumer")
    return tuple(reward_id(image.ref, campaign_id, no, "consumer") for no in mine)


def _claim_within_limits(desk: ScanDesk, code: IssuedCode, mark: Mark) -> ScanImage:
    if code.campaign is None:
        raise ValueError("a claim needs its campaign")
    slots = ClaimSlots(desk.limits, code.campaign, mark.person, mark.claim_id, mark.at_ms, desk.zone)
    full_until_ms = slots.take()
    if full_until_ms is not None:
        return _taken_or_limit(desk, code.ref, slots, full_until_ms, mark.at_ms)
    image = desk.scans.claim(code.ref, mark)
    slots.settle(image.first)
    return image


def _taken_or_limit(desk: ScanDesk, ref: CodeRef, slots: ClaimSlots, full_until_ms: int, now_ms: int) -> ScanImage:
    """Over the limit: a code that is taken already is answered as ever (it may be this person's retry)."""
    image = desk.scans.get(ref)
    if image is not None and image.first is not None:
        slots.settle(image.first)  # what an earlier try that ended half way still holds
        return image
    # A slot that such a try holds stays: it is this claim's, and the try may yet arrive.
    retry_after_s = max(1, (full_until_ms - now_ms + 999) // 1000)
    raise LimitError("person_limit_reached", "You have reached this campaign's limit.", retry_after_s=retry_after_s)


def _mark(
    code: IssuedCode, decision: ClaimDecision, claim_id: str, session: Session, request: ScanRequest, now_ms: int
) -> Mark:
    claims = decision.form == "claim"
    place = request.place
    return Mark(
        claim_id=claim_id,
        at_ms=now_ms,
        form=decision.form,
        person=session.person,
        payee=session.payee if claims else "",
        cell=cell_of(place) if place else "",
        accuracy_m=int(place.accuracy_m) if place else 0,
        intent=request.intent,
        reason=decision.reason,
        release_id=code.release.release_id if code.release else "",
        campaign=f"{code.campaign.campaign_id}@{code.campaign.version}" if code.campaign else "",
        device=session.device[:_DEVICE_DIGITS] if claims else "",
    )


def _result(code: IssuedCode, decision: ClaimDecision, claim_id: str, image: ScanImage, *, written: bool) -> ScanResult:
    outcome, reason = classify(decision, claim_id, image)
    return ScanResult(outcome, reason, code, image, written)


def classify(decision: ClaimDecision, claim_id: str, image: ScanImage) -> tuple[Outcome, str]:
    """(outcome, reason). The holder's own claim stays "first" whatever has happened to batch or campaign since."""
    first = image.first
    if first is not None and first.form == "claim" and first.claim_id == claim_id:
        return "first", ""
    if decision.form == "observe":
        return "observed", decision.reason
    if first is not None and first.form == "tombstone":
        return "observed", first.reason or "decommissioned"
    return "repeat", ""
