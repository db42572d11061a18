"""Replenishment claims decided: approved, settled in goods or credit, passed on to whoever is further up (ADR 0021).

Called by the distributor's page for claims on its own party and by the console for any. Every act carries its caller's
key: sent again it is the same act, whatever became of the first reply.
"""

from collections.abc import Callable
from typing import Annotated, Literal, Protocol

import msgspec

from uncap.adapters.replenishments import Move
from uncap.domain.catalog import Party
from uncap.domain.errors import ConflictError, ForbiddenError, InputError, NotFoundError, TransientError
from uncap.domain.ledger import JournalEntry
from uncap.domain.replenishment import (
    APPROVE,
    CREDIT,
    RAISE,
    Claim,
    Step,
    above,
    approved,
    is_brand,
    raised,
    settled,
    settlement,
    step_id,
)

_RACES = 8
Key = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$(?!\n)", max_length=64)]


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a claim. `key` is the caller's own, the same for every retry.

    `reference`: the shipment that brought the goods, or the credit note; `amount_minor` what a credit came to.
    """

    kind: Literal["approve", "goods", "credit"]
    gtin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{14}$(?!\n)", max_length=14)]
    pieces: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    key: Key
    reference: Annotated[str, msgspec.Meta(max_length=80)] = ""
    amount_minor: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 0
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", max_length=3)] = "CNY"


class ClaimStore(Protocol):
    """See adapters/replenishments.py."""

    def claim(self, claimant: str, upstream: str) -> Claim | None: ...

    def step(self, step_id: str) -> Step | None: ...

    def decide(self, *moves: Move) -> None: ...


class ReplenishDesk(msgspec.Struct, frozen=True):
    """What deciding needs from outside."""

    store: ClaimStore
    party_of: Callable[[str], Party | None]


def decide_for_party(desk: ReplenishDesk, party: str, person: str, claimant: str, act: Act, now_ms: int) -> Claim:
    """A member of the party above decides. Raises ForbiddenError (`intent_not_allowed`) for claims on the brand, and as
    `decide_claim`."""
    if is_brand(party, desk.party_of):
        raise ForbiddenError("intent_not_allowed", "The brand's claims are decided in the console.")
    return decide_claim(desk, claimant, party, act, person, now_ms)


def decide_claim(desk: ReplenishDesk, claimant: str, upstream: str, act: Act, by: str, now_ms: int) -> Claim:
    """The claim after the act, made now or before.

    Raises InputError (`reference_missing`, `amount_missing`), NotFoundError (`claim_unknown`), ConflictError
    (`claim_not_raised`, `claim_not_approved`, `step_differs`), TransientError.
    """
    _check(act)
    step = _step(claimant, upstream, act, by, now_ms)
    for _ in range(_RACES):
        claim = desk.store.claim(claimant, upstream)
        if claim is None:
            raise NotFoundError("claim_unknown", "nothing was claimed here", where="claimant")
        if (made := desk.store.step(step.step_id)) is not None:
            return _same(made, step, claim)
        try:
            return _decided(desk, claim, step)
        except ConflictError as cause:
            if cause.code != "claim_moved":
                raise
    raise TransientError("claim_contended", "Too much at once; send the same again.")


def _decided(desk: ReplenishDesk, claim: Claim, step: Step) -> Claim:
    if step.kind == APPROVE:
        done = approved(claim, step.gtin, step.pieces)
        desk.store.decide(Move(claim, done, step))
        return done
    by_brand = is_brand(claim.upstream, desk.party_of)
    done = settled(claim, step.gtin, step.pieces, step.amount_minor if by_brand else 0)
    entry = JournalEntry(
        f"replenish-{step.step_id}", "replenish", step.at_ms, settlement(step, by_brand=by_brand), step.reference
    )
    moves = [Move(claim, done, step, entry)]
    if not by_brand:
        moves.append(_passed_on(desk, step))
    desk.store.decide(*moves)
    return done


def _passed_on(desk: ReplenishDesk, step: Step) -> Move:
    """Who has replaced the pieces claims them further up."""
    claimant, upstream = step.upstream, above(desk.party_of, step.upstream)
    old = desk.store.claim(claimant, upstream)
    claim = raised(old or Claim(claimant, upstream, step.at_ms), step.gtin, step.pieces)
    further = msgspec.structs.replace(
        step,
        step_id=step_id(RAISE, claimant, upstream, step.gtin, step.step_id),
        claimant=claimant,
        upstream=upstream,
        kind=RAISE,
        reference=step.step_id,
        amount_minor=0,
        currency="",
    )
    return Move(old, claim, further)


def _check(act: Act) -> None:
    if act.kind != APPROVE and not act.reference.strip():
        raise InputError("reference_missing", "Name the shipment or the credit note.", where="reference")
    if act.kind == CREDIT and not act.amount_minor:
        raise InputError("amount_missing", "Say what the credit came to.", where="amount_minor")


def _step(claimant: str, upstream: str, act: Act, by: str, now_ms: int) -> Step:
    credit = act.kind == CREDIT
    return Step(
        step_id=step_id(act.kind, claimant, upstream, act.gtin, act.key),
        claimant=claimant,
        upstream=upstream,
        gtin=act.gtin,
        kind=act.kind,
        pieces=act.pieces,
        at_ms=now_ms,
        by=by,
        reference=act.reference.strip() if act.kind != APPROVE else "",
        amount_minor=act.amount_minor if credit else 0,
        currency=act.currency if credit else "",
    )


def _same(made: Step, asked: Step, claim: Claim) -> Claim:
    if msgspec.structs.replace(asked, at_ms=made.at_ms, by=made.by) != made:
        raise ConflictError("step_differs", "This key was used for another step.", where="key")
    return claim
