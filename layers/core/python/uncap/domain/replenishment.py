"""What an outlet gave out on pay-N rights, and who makes it good: claims up the channel, by the piece. Pure (ADR 0021).

A claim is one party's against the party above it, per product: raised by redemptions or by having replenished somebody
below, approved by the party above or an operator, settled in goods or credit, in parts if need be, down to zero.
Called by `services/redeem_right.py` and `services/replenish.py`; kept by `adapters/replenishments.py`.
"""

import hashlib
from collections.abc import Callable, Iterator

import msgspec

from uncap.domain import ledger
from uncap.domain.catalog import Party
from uncap.domain.codes import crockford
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import Posting, account
from uncap.domain.rewards.rights import PIECES

BRAND = "brand"
"""Who is above a party whose chain names no distributor; a party of role brand stands for the same."""
UPSTREAM_ROLES = ("sub_distributor", "distributor", "brand")
RAISE, APPROVE, GOODS, CREDIT = "raise", "approve", "goods", "credit"
_ID_LENGTH = 26
_MAX_HEIGHT = 16


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """Pieces of one product, counted from the beginning: 0 <= settled <= approved <= raised."""

    gtin: str
    raised: int = 0
    approved: int = 0
    settled: int = 0

    @property
    def open(self) -> int:
        """Pieces that are still owed."""
        return self.raised - self.settled

    @property
    def state(self) -> str:
        """Of what is furthest behind: raised | approved | settled."""
        if self.approved < self.raised:
            return "raised"
        return "approved" if self.settled < self.approved else "settled"


class Claim(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that `claimant` has ever claimed of `upstream`; `rev` counts its writes."""

    claimant: str
    upstream: str
    opened_at_ms: int
    lines: tuple[Line, ...] = ()
    credited_minor: int = 0  # trade credit the claimant was given: fees, and what the brand settled in credit
    rev: int = 0

    @property
    def open(self) -> int:
        """Pieces still owed, of all products."""
        return sum(line.open for line in self.lines)

    def line(self, gtin: str) -> Line:
        """The product's line, empty if nothing was ever raised."""
        return next((line for line in self.lines if line.gtin == gtin), Line(gtin))


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened to a claim; never changed. `by` is a person key or `operator:login`.

    `reference`: the reward redeemed, the lower step it follows from, the shipment or credit note. `amount_minor`: what
    a credit came to.
    """

    step_id: str
    claimant: str
    upstream: str
    gtin: str
    kind: str
    pieces: int
    at_ms: int
    by: str
    reference: str = ""
    amount_minor: int = 0
    currency: str = ""


def step_id(kind: str, claimant: str, upstream: str, gtin: str, key: str) -> str:
    """Derived from what it is and the caller's key, so that sending it again is the same step."""
    text = f"{kind}|{claimant}|{upstream}|{gtin}|{key}"
    return crockford.digest(hashlib.sha256(text.encode()).digest(), _ID_LENGTH)


def raised(claim: Claim, gtin: str, pieces: int, fee_minor: int = 0) -> Claim:
    """The claim with more pieces raised, and the redeeming outlet's fee."""
    line = claim.line(gtin)
    more = _with(claim, msgspec.structs.replace(line, raised=line.raised + pieces))
    return msgspec.structs.replace(more, credited_minor=claim.credited_minor + fee_minor)


def approved(claim: Claim, gtin: str, pieces: int) -> Claim:
    """ConflictError (`claim_not_raised`) for more than was raised and not approved yet."""
    line = claim.line(gtin)
    if not 0 < pieces <= line.raised - line.approved:
        raise ConflictError("claim_not_raised", f"{line.raised - line.approved} pieces wait for approval")
    return _with(claim, msgspec.structs.replace(line, approved=line.approved + pieces))


def settled(claim: Claim, gtin: str, pieces: int, credit_minor: int = 0) -> Claim:
    """`credit_minor`: what the brand credits for them.

    ConflictError (`claim_not_approved`) for more than was approved and not settled yet.
    """
    line = claim.line(gtin)
    if not 0 < pieces <= line.approved - line.settled:
        raise ConflictError("claim_not_approved", f"{line.approved - line.settled} pieces wait for settlement")
    less = _with(claim, msgspec.structs.replace(line, settled=line.settled + pieces))
    return msgspec.structs.replace(less, credited_minor=claim.credited_minor + credit_minor)


def is_brand(party_id: str, party_of: Callable[[str], Party | None]) -> bool:
    """Whether claims end here."""
    party = party_of(party_id)
    return party_id == BRAND or (party is not None and party.role == "brand")


def above(party_of: Callable[[str], Party | None], party_id: str) -> str:
    """The next party up that replenishes: a sub-distributor, a distributor, in the end the brand."""
    for party in _upwards(party_of, party_id):
        if party.role in UPSTREAM_ROLES:
            return party.party_id
    return BRAND


def settlement(step: Step, *, by_brand: bool) -> tuple[Posting, ...]:
    """Postings of a settlement: the debt for the pieces passes to who replaced them, and ends with the brand.

    What the brand credits is spent on the party's account; between two parties of the channel it is theirs alone.
    """
    held = account("voucher", step.claimant, PIECES)
    if not by_brand:
        return ledger.moved(held, account("voucher", step.upstream, PIECES), step.pieces)
    way = "credit_note" if step.kind == CREDIT else "replenishment"
    entry = ledger.moved(held, account("clearing", way, PIECES), step.pieces)
    if step.kind != CREDIT:
        return entry
    spent = account("expense", "replenishment", step.currency)
    return entry + ledger.moved(spent, account("credit", step.claimant, step.currency), step.amount_minor)


def _with(claim: Claim, line: Line) -> Claim:
    others = tuple(one for one in claim.lines if one.gtin != line.gtin)
    lines = tuple(sorted((*others, line), key=lambda one: one.gtin))
    return msgspec.structs.replace(claim, lines=lines, rev=claim.rev + 1)


def _upwards(party_of: Callable[[str], Party | None], party_id: str) -> Iterator[Party]:
    party = party_of(party_id)
    for _ in range(_MAX_HEIGHT):
        party = party_of(party.parent_id) if party is not None and party.parent_id else None
        if party is None:
            return
        yield party
