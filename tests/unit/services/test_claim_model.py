"""Random interleavings of people, retries and lost replies against a model of what must be true of one code."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.kits.scan_kit import DAY_MS, GTIN, World
from uncap.domain.catalog import PersonLimit
from uncap.domain.errors import LimitError
from uncap.services.claim_code import ScanRequest, bound_claim_id, claim_code

PEOPLE = st.sampled_from(["ann", "bob", "cid"])
CLAIMS = st.sampled_from(["claim-0001", "claim-0002"])
CODES = st.integers(1, 4)


class Claims(RuleBasedStateMachine):
    """`holders` is the model: who got each code first, by (person, claim id), and on which day."""

    @initialize(per_day=st.integers(0, 2), per_campaign=st.integers(0, 3))
    def begin(self, per_day: int, per_campaign: int) -> None:
        self.world = World(PersonLimit(per_day, per_campaign))
        self.limit = self.world.limit
        self.holders: dict[int, tuple[str, str]] = {}
        self.days: dict[int, int] = {}
        self.day = 0
        self.told: dict[tuple[int, str, str], str] = {}

    def held(self, person: str, *, today: bool = False) -> int:
        return sum(
            1 for code, (who, _) in self.holders.items() if who == person and (not today or self.days[code] == self.day)
        )

    def is_full(self, person: str) -> bool:
        full_today = 0 < self.limit.per_day <= self.held(person, today=True)
        return full_today or 0 < self.limit.per_campaign <= self.held(person)

    @rule(code=CODES, person=PEOPLE, claim_id=CLAIMS)
    def scan(self, code: int, person: str, claim_id: str) -> None:
        request = ScanRequest(GTIN, self.world.serial(code), claim_id)
        free = code not in self.holders
        try:
            result = claim_code(self.world.scan_desk, self.world.session(person), request, self.world.now_ms)
        except LimitError:
            assert free
            assert self.is_full(person)
            return
        if free:
            assert not self.is_full(person)
            self.holders[code] = (person, claim_id)
            self.days[code] = self.day
        expected = "first" if self.holders[code] == (person, claim_id) else "repeat"
        assert result.outcome == expected
        assert self.told.setdefault((code, person, claim_id), expected) == expected

    @rule()
    def next_day(self) -> None:
        self.world.now_ms += DAY_MS
        self.day += 1

    @invariant()
    def the_table_agrees(self) -> None:
        stored = {image.ref.index: image.first for image in self.world.scans.items.values()}
        assert set(stored) == set(self.holders)
        for code, (person, claim_id) in self.holders.items():
            first = stored[code]
            assert first is not None
            image = next(one for one in self.world.scans.items.values() if one.ref.index == code)
            assert first.claim_id == bound_claim_id(self.world.session(person).person, image.ref, claim_id)

    @invariant()
    def slots_are_what_is_held(self) -> None:
        for person in ("ann", "bob", "cid"):
            counters = {
                k: v for k, v in self.world.limits.slots.items() if k.startswith(self.world.session(person).person)
            }
            everything = [slots for key, slots in counters.items() if key.endswith("#all")]
            if self.limit.per_campaign and everything:
                assert len(everything[0]) == self.held(person)
            daily = sum(len(slots) for key, slots in counters.items() if not key.endswith("#all"))
            if self.limit.per_day:
                assert daily == self.held(person)


TestClaims = Claims.TestCase
TestClaims.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
