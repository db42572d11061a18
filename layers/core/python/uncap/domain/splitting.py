"""One amount between several parties, exact to the last fen: the method of the largest remainder. Pure.

Used by `services/split_forms.py`, which turns a profit split into one prize per party.
"""

from collections.abc import Mapping

from uncap.domain.errors import InputError


def split_minor(amount_minor: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Each party's part, in the order given; the parts sum to the amount.

    Everyone first gets the whole units of `amount × weight ÷ sum of weights`; those left over go one each to the
    largest remainders, among equals to who is named first (Hare-Niemeyer). Raises InputError (`split_invalid`).
    """
    total = sum(weights.values())
    if amount_minor < 1 or not weights or min(weights.values()) < 1:
        raise InputError("split_invalid", "a split has an amount, and parts of weight 1 or more", where="splits")
    parts = {name: amount_minor * weight // total for name, weight in weights.items()}
    left = amount_minor - sum(parts.values())
    by_remainder = sorted(weights, key=lambda name: -(amount_minor * weights[name] % total))
    for name in by_remainder[:left]:
        parts[name] += 1
    return parts
