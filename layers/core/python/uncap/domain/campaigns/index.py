"""Rules compiled so that a claim meets only those it might match: ten thousand cost about what one does. Pure.

A tree of look-up tables: each rule is filed under the values of the field that tells it best from the others, crowded
values are split again by the next best field. Compiled once per rule set by `adapters/rule_sets.py`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from uncap.domain.campaigns.facts import Facts
from uncap.domain.campaigns.matching import Seen, Test, Value, keys_of, needs_place, tests_of
from uncap.domain.campaigns.reference import Slot
from uncap.domain.campaigns.rules import Exclusion, Rule, RulePart, needs_of

Rank = tuple[int, int]
_LEAF = 8
"""So few rules are tried one by one faster than they are looked up."""
_MAX_ENTRIES = 1_000_000
"""Bound of the tables in all: rules that list many values in many fields stop being filed any further."""


class CompiledRule:
    """A rule with its tests and the slots it may fill."""

    __slots__ = ("keys", "rank", "rule", "slots", "tests")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.rank: Rank = rule.rank
        self.tests: tuple[Test, ...] = tests_of(rule.when)
        self.keys: dict[str, tuple[Value, ...]] = keys_of(rule.when)
        self.slots = tuple(Slot(one.no, one.beneficiary) for one in rule.effects)

    def matches(self, seen: Seen) -> bool:
        """Whether every field of the condition holds."""
        return all(test(seen) for _, test in self.tests)

    def misses(self, seen: Seen) -> tuple[str, ...]:
        """The fields that do not hold."""
        return tuple(name for name, test in self.tests if not test(seen))


class _Node:
    """Some rules, filed by further fields the first time a claim comes by: most crowds are never visited."""

    __slots__ = ("_fields", "_limit", "_rules", "_split")

    def __init__(self, rules: list[CompiledRule], fields: frozenset[str], limit: int) -> None:
        self._rules, self._fields, self._limit = rules, fields, limit
        self._split: tuple[list[CompiledRule], dict[str, dict[Value, _Node]]] | None = None

    def find(self, seen: Seen) -> Iterator[CompiledRule]:
        if len(self._rules) <= _LEAF:
            yield from self._rules
            return
        # Two threads may both file the rules here; they come to the same, and the later one's result stays.
        self._split = self._split or _filed(self._rules, self._fields, self._limit)
        rest, tables = self._split
        yield from rest
        for field, table in tables.items():
            for value in seen.values[field]:
                child = table.get(value)
                if child is not None:
                    yield from child.find(seen)


class RuleIndex:
    """A compiled rule set. Immutable, safe to share between threads.

    `place_ranks`: per slot, the best rank among the rules that ask for the goods' place in the channel.
    """

    def __init__(self, rules: RulePart) -> None:
        self.rules: dict[int, CompiledRule] = {rule.no: CompiledRule(rule) for rule in rules.rules}
        self.excluded: Exclusion = rules.excluded
        self.people: frozenset[str] = frozenset(rules.excluded.people)
        self.needs = needs_of(rules)
        self.tags = frozenset(tag for one in rules.rules for tag in one.when.tags)
        self.slots: tuple[Slot, ...] = slots_in(rules.rules)
        self.place_ranks: dict[Slot, Rank] = {}
        for one in self.rules.values():
            for slot in one.slots if needs_place(one.rule.when) else ():
                self.place_ranks[slot] = min(one.rank, self.place_ranks.get(slot, one.rank))
        everyone = list(self.rules.values())
        self._root = _Node(everyone, frozenset(field for one in everyone for field in one.keys), _MAX_ENTRIES)

    def candidates(self, facts: Facts) -> tuple[Seen, list[CompiledRule]]:
        """The claim prepared, and every rule it might match, best rank first."""
        seen = Seen(facts)
        found = {one.rule.no: one for one in self._root.find(seen)}
        return seen, sorted(found.values(), key=_rank)


def slots_in(rules: Iterable[Rule]) -> tuple[Slot, ...]:
    """The slots these rules may fill, in order."""
    return tuple(sorted({Slot(one.no, one.beneficiary) for rule in rules for one in rule.effects}))


def _rank(one: CompiledRule) -> Rank:
    return one.rank


def _filed(
    rules: Sequence[CompiledRule], fields: frozenset[str], limit: int
) -> tuple[list[CompiledRule], dict[str, dict[Value, _Node]]]:
    """Rules that must always be tried, and the others by field and value; `fields` are those not used on the way."""
    crowd = Counter(
        (field, value) for one in rules for field, values in one.keys.items() if field in fields for value in values
    )
    rest: list[CompiledRule] = []
    groups: dict[tuple[str, Value], list[CompiledRule]] = {}
    for one in rules:
        field = _best_field(one, fields, crowd)
        limit -= len(one.keys.get(field, ()))
        if not field or limit < 0:
            rest.append(one)
            continue
        for value in one.keys[field]:
            groups.setdefault((field, value), []).append(one)
    tables: dict[str, dict[Value, _Node]] = {}
    for (field, value), group in groups.items():
        tables.setdefault(field, {})[value] = _Node(group, fields - {field}, limit * len(group) // len(rules))
    return rest, tables


def _best_field(one: CompiledRule, fields: frozenset[str], crowd: Counter[tuple[str, Value]]) -> str:
    """The field under whose values the fewest rules stand; "" if the rule has none of the fields."""
    usable = [field for field in one.keys if field in fields]
    return min(usable, key=lambda field: max(crowd[field, value] for value in one.keys[field]), default="")


EMPTY = RuleIndex(RulePart())
"""The index of a campaign without rules."""
