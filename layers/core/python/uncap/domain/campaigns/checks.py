"""What a rule set must satisfy before it is stored, and how a started campaign's may still change. Pure.

Called by `domain/campaign_rules.py`. Every refusal names the rule and the field. Grounds as there: in a draw no prize
may be kept to a region, and nothing announced may be taken back (Provisions on Regulating Sales Promotion, 2020).
"""

import datetime
from collections.abc import Iterable, Iterator

from uncap.domain.campaigns.counting import MAX_DAYS
from uncap.domain.campaigns.draw_rules import draw_not_worse
from uncap.domain.campaigns.draws import DRAWN, Draw
from uncap.domain.campaigns.matching import SETS
from uncap.domain.campaigns.pay_n import PAY_N
from uncap.domain.campaigns.physical import VALUED
from uncap.domain.campaigns.reference import Slot, with_wider
from uncap.domain.campaigns.rules import MAX_RULES, MAX_SLOTS, Condition, Nth, Rule, RulePart, Streak
from uncap.domain.catalog import Campaign, Effect, Prize
from uncap.domain.errors import InputError

MAX_CHANCE_PRIZE_MINOR = 5_000_000
_SEVERAL_AT_ONCE = frozenset({"tags", "distributors", "regions"})
"""Fields of which a claim may have several values: two conditions on different ones may still both hold."""


def check_rules(campaign: Campaign, rules: RulePart) -> None:
    """Raises InputError (`campaign_invalid`), `where` like "rule_set[7].when.hours"; the number is the rule's own."""
    if len(rules.rules) > MAX_RULES:
        raise _invalid(f"a campaign has at most {MAX_RULES} rules", "rule_set")
    seen: set[int] = set()
    prizes = {prize.prize_id: prize for prize in campaign.prizes}
    laid = {Slot(one.no, one.beneficiary) for one in campaign.effects if one.kind == "laid"}
    for rule in rules.rules:
        if rule.no in seen:
            raise _invalid("a rule number is used once", _at(rule, "no"))
        seen.add(rule.no)
        _check_effects(rule, prizes, laid)
        _check_drawn(rule, campaign)
        _check_condition(rule, campaign)
    slots = {Slot(one.no, one.beneficiary) for one in _all_effects(campaign, rules.rules)}
    if len(slots) > MAX_SLOTS:
        raise _invalid(f"{len(slots)} slots; one claim fills at most {MAX_SLOTS}", "rule_set")


def unfair_change(old: RulePart, new: RulePart, before: Campaign, after: Campaign) -> str:
    """Where a started campaign's rules would take something back, "" if nowhere.

    Rules stay as they were but for their names; a new one may outrank another only with at least as much of the same
    kind, or where the two can never meet.
    """
    kept = {rule.no: rule for rule in new.rules}
    for rule in old.rules:
        now = kept.get(rule.no)
        if now is None or (now.when, now.precedence, set(now.effects)) != (
            rule.when,
            rule.precedence,
            set(rule.effects),
        ):
            return f"rule_set[{rule.no}]"
    known = {rule.no for rule in old.rules}
    standing = _Standing(old, before, after)
    for rule in new.rules:
        if rule.no not in known and not standing.is_favour(rule):
            return f"rule_set[{rule.no}].effects"
    return ""


class _Standing:
    """What already holds each slot, by prize, so that ten thousand new rules are judged in one pass."""

    def __init__(self, old: RulePart, before: Campaign, after: Campaign) -> None:
        self._prizes = {prize.prize_id: prize for prize in after.prizes}
        self._draws = {draw.draw_id: draw for draw in after.draws}
        self._held: dict[Slot, dict[tuple[str, str], list[tuple[tuple[int, int], Condition]]]] = {}
        for effect in before.effects:
            self._add(effect, (0, 0), Condition())
        for rule in old.rules:
            for effect in rule.effects:
                self._add(effect, rule.rank, rule.when)

    def _add(self, effect: Effect, rank: tuple[int, int], when: Condition) -> None:
        by_prize = self._held.setdefault(Slot(effect.no, effect.beneficiary), {})
        by_prize.setdefault((effect.kind, effect.prize_id), []).append((rank, when))

    def is_favour(self, rule: Rule) -> bool:
        return all(self._is_enough(rule, effect) for effect in rule.effects)

    def _is_enough(self, rule: Rule, effect: Effect) -> bool:
        for (kind, prize_id), holders in self._held.get(Slot(effect.no, effect.beneficiary), {}).items():
            if self._is_as_much(effect, kind, prize_id):
                continue
            if any(rule.rank < rank and not disjoint(rule.when, when) for rank, when in holders):
                return False
        return True

    def _is_as_much(self, effect: Effect, kind: str, prize_id: str) -> bool:
        if DRAWN in (kind, effect.kind):  # odds are compared with odds: a prize for some is less than a chance for all
            return kind == effect.kind and _same_or_better(self._draws.get(effect.prize_id), self._draws.get(prize_id))
        mine, other = self._prizes[effect.prize_id], self._prizes.get(prize_id)
        return other is not None and other.kind == mine.kind and other.amount_minor <= mine.amount_minor


def _same_or_better(mine: Draw | None, other: Draw | None) -> bool:
    return mine is not None and other is not None and draw_not_worse(other, mine)


