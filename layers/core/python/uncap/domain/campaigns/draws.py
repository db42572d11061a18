"""Drawn prizes: odds for each claim within hard counts (ADR 0019). Values only; `draw_rules.py` checks them.

Part of `domain/catalog.py`'s Campaign, so the scan path decodes it; it never learns the key that decides.
"""

import msgspec

DRAWN = "drawn"


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
