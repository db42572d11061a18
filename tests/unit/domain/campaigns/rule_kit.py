"""Rules and facts over few values, so that they meet often; and the plainest reading of a rule set, as the oracle."""

from hypothesis import strategies as st

from uncap.domain.campaigns.facts import Facts
from uncap.domain.campaigns.rules import Condition, Hours, Nth, Rule, RulePart, Streak
from uncap.domain.catalog import Effect, Role

OUTLETS, REGIONS = ("o-1", "o-2", "o-3"), ("510104", "510100", "510000", "500100")
DAYS = ("2026-11-21", "2026-11-22", "2026-11-23", "2026-12-24", "2027-02-01")


def some(values: tuple[object, ...]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.one_of(st.just(()), st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple))


def spans() -> st.SearchStrategy[tuple[Hours, ...]]:
    pairs = st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda pair: pair[0] < pair[1])
    return st.lists(pairs.map(lambda pair: Hours(*pair)), max_size=2).map(tuple)


nths = st.one_of(
    st.none(),
    st.builds(Nth, at=some((1, 2, 3)), every=st.integers(0, 3), first=st.integers(0, 3)),
    st.just(Nth(at=(2,))),
)
streaks = st.one_of(
    st.none(), st.builds(Streak, days=st.integers(0, 3), openings=st.integers(0, 3), repeat=st.booleans())
)
conditions = st.builds(
    Condition,
    roles=some((Role.CAP_INNER, Role.CASE_INNER)),
    gtins=some(("1", "2")),
    batches=some((7, 8)),
    releases=some(("r7-1", "r8-1")),
    regions=some(REGIONS),
    distributors=some(("d-1", "s-1")),
    outlets=some(OUTLETS),
    scanners=some(("consumer", "outlet")),
    from_day=st.sampled_from(("", *DAYS)),
    before_day=st.sampled_from(("", *DAYS)),
    weekdays=some((1, 7)),
    hours=spans(),
    tiers=some(("gold", "silver")),
    tags=some(("vip", "new")),
    person_nth=nths,
    outlet_nth=nths,
    person_streak=streaks,
    outlet_streak=streaks,
    first_of_case=st.booleans(),
    invited=st.booleans(),
)
plain_conditions = st.one_of(
    st.builds(Condition, outlets=some(OUTLETS), gtins=some(("1", "2"))),
    st.builds(Condition, regions=some(REGIONS), tags=some(("vip", "new"))),
    conditions,
)
effects = st.lists(
    st.builds(
        Effect,
        no=st.integers(2, 4),
        beneficiary=st.sampled_from(("consumer", "outlet", "distributor")),
        kind=st.just("fixed"),
        prize_id=st.sampled_from(("a", "b", "c")),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: (one.no, one.beneficiary),
).map(tuple)


def rule_parts(most: int = 40) -> st.SearchStrategy[RulePart]:
    one = st.tuples(effects, plain_conditions, st.integers(1, 3))
    return st.lists(one, max_size=most).map(
        lambda found: RulePart(tuple(Rule(no, *parts) for no, parts in enumerate(found, 1)))
    )


facts = st.builds(
    Facts,
    role=st.sampled_from((1, 3)),
    gtin=st.sampled_from(("1", "2")),
    batch_no=st.sampled_from((7, 8)),
    release_id=st.sampled_from(("r7-1", "r8-1")),
    day=st.sampled_from(DAYS),
    weekday=st.sampled_from((1, 3, 7)),
    hour=st.integers(0, 23),
    scanner=st.sampled_from(("consumer", "outlet")),
    shipped=st.just(True),
    region=st.sampled_from(("", *REGIONS)),
    distributor=st.sampled_from(("", "d-1", "d-2")),
    sub_distributor=st.sampled_from(("", "s-1")),
    outlet=st.sampled_from(("", *OUTLETS)),
    invited=st.booleans(),
    tier=st.sampled_from(("", "gold", "silver")),
    tags=some(("vip", "new", "old")),
    person_nth=st.integers(0, 6),
    person_days=st.integers(0, 4),
    person_row=st.integers(0, 6),
    outlet_nth=st.integers(0, 6),
    outlet_days=st.integers(0, 4),
    outlet_row=st.integers(0, 6),
    case_nth=st.integers(0, 2),
)


def holds(when: Condition, seen: Facts) -> bool:
    """A condition read word for word, without any of the engine's code."""
    wider = {seen.region, seen.region[:4] + "00", seen.region[:2] + "0000"} if seen.region else set()
    listed: list[tuple[tuple[object, ...], set[object]]] = [
        (when.roles, {seen.role}),
        (when.gtins, {seen.gtin}),
        (when.batches, {seen.batch_no}),
        (when.releases, {seen.release_id}),
        (when.regions, set(wider)),
        (when.distributors, {seen.distributor, seen.sub_distributor}),
        (when.outlets, {seen.outlet}),
        (when.scanners, {seen.scanner}),
        (when.weekdays, {seen.weekday}),
        (when.tiers, {seen.tier}),
        (when.tags, set(seen.tags)),
    ]
    return (
        all(not wanted or set(wanted) & (have - {""}) for wanted, have in listed)
        and when.from_day <= seen.day
        and (not when.before_day or seen.day < when.before_day)
        and (not when.hours or any(span.start <= seen.hour < span.stop for span in when.hours))
        and _nth(when.person_nth, seen.person_nth)
        and _nth(when.outlet_nth, seen.outlet_nth)
        and _streak(when.person_streak, seen.person_days, seen.person_row)
        and _streak(when.outlet_streak, seen.outlet_days, seen.outlet_row)
        and (not when.first_of_case or seen.case_nth == 1)
        and (not when.invited or seen.invited)
    )


def _nth(wanted: Nth | None, number: int) -> bool:
    if wanted is None:
        return True
    numbers = set(wanted.at) | set(range(1, wanted.first + 1))
    return number >= 1 and (number in numbers or (wanted.every > 0 and number % wanted.every == 0))


def _streak(wanted: Streak | None, days: int, row: int) -> bool:
    if wanted is None:
        return True
    for have, length in ((days, wanted.days), (row, wanted.openings)):
        if length and have and (have == length or (wanted.repeat and have % length == 0)):
            return True
    return False
