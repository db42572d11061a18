"""Rules as typed data: when a claim matches, and what then goes to whom. Never evaluated text. Pure values.

Stored in parts by `services/keep_rules.py`, compiled by `index.py`, published as a JSON schema (docs/campaigns.md).
An empty field of a condition asks nothing; every field that is set must hold, and of its values any.
"""

import msgspec

from uncap.domain.catalog import Effect, Role

BENEFICIARIES = (
    "consumer",
    "outlet",
    "outlet_staff",
    "distributor",
    "sub_distributor",
    "salesperson",
    "inviter",
)
MAX_SLOTS = 16
"""Slots of a campaign; the bound of writes that one claim can cause."""
MAX_RULES = 20_000
NEEDS = ("region", "member", "person_count", "outlet_count", "case_count")
"""Facts that cost a read or a write; they are found out only for rule sets that name them."""


class Nth(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which openings of a count: those in `at`, every `every`-th, those up to and including `first`. Any of them."""

    at: tuple[int, ...] = ()
    every: int = 0
    first: int = 0

    def __contains__(self, number: int) -> bool:
        return number > 0 and (
            number in self.at or (self.every > 0 and number % self.every == 0) or number <= self.first
        )


class Streak(msgspec.Struct, frozen=True, omit_defaults=True):
    """An unbroken run of days with openings: reached once it is `days` long, or holds `openings` of them.

    With `repeat` it is reached again at every multiple. The opening that completes it matches, the next one does not.
    """

    days: int = 0
    openings: int = 0
    repeat: bool = False

    def reached(self, days: int, openings: int) -> bool:
        """Whether the run is complete with this opening; `days` is 0 unless it is the first of its day."""
        return _at(days, self.days, self.repeat) or _at(openings, self.openings, self.repeat)


class Hours(msgspec.Struct, frozen=True, array_like=True):
    """Part of a day in the brand's zone, whole hours, half open: [18, 24)."""

    start: int
    stop: int


class Condition(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which claims a rule is for. Regions, distributors and outlets are those of the goods' place in the channel.

    `from_day` is the first day, `before_day` the first day after (brand's zone, "2026-11-22"). `weekdays`: 1 Monday
    to 7 Sunday. Counts are of the person, or of the outlet, within this campaign, in the order the relay saw them.
    `first_of_case`: the first unit opened of its case. `invited`: the outlet was invited by another party.
    """

    roles: tuple[Role, ...] = ()
    gtins: tuple[str, ...] = ()
    batches: tuple[int, ...] = ()
    releases: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    distributors: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()
    scanners: tuple[str, ...] = ()  # consumer | outlet
    from_day: str = ""
    before_day: str = ""
    weekdays: tuple[int, ...] = ()
    hours: tuple[Hours, ...] = ()
    tiers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    person_nth: Nth | None = None
    outlet_nth: Nth | None = None
    person_streak: Streak | None = None
    outlet_streak: Streak | None = None
    first_of_case: bool = False
    invited: bool = False


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """`no` is unique in the campaign and above 0. Where several match one slot, the highest precedence fills it.

    Unconditional effects of the campaign have precedence 0; among equals the lower number wins.
    """

    no: int
    effects: tuple[Effect, ...]
    when: Condition = Condition()
    precedence: int = 100
    name: str = ""

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts the winner first."""
        return (-self.precedence, self.no)


class Exclusion(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who may not win as a consumer, by law the brand's own staff: person keys, and members with any of these tags."""

    people: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class RulePart(msgspec.Struct, frozen=True, omit_defaults=True):
    """One stored piece of a rule set; a rule set is its parts' rules and exclusions together."""

    rules: tuple[Rule, ...] = ()
    excluded: Exclusion = Exclusion()


def joined(parts: tuple[RulePart, ...]) -> RulePart:
    """All parts as one."""
    return RulePart(
        rules=tuple(rule for part in parts for rule in part.rules),
        excluded=Exclusion(
            people=tuple(dict.fromkeys(one for part in parts for one in part.excluded.people)),
            tags=tuple(dict.fromkeys(tag for part in parts for tag in part.excluded.tags)),
        ),
    )


def needs_of(rules: RulePart) -> tuple[str, ...]:
    """The costly facts that some rule asks for, in the order of NEEDS."""
    asked: set[str] = {"member"} if rules.excluded.tags else set()
    for rule in rules.rules:
        when = rule.when
        asked |= {"region"} if when.regions else set()
        asked |= {"member"} if when.tiers or when.tags else set()
        asked |= {"member"} if any(one.beneficiary == "inviter" for one in rule.effects) else set()
        asked |= {"person_count"} if when.person_nth or when.person_streak else set()
        asked |= {"outlet_count"} if when.outlet_nth or when.outlet_streak else set()
        asked |= {"case_count"} if when.first_of_case else set()
    return tuple(one for one in NEEDS if one in asked)


def _at(reached: int, wanted: int, repeat: bool) -> bool:
    return wanted > 0 and reached > 0 and (reached % wanted == 0 if repeat else reached == wanted)
