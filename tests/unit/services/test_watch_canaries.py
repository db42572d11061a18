"""A canary from the file to the alarm: it looks like its neighbours, costs as much, wins nothing, and rings."""

import dataclasses

import msgspec
import pytest

from tests.kits.scan_kit import BATCH, GTIN, RELEASE, World
from uncap.domain.catalog import CanaryRun, Role
from uncap.domain.codes.canaries import placed
from uncap.domain.errors import CodeForgedError
from uncap.domain.read_models import Observation, ScanFact
from uncap.domain.rewards.reward import State
from uncap.domain.scans import CodeRef
from uncap.services.claim_code import ScanRequest, claim_code
from uncap.services.find_code import find_code
from uncap.services.grant_rewards import Granter, plan
from uncap.services.view_code import view_code
from uncap.services.watch_canaries import CanaryWatch, orders_rung

SIZE = BATCH.size
RELEASED = CanaryRun("x7-RELEASED", 30, 900, 5)
UNRELEASED = CanaryRun("x7-LATER", 1_000, 1_200, 3)


@pytest.fixture
def world() -> World:
    made = World()
    made.put(batch=msgspec.structs.replace(BATCH, canaries=(RELEASED, UNRELEASED)))
    return made


def claimed(world: World, index: int, claim_id: str = "claim-0001") -> object:
    request = ScanRequest(GTIN, world.serial(index), claim_id)
    return claim_code(world.scan_desk, world.session(), request, world.now_ms)


@pytest.mark.parametrize(("index", "neighbour"), [(SIZE, 100), (SIZE + 4, 100), (SIZE + 5, 1_100), (SIZE + 7, 1_100)])
def test_page_and_claim_are_a_neighbours(world: World, index: int, neighbour: int) -> None:
    desk, session = world.api_desk.view, world.session()
    seen = []
    for one in (neighbour, index):
        code = find_code(world.keyring, desk.scan.catalog, GTIN, world.serial(one), world.now_ms)
        view = view_code(desk, session, code, world.now_ms)
        seen.append(msgspec.structs.replace(view, serial="", link_path=""))
    assert seen[0] == seen[1]
    before = (world.source.reads, world.scans.reads, world.scans.writes)
    told = []
    for one in (neighbour, index):
        result = claimed(world, one)
        told.append((result.outcome, result.reason, result.written))  # type: ignore[attr-defined]
    assert told[0] == told[1] == (("first", "", True) if neighbour == 100 else ("observed", "not_activated", True))
    assert (world.source.reads, world.scans.reads, world.scans.writes) == (before[0], before[1], before[2] + 2)


def test_an_index_behind_the_last_canary_was_never_issued(world: World) -> None:
    with pytest.raises(CodeForgedError):
        claimed(world, SIZE + 8)


def test_a_claimed_canary_gives_nothing_to_anyone(world: World) -> None:
    image = claimed(world, SIZE + 2).image  # type: ignore[attr-defined]
    assert image.pk == f"7.{SIZE + 2}.1"
    assert image.first.release_id == RELEASE.release_id

    def laid(*_: object) -> str:
        raise AssertionError("a canary has no place in the draw")

    granter = Granter(
        catalog=world.scan_desk.catalog,
        channel=None,  # type: ignore[arg-type]  # nobody stands behind a canary
        ledger=None,  # type: ignore[arg-type]
        queue=None,  # type: ignore[arg-type]
        laid_prize=laid,
        brakes=None,  # type: ignore[arg-type]
        clock_ms=world.clock,
    )
    rewards = plan(image, granter).rewards
    assert [(one.beneficiary, one.state, one.amount_minor) for one in rewards] == [
        ("consumer", State.NONE, 0),
        ("distributor", State.NONE, 0),
    ]
    other = dataclasses.replace(granter, laid_prize=lambda *_: "p1")
    assert [one.state for one in plan(image, other).rewards] == [State.NONE, State.NONE]


def fact(index: int, *, counted: bool = True) -> ScanFact:
    return ScanFact("e1", 1, CodeRef(7, index, Role.CAP_INNER).key(), "claim", counted, first=True)


def test_a_canarys_scan_is_counted_under_its_order_and_nowhere_else(world: World) -> None:
    usual = Observation("e1", (("day#2026-11-22", "a code's"),))
    watch = CanaryWatch(world.scan_desk.catalog, lambda _: usual)
    assert watch.observe(fact(5)) is usual
    assert watch.observe(fact(SIZE + 8)) is usual, "no canary: whatever it is, it is judged as before"
    rung = [watch.observe(fact(SIZE)), watch.observe(fact(SIZE + 6))]
    assert [one.counters for one in rung] == [
        (("export#x7-RELEASED", "canaries"),),
        (("export#x7-LATER", "canaries"),),
    ]
    assert orders_rung([usual, *rung, rung[0]]) == ("x7-LATER", "x7-RELEASED")
    assert orders_rung([usual, watch.observe(fact(SIZE, counted=False))]) == ()
    unknown = ScanFact("e1", 1, "99.1.1", "claim", counted=True)
    assert watch.observe(unknown) is usual


def test_canaries_are_not_all_in_one_place(world: World) -> None:
    batch = world.scan_desk.catalog.batch(7)
    assert batch is not None
    places = [at for at, _ in placed(batch.batch, "x7-RELEASED", world.keyring.key(1, GTIN, Role.CAP_INNER).cipher())]
    assert len(places) == RELEASED.count
    assert places == sorted(places)