def disjoint(one: Condition, other: Condition) -> bool:
    """Whether no claim can satisfy both. Errs on the side of False."""
    for name in SETS:
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine and theirs and name not in _SEVERAL_AT_ONCE and not set(mine) & set(theirs):
            return True
    if one.regions and other.regions and not _regions_meet(one.regions, other.regions):
        return True
    spans = ((one.from_day, other.before_day), (other.from_day, one.before_day))
    return any(start and stop and stop <= start for start, stop in spans)


def _regions_meet(one: Iterable[str], other: Iterable[str]) -> bool:
    mine, theirs = set(one), set(other)
    return any(set(with_wider(region)) & theirs for region in mine) or any(
        set(with_wider(region)) & mine for region in theirs
    )


def _all_effects(campaign: Campaign, rules: Iterable[Rule]) -> Iterator[Effect]:
    yield from campaign.effects
    for rule in rules:
        yield from rule.effects


def _check_effects(rule: Rule, prizes: dict[str, Prize], laid: set[Slot]) -> None:
    where = _at(rule, "effects")
    if not rule.effects:
        raise _invalid("a rule gives something to someone", where)
    slots = {Slot(one.no, one.beneficiary) for one in rule.effects}
    if len(slots) != len(rule.effects):
        raise _invalid("a rule fills a slot once per beneficiary", where)
    if slots & laid:
        raise _invalid("a laid prize cannot be taken by a rule: give the rule a slot of its own", where)
    for effect in rule.effects:
        if effect.kind == "laid":
            raise _invalid("prizes are laid on every code of a release, not where a rule says", where)
        if effect.kind == DRAWN:
            continue
        prize = prizes.get(effect.prize_id)
        if prize is None:
            raise _invalid(f"there is no prize {effect.prize_id!r} in this campaign", where)
        if prize.kind == PAY_N and effect.beneficiary != "consumer":
            raise _invalid("a pay-N prize is won by consumers", where)
        too_much = prize.kind in VALUED and prize.amount_minor > MAX_CHANCE_PRIZE_MINOR
        if too_much and effect.beneficiary == "consumer":
            raise _invalid(f"{prize.prize_id}: what a consumer may win by luck is worth at most ¥50,000", where)


def _check_drawn(rule: Rule, campaign: Campaign) -> None:
    """Odds may differ by place and time; a prize may not be kept to either: what a rule draws, all can be drawn for."""
    draws = {draw.draw_id: draw for draw in campaign.draws}
    for effect in rule.effects:
        if effect.kind != DRAWN:
            continue
        if effect.prize_id not in draws:
            raise _invalid(f"there is no draw {effect.prize_id!r} in this campaign", _at(rule, "effects"))
        if effect.beneficiary == "consumer" and _is_partial(rule.when):
            slot = (effect.no, effect.beneficiary, DRAWN)
            everywhere = [one for one in campaign.effects if (one.no, one.beneficiary, one.kind) == slot]
            known = draws[everywhere[0].prize_id].prize_ids if everywhere else frozenset()
            if not draws[effect.prize_id].prize_ids <= known:
                raise _invalid("a draw's prizes may not be kept to a place or a time", _at(rule, "effects"))


def _is_partial(when: Condition) -> bool:
    return bool(when.regions or when.distributors or when.outlets or when.releases or when.batches or when.hours)


def _check_condition(rule: Rule, campaign: Campaign) -> None:
    when = rule.when
    if not set(when.gtins) <= set(campaign.gtins):
        raise _invalid("a rule is for products of its campaign", _at(rule, "when.gtins"))
    for name in SETS:
        values = getattr(when, name)
        if len(set(values)) != len(values):
            raise _invalid("a value is named once", _at(rule, f"when.{name}"))
    for name in ("from_day", "before_day"):
        if day := getattr(when, name):
            _check_day(day, _at(rule, f"when.{name}"))
    if when.from_day and when.before_day and not when.from_day < when.before_day:
        raise _invalid("a window ends after it begins", _at(rule, "when.before_day"))
    if any(not 0 <= span.start < span.stop <= 24 for span in when.hours):
        raise _invalid("hours run from start to stop within 0 to 24", _at(rule, "when.hours"))
    if any(not 1 <= day <= 7 for day in when.weekdays):
        raise _invalid("weekdays are 1 (Monday) to 7", _at(rule, "when.weekdays"))
    _check_counts(rule)


def _check_counts(rule: Rule) -> None:
    for name in ("person_nth", "outlet_nth"):
        nth: Nth | None = getattr(rule.when, name)
        if nth is not None and (not (nth.at or nth.every or nth.first) or any(one < 1 for one in nth.at)):
            raise _invalid("say which openings: at, every or first, from 1 on", _at(rule, f"when.{name}"))
    for name in ("person_streak", "outlet_streak"):
        streak: Streak | None = getattr(rule.when, name)
        if streak is not None and not (streak.days or streak.openings):
            raise _invalid("a streak has a length in days or in openings", _at(rule, f"when.{name}"))
        if streak is not None and streak.days >= MAX_DAYS:
            raise _invalid(f"a streak is shorter than {MAX_DAYS} days", _at(rule, f"when.{name}"))


def _check_day(day: str, where: str) -> None:
    try:
        parsed = datetime.date.fromisoformat(day)
    except ValueError as cause:
        raise _invalid("a day is written yyyy-mm-dd", where) from cause
    if parsed.isoformat() != day:  # Python also reads 20261122 and 2026-W47-7
        raise _invalid("a day is written yyyy-mm-dd", where)


def _at(rule: Rule, field: str) -> str:
    return f"rule_set[{rule.no}].{field}"


def _invalid(message: str, where: str) -> InputError:
    return InputError("campaign_invalid", message, where=where)
