"""Prizes not laid on codes: drawn claim by claim (ADR 0019), or once at the close (ADR 0028). `draw_rules.py` checks.

Values only. Part of `domain/catalog.py`'s Campaign, so the scan path decodes it; it never learns the key that decides.
"""

import msgspec

DRAWN = "drawn"
CLOSING = "closing"  # the kind of a closing draw's picks; no effect of a campaign has it


class DrawShare(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of every `per` claims, `win` are drawn for the prize, until `total` of it are gone; 0 is no further limit."""

    prize_id: str
    win: int
    per: int
    total: int
    per_day: int = 0
    per_region: int = 0


class Draw(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an effect of kind `drawn` names: prizes, dearest first.

    `fall_back`: who is drawn for a prize that is gone gets the next in the list that is not. `per_person`: how many of
    this draw's prizes one person may win; 0 for any.
    """

    draw_id: str
    shares: tuple[DrawShare, ...]
    fall_back: bool = False
    per_person: int = 0

    @property
    def prize_ids(self) -> frozenset[str]:
        return frozenset(share.prize_id for share in self.shares)


class ClosingPrize(msgspec.Struct, frozen=True):
    """So many of one prize; in the list the dearest comes first."""

    prize_id: str
    count: int


class ClosingTerms(msgspec.Struct, frozen=True, omit_defaults=True):
    """Prizes too scarce to lay: drawn once, after the last claim, among the consumers' claims (ADR 0028).

    `no` is their slot. A person wins at most `per_person` (0 for any), and so many stand among the `runners_up`, who
    follow in order where a winner cannot or does not take the prize within `take_days` of the draw.
    """

    no: int
    prizes: tuple[ClosingPrize, ...]
    per_person: int = 1
    runners_up: int = 0
    take_days: int = 30

    @property
    def prize_ids(self) -> frozenset[str]:
        return frozenset(prize.prize_id for prize in self.prizes)

    @property
    def total(self) -> int:
        """Prizes altogether."""
        return sum(prize.count for prize in self.prizes)
