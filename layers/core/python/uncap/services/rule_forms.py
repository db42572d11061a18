"""Rules as they are sent in: the shapes behind the published JSON schema, with every bound, and their values.

Used by `create_campaign.py`, `keep_rules.py` and `uncap campaign`. Meanings are in `domain/campaigns/rules.py`.
"""

from typing import Annotated, Literal

import msgspec

from uncap.domain.campaigns.rules import Condition, Exclusion, Hours, Nth, Rule, RulePart, Streak
from uncap.domain.catalog import Effect
from uncap.domain.codes.links import check_gtin
from uncap.services.create_product import Gtin, RoleName, parse_roles
from uncap.services.desk import BatchNo, Id

MAX_VALUES = 500
"""Values one field of a condition may list."""
PART_RULES = 1_000
Beneficiary = Literal["consumer", "outlet", "outlet_staff", "distributor", "sub_distributor", "salesperson", "inviter"]
Day = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$(?!\n)", max_length=10, description="yyyy-mm-dd")]
Words40 = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Region = Annotated[str, msgspec.Meta(min_length=1, max_length=60, description="Administrative code or name")]
Person = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,64}$(?!\n)", max_length=64, description="A person key")]
ReleaseId = Annotated[str, msgspec.Meta(pattern=r"^r[1-9]\d{0,7}-[1-9]\d{0,3}$(?!\n)", max_length=14)]
Number = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Optional = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
_MANY = msgspec.Meta(max_length=MAX_VALUES)


class NewEffect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a claim gives to whom. `no` is the slot: per slot and beneficiary a claim founds at most one reward.

    `prize_id` names the prize that is `fixed`, or the draw of a `drawn` effect.
    """

    no: Annotated[int, msgspec.Meta(ge=1, le=99)]
    beneficiary: Beneficiary
    kind: Literal["laid", "fixed", "drawn"]
    prize_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,40}$(?!\n)", max_length=40)] = ""

    def value(self) -> Effect:
        """As it is stored."""
        return Effect(self.no, self.beneficiary, self.kind, self.prize_id)


class NewNth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Openings by number: those in `at`, every `every`-th, the first `first`."""

    at: Annotated[tuple[Number, ...], _MANY] = ()
    every: Optional = 0
    first: Optional = 0


class NewStreak(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run of days without a gap: complete at `days` days or at `openings` openings; `repeat`: at every multiple."""

    days: Optional = 0
    openings: Optional = 0
    repeat: bool = False


class NewHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whole hours of the day in the brand's zone, `stop` excluded."""

    start: Annotated[int, msgspec.Meta(ge=0, le=23)]
    stop: Annotated[int, msgspec.Meta(ge=1, le=24)]


class NewCondition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every field that is given must hold; of the values it lists, any. No field: every claim.

    Regions, distributors and outlets are those of the goods' place in the channel, never of the phone.
    """

    roles: Annotated[tuple[RoleName, ...], msgspec.Meta(max_length=6)] = ()
    gtins: Annotated[tuple[Gtin, ...], _MANY] = ()
    batches: Annotated[tuple[BatchNo, ...], _MANY] = ()
    releases: Annotated[tuple[ReleaseId, ...], _MANY] = ()
    regions: Annotated[tuple[Region, ...], _MANY] = ()
    distributors: Annotated[tuple[Id, ...], _MANY] = ()
    outlets: Annotated[tuple[Id, ...], _MANY] = ()
    scanners: Annotated[tuple[Literal["consumer", "outlet"], ...], msgspec.Meta(max_length=2)] = ()
    from_day: Day = ""
    before_day: Day = ""
    weekdays: Annotated[tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...], msgspec.Meta(max_length=7)] = ()
    hours: Annotated[tuple[NewHours, ...], msgspec.Meta(max_length=8)] = ()
    tiers: Annotated[tuple[Words40, ...], _MANY] = ()
    tags: Annotated[tuple[Words40, ...], _MANY] = ()
    person_nth: NewNth | None = None
    outlet_nth: NewNth | None = None
    person_streak: NewStreak | None = None
    outlet_streak: NewStreak | None = None
    first_of_case: bool = False
    invited: bool = False

    def value(self) -> Condition:
        """As it is stored. Raises InputError (`gtin_invalid`, `product_invalid`)."""
        plain = {
            name: getattr(self, name)
            for name in self.__struct_fields__
            if name not in ("roles", "gtins", "hours", "person_nth", "outlet_nth", "person_streak", "outlet_streak")
        }
        return Condition(
            roles=parse_roles(self.roles),
            gtins=tuple(check_gtin(gtin) for gtin in self.gtins),
            hours=tuple(Hours(span.start, span.stop) for span in self.hours),
            person_nth=_nth(self.person_nth),
            outlet_nth=_nth(self.outlet_nth),
            person_streak=_streak(self.person_streak),
            outlet_streak=_streak(self.outlet_streak),
            **plain,
        )


class NewRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`no` is the rule's own number, unique in the campaign. Of the rules that match a claim, the one of the highest
    precedence fills a slot; among equals the lowest number. Unconditional effects come last."""

    no: Annotated[int, msgspec.Meta(ge=1, le=999_999)]
    effects: Annotated[tuple[NewEffect, ...], msgspec.Meta(min_length=1, max_length=16)]
    when: NewCondition = NewCondition()
    precedence: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 100
    name: Annotated[str, msgspec.Meta(max_length=120)] = ""

    def value(self) -> Rule:
        """As it is stored."""
        effects = tuple(one.value() for one in self.effects)
        return Rule(self.no, effects, self.when.value(), self.precedence, self.name)


class NewExclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may not win as a consumer, by law the brand's own staff: person keys, members with any of these tags."""

    people: Annotated[tuple[Person, ...], msgspec.Meta(max_length=2_000)] = ()
    tags: Annotated[tuple[Words40, ...], _MANY] = ()

    def value(self) -> Exclusion:
        """As it is stored."""
        return Exclusion(self.people, self.tags)


class NewRulePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part of a large rule set, stored ahead of the campaign version that names it."""

    rules: Annotated[tuple[NewRule, ...], msgspec.Meta(max_length=PART_RULES)] = ()
    excluded: NewExclusion = NewExclusion()

    def value(self) -> RulePart:
        """As it is stored."""
        return RulePart(tuple(one.value() for one in self.rules), self.excluded.value())


def _nth(given: NewNth | None) -> Nth | None:
    return Nth(given.at, given.every, given.first) if given else None


def _streak(given: NewStreak | None) -> Streak | None:
    return Streak(given.days, given.openings, given.repeat) if given else None
