"""What the scan path does with recalled, blank and not yet activated ranges: said, written, read."""

import msgspec
import pytest

from tests.kits.scan_kit import BATCH, GTIN, OTHER_GTIN, World
from uncap.domain.catalog import Assignment, CodeBatch, IndexRange, Product, Role
from uncap.domain.lifecycle import item_facts, product_of
from uncap.domain.rewards.reward import Reward, State
from uncap.services.claim_code import ScanRequest, ScanResult, claim_code, consumer_rewards
from uncap.services.find_code import find_code
from uncap.services.read_reward import read_reward
from uncap.services.view_code import view_code
from webui.scan_page import render
from webui.views import ScanPageView

NOTICE = {"zh-CN": "请勿饮用，请带回购买处退款。", "en": "Bring it back for your money."}
RECALLED: CodeBatch = msgspec.structs.replace(
    BATCH, recalled=(IndexRange(100, 200, "rc1,rc2"),), notices={"rc2": NOTICE}
)
BLANK: CodeBatch = msgspec.structs.replace(
    BATCH, blank=True, lot="L0", assigned=(Assignment(0, 100, OTHER_GTIN, market="530000", lot="L7"),)
)


def look(world: World, index: int, person: str = "ann") -> ScanPageView:
    code = find_code(world.keyring, world.scan_desk.catalog, GTIN, world.serial(index), world.now_ms)
    return view_code(world.api_desk.view, world.session(person), code, world.now_ms)


def scan(world: World, index: int, person: str = "ann") -> ScanResult:
    request = ScanRequest(GTIN, world.serial(index), "claim-0001")
    return claim_code(world.scan_desk, world.session(person), request, world.now_ms)


def test_a_recalled_range_is_observed_and_its_neighbours_claim() -> None:
    world = World()
    world.put(batch=RECALLED)
    outcomes = {index: (scan(world, index).outcome, scan(world, index).reason) for index in (99, 100, 199, 200)}
    assert outcomes == {
        99: ("first", ""),
        100: ("observed", "recalled"),
        199: ("observed", "recalled"),
        200: ("first", ""),
    }
    recalled = world.scans.items[f"{BATCH.batch_no}.100.{int(Role.CAP_INNER)}"]
    assert recalled.first is None  # a recall that is lifted leaves the prize to be won


def test_the_bound_is_the_catalogs_age() -> None:
    world = World()
    assert scan(world, 150).outcome == "first"
    world.source.docs[f"batch#{BATCH.batch_no}", "meta"] = msgspec.json.encode(RECALLED).decode()
    world.now_ms += 4_000
    assert scan(world, 151).outcome == "first"
    world.now_ms += 1_001
    assert scan(world, 152).reason == "recalled"


def test_a_recall_costs_the_scan_no_read_and_one_write() -> None:
    world = World()
    world.put(batch=RECALLED)
    look(world, 1)
    before = (world.source.reads, world.scans.writes)
    scan(world, 150)
    assert (world.source.reads, world.scans.writes) == (before[0], before[1] + 1)


@pytest.mark.parametrize(("locale", "lang"), [("zh-CN", "zh-CN"), ("en", "en")])
def test_the_page_says_what_the_brand_says(locale: str, lang: str) -> None:
    world = World()
    world.put(batch=RECALLED)
    page = render(look(world, 150), locale)
    assert NOTICE[lang] in page
    assert NOTICE[lang] not in render(look(world, 99), locale)


def test_whoever_won_before_is_told_with_the_reward() -> None:
    world = World()
    result = scan(world, 150)
    (reward_id,) = consumer_rewards(world.scan_desk.catalog, result.image)
    person = world.session().person
    world.rewards.items[reward_id] = Reward(
        reward_id, result.image.pk, "autumn@1", "r1", 1, "consumer", State.PAID, world.now_ms, 2**45, party=person
    )
    told = read_reward(world.api_desk.reward, world.session(), reward_id)
    assert (told.notice, "notice" in msgspec.to_builtins(told)) == ({}, False)
    world.put(batch=RECALLED)
    told = read_reward(world.api_desk.reward, world.session(), reward_id)
    assert (told.state, told.notice) == ("PAID", NOTICE)
    assert (look(world, 150).status, look(world, 150).notice) == ("observed", NOTICE)


def test_blank_codes_say_so_until_they_are_something() -> None:
    world = World()
    world.put(batch=BLANK)
    world.source.docs[f"product#{OTHER_GTIN}", "meta"] = msgspec.json.encode(
        Product(OTHER_GTIN, {"en": "Mountain Spring"}, (Role.CAP_INNER,))
    ).decode()
    assert (scan(world, 150).outcome, scan(world, 150).reason) == ("observed", "not_assigned")
    assert "Printed, but not in use yet" in render(look(world, 150), "en")
    assigned = look(world, 50)
    assert (assigned.status, assigned.product["en"], assigned.lot) == ("claimable", "Mountain Spring", "L7")
    assert assigned.best_before == BATCH.best_before
    assert (product_of(BLANK, 50), product_of(BLANK, 150), product_of(BATCH, 50)) == (OTHER_GTIN, "", GTIN)
    assert item_facts(BLANK, 150).lot == "L0"


def test_activation_by_range() -> None:
    world = World()
    world.put(batch=msgspec.structs.replace(BATCH, activation="range", active=(IndexRange(10, 15), IndexRange(30, 40))))
    said = {index: scan(world, index).reason for index in (9, 10, 14, 15, 30, 40)}
    assert said == {9: "not_activated", 10: "", 14: "", 15: "not_activated", 30: "", 40: "not_activated"}
