"""A profit split as it is sent in: one amount per claim between parties, stored as a prize and an effect for each.

Used by `campaign_forms.py`. Nothing behind it knows of splits: budgets and entries are those of any reward.
"""

from typing import Annotated, Literal

import msgspec

from uncap.domain.catalog import Effect, Prize
from uncap.domain.errors import InputError
from uncap.domain.splitting import split_minor
from uncap.services.desk import Id, Words
from uncap.services.rule_forms import Beneficiary


class NewPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One party's weight in the split."""

    beneficiary: Beneficiary
    weight: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class NewSplit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`amount_minor` per claim between parties by weight, exact to the last unit: what rounding leaves over goes to the
    largest remainders. Makes the prizes `{split_id}-{beneficiary}`, which rules may name; with `no` also effects for
    every claim, in the slots no, no + 1, …"""

    split_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,20}$(?!\n)", max_length=20)]
    kind: Literal["cash", "points", "trade_credit", "goods_voucher"]
    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
    name: Words
    parts: Annotated[tuple[NewPart, ...], msgspec.Meta(min_length=2, max_length=7)]
    no: Annotated[int, msgspec.Meta(ge=0, le=90)] = 0

    def prizes(self) -> tuple[Prize, ...]:
        """Raises InputError (`split_invalid`): a party named twice, or one whose part is nothing."""
        weights: dict[str, int] = {one.beneficiary: one.weight for one in self.parts}
        if len(weights) != len(self.parts):
            raise InputError("split_invalid", "a party has one part of a split", where="splits")
        parts = split_minor(self.amount_minor, weights)
        if not all(parts.values()):
            raise InputError("split_invalid", "somebody's part rounds to nothing", where="splits")
        return tuple(Prize(self.prize_id(who), self.kind, amount, self.name) for who, amount in parts.items())

    def effects(self) -> tuple[Effect, ...]:
        """For every claim; none where only rules give it."""
        slots = enumerate(self.parts, self.no) if self.no else ()
        return tuple(Effect(no, one.beneficiary, "fixed", self.prize_id(one.beneficiary)) for no, one in slots)

    def prize_id(self, beneficiary: str) -> Id:
        """The prize that is this party's part."""
        return f"{self.split_id}-{beneficiary}"
