"""What a year's rebates come to after the holder's coefficient: exact integers, rounded once a year. Pure.

Called by `services/settle_accounts.py` for every month that is settled. Accruals and clawbacks are booked in full; the
month's end withholds what the coefficient takes off the whole year so far, or gives back what it no longer does: after
a case was confirmed late, goods came back, or a confirmation was reversed. Consumers have no such account (ADR 0024).
"""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from uncap.domain import ledger
from uncap.domain.books.accounts import Account, Row, YearShare, after_entry
from uncap.domain.diversion.penalties import FULL_PPM
from uncap.domain.ledger import JournalEntry, account
from uncap.domain.rewards.accruing import ACCRUAL

COEFFICIENT = "coefficient"
_EARNS = (ACCRUAL, "clawback")
_YEARS = 2


def earned_in(rows: Iterable[Row]) -> int:
    """What the goods of these entries earned: accruals less clawbacks. Notes and corrections earn nothing."""
    return sum(row.amount_minor for row in rows if row.kind in _EARNS)


def withheld_of(earned_minor: int, ppm: int) -> int:
    """What the coefficient takes off: the holder keeps floor(earned × ppm / 1 000 000). Nothing of a negative year.

    ValueError for a coefficient outside 0 … 1 000 000.
    """
    if not 0 <= ppm <= FULL_PPM:
        raise ValueError(f"no coefficient: {ppm}")
    return earned_minor - earned_minor * ppm // FULL_PPM if earned_minor > 0 else 0


def weighed(
    old: Account, month: str, earned: Mapping[int, int], ppm_of: Callable[[int], int], now_ms: int, by: tuple[str, ...]
) -> tuple[Account, tuple[JournalEntry, ...]]:
    """The account after its years' coefficients, and their entries; `rev` is left as it is.

    `earned`: by year, what the months just closed (the last is `month`) have added; `ppm_of` a year's coefficient as it
    stands. The last two years are looked at. Withholding takes no account below zero: what is left is taken later.
    """
    known = {one.year: one for one in old.years}
    newest = max([*known, *earned, int(month[:4])])
    now, entries = old, []
    shares = []
    for year in sorted(known.keys() | earned.keys()):
        share = known.get(year, YearShare(year))
        share = msgspec.structs.replace(share, earned_minor=share.earned_minor + earned.get(year, 0))
        if year > newest - _YEARS:
            share = msgspec.structs.replace(share, ppm=ppm_of(year))
            change = withheld_of(share.earned_minor, share.ppm) - share.withheld_minor
            change = min(change, max(0, now.carried_minor))
            if change:
                share = msgspec.structs.replace(share, withheld_minor=share.withheld_minor + change)
                entry = _entry(old, month, share, change, now_ms, by)
                now = msgspec.structs.replace(after_entry(now, entry.postings, now_ms), rev=old.rev)
                entries.append(entry)
            shares.append(share)
    return msgspec.structs.replace(now, years=tuple(shares)), tuple(entries)


def _entry(whose: Account, month: str, share: YearShare, change: int, now_ms: int, by: tuple[str, ...]) -> JournalEntry:
    kept = account("breakage", f"{COEFFICIENT}@{share.year}", whose.currency)  # no campaign can have this name
    holder = whose.holder
    postings = ledger.moved(holder.account, kept, change) if change > 0 else ledger.moved(kept, holder.account, -change)
    note = (
        f"{share.year}: {share.ppm} ppm of {share.earned_minor} earned; "
        f"{share.withheld_minor} withheld in all, {change} of it now"
    )
    return JournalEntry(f"{COEFFICIENT}-{holder.name}-{month}-{share.year}", COEFFICIENT, now_ms, postings, note, by=by)
