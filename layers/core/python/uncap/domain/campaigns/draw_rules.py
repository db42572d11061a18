"""What a campaign may say of its draws, and how it may change them once it has started. Pure.

Called by `domain/campaign_rules.py` and `checks.py`; grounds as there.
"""

from collections.abc import Iterable
from fractions import Fraction

from uncap.domain.campaigns.draws import ClosingTerms, Draw, DrawShare


def draw_fault(draw: Draw, prizes: dict[str, str]) -> str:
    """What contradicts itself in a draw, "" for nothing. `prizes`: prize id → kind."""
    names = [share.prize_id for share in draw.shares]
    if not names or len(set(names)) != len(names) or not set(names) <= set(prizes):
        return "a draw names each of the campaign's prizes at most once, and at least one"
    if any(prizes[name] == "pay_n" for name in names):
        return "a right to add money for one more is not drawn; lay it or give it"
    for share in draw.shares:
        if not 1 <= share.win <= share.per:
            return "of every `per` claims between 1 and `per` win"
        if share.total < 1 or share.per_day < 0 or share.per_region < 0:
            return "there is at least one of each prize, and no limit is negative"
        if max(share.per_day, share.per_region) > share.total:
            return "no day and no region has more than the total"
    if sum((_odds(share) for share in draw.shares), Fraction(0)) > 1:
        return "more than every claim would win"
    return "a person may win a number of times, or 0 for any" if draw.per_person < 0 else ""


def draws_not_worse(old: Iterable[Draw], new: Iterable[Draw]) -> bool:
    """Whether a started campaign's participants lose no prize, no odds and no count."""
    now = {draw.draw_id: draw for draw in new}
    return all(draw.draw_id in now and draw_not_worse(draw, now[draw.draw_id]) for draw in old)


def draw_not_worse(old: Draw, new: Draw) -> bool:
    """Whether everyone drawn under `new` has at least the chances of `old`."""
    shares = {share.prize_id: share for share in new.shares}
    if (old.fall_back and not new.fall_back) or not looser(old.per_person, new.per_person):
        return False
    return all(share.prize_id in shares and _share_not_worse(share, shares[share.prize_id]) for share in old.shares)


def _share_not_worse(old: DrawShare, new: DrawShare) -> bool:
    return (
        _odds(new) >= _odds(old)
        and new.total >= old.total
        and looser(old.per_day, new.per_day)
        and looser(old.per_region, new.per_region)
    )


def _odds(share: DrawShare) -> Fraction:
    return Fraction(share.win, share.per)


def looser(before: int, after: int) -> bool:
    """Whether a limit, 0 for none, takes nothing away that was allowed before."""
    return after == 0 or 0 < before <= after


MAX_CLOSING = 1_000
"""Prizes of a closing draw, and its runners-up: each winner is looked after one by one."""


def closing_fault(terms: ClosingTerms, prizes: dict[str, str], slots: Iterable[tuple[int, str]]) -> str:
    """What contradicts itself in a closing draw, "" for nothing. `slots`: those that effects and rules fill."""
    names = [prize.prize_id for prize in terms.prizes]
    if not names or len(set(names)) != len(names) or not set(names) <= set(prizes):
        return "a closing draw names each of the campaign's prizes at most once, and at least one"
    if any(prizes[name] == "pay_n" for name in names):
        return "a right to add money for one more is not drawn; lay it or give it"
    if min(prize.count for prize in terms.prizes) < 1 or not 1 <= terms.total <= MAX_CLOSING:
        return f"there is at least one of each prize, and at most {MAX_CLOSING} altogether"
    if not 0 <= terms.runners_up <= MAX_CLOSING or terms.per_person < 0:
        return f"there are at most {MAX_CLOSING} runners-up, and no limit is negative"
    if not 7 <= terms.take_days <= 366:
        return "a winner has between a week and a year to take the prize"
    return "its slot is one that no effect and no rule fills" if (terms.no, "consumer") in slots else ""


def closing_not_worse(old: ClosingTerms | None, new: ClosingTerms | None) -> bool:
    """Whether a started campaign's participants lose nothing: prizes, runners-up and time may only grow."""
    if old is None or new is None:
        return old is None
    counts = {prize.prize_id: prize.count for prize in new.prizes}
    kept = all(counts.get(prize.prize_id, 0) >= prize.count for prize in old.prizes)
    # The limit stays as it is: a looser one favours those with many entries, a tighter one the others.
    same = (new.no, new.per_person) == (old.no, old.per_person)
    return kept and same and new.runners_up >= old.runners_up and new.take_days >= old.take_days
