"""A thousand hands at once, in real threads: exactly one wins, limits are exact, one payment leaves."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC
from typing import cast

import msgspec
import pytest

from tests.histories.campaigns import BATCH, CAMPAIGN, RELEASE, FakeCatalog
from tests.histories.crowd import LockedWorld, together
from tests.histories.parts import drawing_of
from tests.histories.people import GTIN, PlainKeyring
from tests.histories.rail import FakeRail
from tests.histories.scans import FakeChannel, FakeLimits, FakeScans
from tests.histories.stores import FakeLedger, FakeQueue
from uncap.adapters.catalog import Catalog
from uncap.adapters.rails.own_ledger import OwnLedgerRail
from uncap.domain.campaigns.draws import Draw, DrawShare
from uncap.domain.catalog import Effect, LaidPrize, PersonLimit, Release, Role
from uncap.domain.codes.scheme import Keyring
from uncap.domain.errors import LimitError
from uncap.domain.rails import Rail
from uncap.domain.rewards.reward import State
from uncap.domain.scans import CodeRef
from uncap.domain.sessions import Session
from uncap.services.claim_code import ScanDesk, ScanRequest, claim_code
from uncap.services.grant_rewards import Granter, grant_changes
from uncap.services.hot_codes import HotCodes
from uncap.services.pay_reward import pay
from uncap.services.settle_payout import Payouts
from uncap.services.stop_money import Brakes

CROWD = 1_000


class BigCatalog(FakeCatalog):
    """A release of a thousand codes under a campaign with these limits."""

    def __init__(self, limit: PersonLimit, last: Draw | None = None) -> None:
        super().__init__()
        self.campaign = msgspec.structs.replace(CAMPAIGN, limit=limit)
        if last:
            effects = (*CAMPAIGN.effects, Effect(6, "consumer", "drawn", last.draw_id))
            self.campaign = msgspec.structs.replace(self.campaign, effects=effects, draws=(last,))
        self.batch = msgspec.structs.replace(BATCH, size=CROWD)

    def release(self) -> Release:
        return msgspec.structs.replace(
            RELEASE, stop=CROWD, eligible_count=CROWD, prize_table=(LaidPrize("cash", CROWD),)
        )


class Shop:
    """The claim path, the relay and the worker over locked tables."""

    def __init__(self, limit: PersonLimit | None = None, last: Draw | None = None) -> None:
        world = self.world = LockedWorld()
        self.scans, self.limits, self.ledger = FakeScans(world), FakeLimits(world), FakeLedger(world)
        self.rail, self.queue = FakeRail(world, 0.0), FakeQueue(world)
        source = BigCatalog(limit or PersonLimit(), last)
        catalog = Catalog(source, world.clock_ms, 5_000)
        brakes, own = Brakes(catalog, world.clock_ms), OwnLedgerRail()
        keyring = cast("Keyring", PlainKeyring())
        # Each claim in a container of its own: what one remembers about a hot code must not decide here.
        self._desk: Callable[[], ScanDesk] = lambda: ScanDesk(
            lambda: keyring, catalog, self.scans, self.limits, HotCodes(world.clock_ms), UTC
        )
        channel = FakeChannel()
        channel.shipped = True
        self.granter = Granter(
            catalog,
            channel,
            self.ledger,
            self.queue,
            lambda *_: "cash",
            brakes,
            world.clock_ms,
            {"points": own},
            drawing=drawing_of(self.ledger, source.campaign, world.clock_ms),
        )
        rails: dict[str, Rail] = {"cash": self.rail, "points": own}
        self.payouts = Payouts(self.ledger, catalog, brakes, rails, lambda one: f"openid-{one.party}", world.clock_ms)

    def claim(self, person: str, index: int) -> str:
        """ "first", "repeat" or "limit"."""
        request = ScanRequest(GTIN, CodeRef(7, index, Role.CAP_INNER).key(), f"{person}-{index}")
        session = Session("h5", "d", 0, 0, person, "sealed")
        try:
            return claim_code(self._desk(), session, request, self.world.now_ms).outcome
        except LimitError:
            return "limit"

    def grant(self) -> None:
        for shard in self.scans.shards:
            grant_changes(shard, self.granter)


def test_of_a_thousand_claims_on_one_code_exactly_one_wins_and_is_paid_once() -> None:
    shop = Shop()
    answers = together(CROWD, lambda number: shop.claim(f"p{number}", 0))
    assert Counter(answers) == {"first": 1, "repeat": CROWD - 1}
    first = shop.scans.images["7.0.1"].first
    assert first is not None
    assert first.person == f"p{answers.index('first')}"
    together(8, lambda _: shop.grant())
    [cash] = [one for one in shop.ledger.items.values() if one.kind == "cash"]
    assert cash.party == first.person
    together(64, lambda _: pay(cash.reward_id, shop.payouts))
    assert len(shop.rail.bills) == 1


@pytest.mark.parametrize("limit", [PersonLimit(per_campaign=3), PersonLimit(per_day=3, per_campaign=3)], ids=str)
def test_one_person_with_a_thousand_winning_codes_and_a_limit_of_three(limit: PersonLimit) -> None:
    shop = Shop(limit)
    answers = together(CROWD, lambda index: shop.claim("greedy", index))
    assert Counter(answers) == {"first": 3, "limit": CROWD - 3}
    taken = {pk for pk, image in shop.scans.images.items() if image.first is not None}
    assert len(taken) == 3
    shop.grant()
    assert sum(one.kind == "cash" for one in shop.ledger.items.values()) == 3
    left = [index for index, answer in enumerate(answers) if answer == "limit"]
    others = together(len(left), lambda number: shop.claim(f"p{number}", left[number]))
    assert Counter(others) == {"first": CROWD - 3}, "codes of refused claims must stay claimable"


def test_the_last_drawn_prize_goes_to_one_of_a_thousand() -> None:
    """64 relays grant a thousand claims, all of which are drawn for one prize."""
    shop = Shop(last=Draw("last", (DrawShare("cash", 1, 1, 1),)))
    for index in range(CROWD):
        shop.claim(f"q{index}", index)
    records = [record for shard in shop.scans.shards for record in shard]
    together(64, lambda number: grant_changes(records[number::64], shop.granter))
    drawn = [one for one in shop.ledger.items.values() if one.effect_no == 6]
    assert len(drawn) == CROWD
    assert sum(bool(one.holds) for one in drawn) == 1
    assert Counter(one.reason for one in drawn if not one.holds) == {"budget_exhausted": CROWD - 1}
    assert sum(shop.ledger.counts.values()) == 1


def test_a_person_in_a_thousand_races_for_taken_codes_keeps_every_slot() -> None:
    """Whoever loses gets the slot back, so that the limit counts prizes and not attempts."""
    shop = Shop(PersonLimit(per_day=3, per_campaign=3))
    for index in range(CROWD - 3):
        shop.claim(f"p{index}", index)
    answers = [shop.claim("late", index) for index in range(CROWD)]
    assert Counter(answers) == {"repeat": CROWD - 3, "first": 3}
    assert {len(held) for counter, held in shop.limits.held.items() if counter.startswith("late#")} == {3}


def test_a_recall_in_the_middle_stops_64_workers_within_its_bound() -> None:
    shop = Shop()
    for index in range(CROWD):
        shop.claim(f"p{index}", index)
    shop.grant()
    owed = [one.reward_id for one in shop.ledger.items.values() if one.kind == "cash"]
    source = cast("BigCatalog", shop.granter.catalog._source)
    recalled_ms = 0

    def work(number: int) -> None:
        nonlocal recalled_ms
        for place, reward_id in enumerate(owed[number::64]):
            if number == 0 and place == 7:
                source.hold = "recalled"
                recalled_ms = shop.world.now_ms
            pay(reward_id, shop.payouts)
            with shop.world.lock:
                shop.world.now_ms += 20

    together(64, work)
    sent = [bill.at_ms for bill in shop.rail.bills.values()]
    assert 0 < len(sent) < CROWD
    # Each worker may have been told to go on just before; then comes one call of 20 ms each.
    assert max(sent) <= recalled_ms + 1_000 + 64 * 20
    states = Counter(one.state for one in shop.ledger.items.values() if one.kind == "cash")
    assert states[State.HELD] == CROWD - len(sent)
