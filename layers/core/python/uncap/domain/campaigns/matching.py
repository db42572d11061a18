"""One condition against one claim's facts, field by field: the only place where a condition's meaning is written. Pure.

`tests_of` turns a condition into the few tests it really has; `Seen` is a claim prepared for them. Used by `index.py`.
"""

import datetime
from collections.abc import Callable, Iterator

from uncap.domain.campaigns.facts import Facts
from uncap.domain.campaigns.reference import with_wider
from uncap.domain.campaigns.rules import Condition, Nth, Streak

Value = str | int
Test = tuple[str, Callable[["Seen"], bool]]
"""Name of the condition's field, and whether a claim satisfies it."""

SETS: dict[str, Callable[[Facts], tuple[Value, ...]]] = {
    "outlets": lambda facts: _known(facts.outlet),
    "distributors": lambda facts: (*_known(facts.distributor), *_known(facts.sub_distributor)),
    "releases": lambda facts: _known(facts.release_id),
    "batches": lambda facts: (facts.batch_no,),
    "regions": lambda facts: with_wider(facts.region),
    "gtins": lambda facts: _known(facts.gtin),
    "tags": lambda facts: facts.tags,
    "tiers": lambda facts: _known(facts.tier),
    "roles": lambda facts: (facts.role,),
    "weekdays": lambda facts: (facts.weekday,),
    "scanners": lambda facts: (facts.scanner,),
}
"""Fields that list values, of which a claim must have one; most selective first, as a rule."""

PLACE = frozenset({"outlets", "distributors", "regions"})
"""Fields that cannot be judged before the goods' place in the channel is known."""
MAX_LISTED = 31
"""Days or openings that a rule is filed under one by one; longer lists are tried instead of looked up."""


class Seen:
    """A claim's facts with the values that conditions ask for."""

    __slots__ = ("facts", "values")

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.values: dict[str, tuple[Value, ...]] = {name: of(facts) for name, of in SETS.items()}
        self.values["days"] = _known(facts.day)
        self.values["person_nth"] = (facts.person_nth,) if facts.person_nth else ()
        self.values["outlet_nth"] = (facts.outlet_nth,) if facts.outlet_nth else ()


def tests_of(when: Condition) -> tuple[Test, ...]:
    """The tests of the fields that are set, cheapest first."""
    return (*_set_tests(when), *_time_tests(when), *_count_tests(when))


def keys_of(when: Condition) -> dict[str, tuple[Value, ...]]:
    """By which values a rule can be found, per field: a claim that has none of a field's values cannot match."""
    keys: dict[str, tuple[Value, ...]] = {
        name: tuple(dict.fromkeys(values)) for name in SETS if (values := getattr(when, name))
    }
    if days := _listed_days(when):
        keys["days"] = days
    for name in ("person_nth", "outlet_nth"):
        if numbers := _listed_numbers(getattr(when, name)):
            keys[name] = numbers
    return keys


def needs_place(when: Condition) -> bool:
    """Whether the goods' place in the channel decides, and so the count of the outlet they went to."""
    counts_outlet = when.outlet_nth is not None or when.outlet_streak is not None
    return any(getattr(when, name) for name in PLACE) or when.invited or counts_outlet


def _set_tests(when: Condition) -> Iterator[Test]:
    for name in SETS:
        if values := getattr(when, name):
            yield name, _has_one(name, frozenset(values))


def _has_one(name: str, allowed: frozenset[Value]) -> Callable[[Seen], bool]:
    return lambda seen: not allowed.isdisjoint(seen.values[name])


def _time_tests(when: Condition) -> Iterator[Test]:
    if when.from_day:
        yield "from_day", lambda seen: seen.facts.day >= when.from_day
    if when.before_day:
        yield "before_day", lambda seen: seen.facts.day < when.before_day
    if when.hours:
        yield "hours", lambda seen: any(span.start <= seen.facts.hour < span.stop for span in when.hours)


def _count_tests(when: Condition) -> Iterator[Test]:
    if when.person_nth:
        yield "person_nth", _nth(when.person_nth, lambda facts: facts.person_nth)
    if when.outlet_nth:
        yield "outlet_nth", _nth(when.outlet_nth, lambda facts: facts.outlet_nth)
    if when.person_streak:
        yield "person_streak", _run(when.person_streak, lambda facts: (facts.person_days, facts.person_row))
    if when.outlet_streak:
        yield "outlet_streak", _run(when.outlet_streak, lambda facts: (facts.outlet_days, facts.outlet_row))
    if when.first_of_case:
        yield "first_of_case", lambda seen: seen.facts.case_nth == 1
    if when.invited:
        yield "invited", lambda seen: seen.facts.invited


def _nth(wanted: Nth, of: Callable[[Facts], int]) -> Callable[[Seen], bool]:
    return lambda seen: of(seen.facts) in wanted


def _run(wanted: Streak, of: Callable[[Facts], tuple[int, int]]) -> Callable[[Seen], bool]:
    return lambda seen: wanted.reached(*of(seen.facts))


def _listed_numbers(nth: Nth | None) -> tuple[int, ...]:
    """The openings by number where they are few."""
    if nth is None or nth.every or nth.first > MAX_LISTED:
        return ()
    return tuple(dict.fromkeys((*nth.at, *range(1, nth.first + 1))))


def _listed_days(when: Condition) -> tuple[str, ...]:
    """The days of a short window, one by one."""
    if not when.from_day or not when.before_day:
        return ()
    first, after = (datetime.date.fromisoformat(day) for day in (when.from_day, when.before_day))
    length = (after - first).days
    if not 0 < length <= MAX_LISTED:
        return ()
    return tuple((first + datetime.timedelta(days=step)).isoformat() for step in range(length))


def _known(value: str) -> tuple[Value, ...]:
    return (value,) if value else ()
