"""Claiming: who wins, what is told, what is written and how often, under every reason not to claim."""

import msgspec
import pytest

from tests.kits.scan_kit import BATCH, CAMPAIGN, DAY_MS, GTIN, OTHER_GTIN, RELEASE, World
from uncap.domain.catalog import PersonLimit, Role
from uncap.domain.codes.scheme import encode
from uncap.domain.errors import AuthError, CodeForgedError, ForbiddenError, LimitError, TransientError
from uncap.domain.rewards.ids import reward_id
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.domain.sessions import Session
from uncap.services.claim_code import ScanRequest, ScanResult, bound_claim_id, claim_code, consumer_rewards
from uncap.services.hot_codes import THRESHOLD, WINDOW_MS


def scan(world: World, index: int = 1, person: str = "ann", claim_id: str = "claim-0001", **more: object) -> ScanResult:
    role = more.pop("role", Role.CAP_INNER)
    serial = world.serial(index, Role(role))  # type: ignore[arg-type]
    request = msgspec.convert({"gtin": GTIN, "serial": serial, "claim_id": claim_id, **more}, ScanRequest)
    return claim_code(world.scan_desk, world.session(person), request, world.now_ms)


def outcome(result: ScanResult) -> tuple[str, str]:
    return result.outcome, result.reason


def test_the_first_claim_wins_with_one_write() -> None:
    world = World()
    result = scan(world)
    assert outcome(result) == ("first", "")
    assert (world.scans.writes, world.scans.reads, world.limits.requests) == (1, 0, 0)
    first = result.image.first
    assert first is not None
    assert first.person == world.session().person
    assert first.payee.startswith("v1.")
    assert (first.release_id, first.campaign, first.form) == ("r1", "autumn@1", "claim")
    assert consumer_rewards(world.scan_desk.catalog, result.image) == (
        reward_id(CodeRef(7, 1, Role.CAP_INNER), "autumn", 1, "consumer"),
    )


def test_a_retry_is_told_the_same_with_one_more_write() -> None:
    world = World()
    scan(world)
    scan(world, person="bob", claim_id="claim-0002")
    world.now_ms += DAY_MS
    result = scan(world)
    assert outcome(result) == ("first", "")
    assert world.scans.writes == 3
    assert result.image.first is not None
    assert result.image.first.at_ms < world.now_ms


def test_others_repeat_and_their_payee_is_not_kept() -> None:
    world = World()
    scan(world)
    result = scan(world, person="bob", claim_id="claim-0001")
    assert outcome(result) == ("repeat", "")
    assert result.image.last.payee == ""
    assert result.image.last.person == world.session("bob").person


def test_the_same_person_with_another_claim_id_repeats() -> None:
    world = World()
    scan(world)
    assert outcome(scan(world, claim_id="claim-0009")) == ("repeat", "")


def test_claim_ids_are_bound_to_person_and_code() -> None:
    one, two = CodeRef(7, 1, Role.CAP_INNER), CodeRef(7, 2, Role.CAP_INNER)
    assert len({bound_claim_id(p, r, c) for p in ("a", "b") for r in (one, two) for c in ("x", "y")}) == 8


def test_a_place_is_kept_as_a_district() -> None:
    world = World()
    mark = scan(world, place={"lat": 31.2304, "lng": 121.4737, "accuracy_m": 12.7}).image.last
    assert (len(mark.cell), mark.accuracy_m) == (15, 12)


@pytest.mark.parametrize(
    ("index", "role", "reason"),
    [
        (1, Role.CAP_OUTER, "outer_code"),
        (6, Role.CAP_INNER, "line_rejected"),
        (21, Role.CAP_INNER, "decommissioned"),
        (1_100, Role.CAP_INNER, "not_activated"),
    ],
)
def test_codes_that_cannot_be_claimed_are_observed(index: int, role: Role, reason: str) -> None:
    world = World()
    result = scan(world, index, role=role)
    assert outcome(result) == ("observed", reason)
    assert result.image.first is None
    assert result.image.last.reason == reason
    assert result.image.last.payee == ""
    assert world.scans.writes == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"batch": msgspec.structs.replace(BATCH, hold="recalled")}, "recalled"),
        ({"batch": msgspec.structs.replace(BATCH, hold="frozen")}, "frozen"),
        ({"batch": msgspec.structs.replace(BATCH, state="created")}, "not_activated"),
        ({"release": msgspec.structs.replace(RELEASE, state="committed")}, "not_activated"),
        ({"campaigns": [msgspec.structs.replace(CAMPAIGN, paused=True)]}, "campaign_paused"),
        ({"campaigns": [msgspec.structs.replace(CAMPAIGN, starts_at_ms=2**45)]}, "campaign_not_started"),
        ({"campaigns": [msgspec.structs.replace(CAMPAIGN, claim_until_ms=1)]}, "campaign_ended"),
        ({"campaigns": []}, "no_campaign"),
    ],
)
def test_the_buyer_wins_once_the_reason_is_gone(changes: dict[str, object], reason: str) -> None:
    world = World()
    world.put(**changes)
    assert outcome(scan(world, person="warehouse")) == ("observed", reason)
    world.put()
    assert outcome(scan(world)) == ("first", "")


@pytest.mark.parametrize("hold", ["recalled", "frozen"])
def test_the_winners_retry_stays_first_whatever_happened_since(hold: str) -> None:
    world = World()
    scan(world)
    world.put(
        batch=msgspec.structs.replace(BATCH, hold=hold), campaigns=[msgspec.structs.replace(CAMPAIGN, paused=True)]
    )
    result = scan(world)
    assert outcome(result) == ("first", "")
    assert consumer_rewards(world.scan_desk.catalog, result.image) != ()
    assert outcome(scan(world, person="bob")) == ("observed", hold)


def test_rewards_follow_the_version_that_decided() -> None:
    world = World()
    before = consumer_rewards(world.scan_desk.catalog, scan(world).image)
    newer = msgspec.structs.replace(CAMPAIGN, version=2, effects=())
    world.put(campaigns=[CAMPAIGN, newer])
    assert consumer_rewards(world.scan_desk.catalog, scan(world).image) == before
    other = scan(world, 2).image
    assert other.first is not None
    assert other.first.campaign == "autumn@2"
    assert consumer_rewards(world.scan_desk.catalog, other) == ()


def test_a_withdrawn_code_cannot_be_won() -> None:
    world = World()
    ref = CodeRef(7, 1, Role.CAP_INNER)
    tombstone = Mark("system", 1, "tombstone", reason="decommissioned")
    world.scans.items[ref.key()] = ScanImage(ref.key(), tombstone, 1, tombstone)
    result = scan(world)
    assert outcome(result) == ("observed", "decommissioned")
    assert consumer_rewards(world.scan_desk.catalog, result.image) == ()


@pytest.mark.parametrize(
    ("gtin", "batch_no", "index", "role", "epoch_shift"),
    [
        (OTHER_GTIN, 7, 1, Role.CAP_INNER, 0),  # under another product
        (GTIN, 8, 1, Role.CAP_INNER, 0),  # of a batch that does not exist
        (GTIN, 7, 1_200, Role.CAP_INNER, 0),  # past the batch's size
        (GTIN, 7, 1, Role.CASE_INNER, 0),  # a role the batch does not carry
        (GTIN, 7, 1, Role.CAP_INNER, 1),  # another epoch than the batch's
    ],
)
def test_what_we_did_not_issue_is_forged(gtin: str, batch_no: int, index: int, role: Role, epoch_shift: int) -> None:
    world = World()
    if epoch_shift:
        world.put(batch=msgspec.structs.replace(BATCH, epoch=1 + epoch_shift))
    serial = encode(world.keyring.key(1, GTIN, role), batch_no, index)
    with pytest.raises(CodeForgedError):
        claim_code(world.scan_desk, world.session(), ScanRequest(gtin, serial, "claim-0001"), world.now_ms)
    assert world.scans.writes == world.scans.reads == 0


@pytest.mark.parametrize("serial", ["1" * 17, "0" * 17, "", "x", "ILOU" * 4 + "1", "1" * 20])
@pytest.mark.parametrize("gtin", [GTIN, OTHER_GTIN])
def test_forged_codes_cost_nothing_at_all(serial: str, gtin: str) -> None:
    world = World()
    with pytest.raises(CodeForgedError):
        claim_code(world.scan_desk, world.session(), ScanRequest(gtin, serial, "claim-0001"), world.now_ms)
    assert (world.source.reads, world.scans.writes, world.scans.reads) == (0, 0, 0)


def test_nobody_claims_without_a_person() -> None:
    world = World()
    stranger = Session("local", "00" * 16, 0, 2**40)
    with pytest.raises(AuthError, match="session_required"):
        claim_code(world.scan_desk, stranger, ScanRequest(GTIN, world.serial(1), "claim-0001"), world.now_ms)


@pytest.mark.parametrize("intent", ["redeem", "receive", "inspect"])
def test_other_intents_are_not_the_consumers(intent: str) -> None:
    world = World()
    with pytest.raises(ForbiddenError, match="intent_not_allowed"):
        scan(world, intent=intent)
    assert world.scans.writes == 0


def test_over_the_limit_the_code_is_not_consumed() -> None:
    world = World(PersonLimit(per_day=2))
    for index in (1, 2):
        assert scan(world, index).outcome == "first"
    with pytest.raises(LimitError) as caught:
        scan(world, 3)
    assert caught.value.retry_after_s == 12 * 3_600
    assert world.scans.writes == 2
    assert scan(world, 3, person="bob").outcome == "first"
    world.now_ms += DAY_MS
    assert scan(world, 4).outcome == "first"


def test_a_lost_claim_returns_its_slot() -> None:
    world = World(PersonLimit(per_day=1))
    scan(world, 1, person="bob")
    assert scan(world, 1).outcome == "repeat"
    assert scan(world, 2).outcome == "first"


def test_a_retry_takes_no_second_slot_not_even_tomorrow() -> None:
    world = World(PersonLimit(per_day=1, per_campaign=2))
    scan(world, 1)
    assert scan(world, 1).outcome == "first"
    world.now_ms += DAY_MS
    assert scan(world, 1).outcome == "first"
    assert scan(world, 2).outcome == "first"
    world.now_ms += DAY_MS
    with pytest.raises(LimitError):
        scan(world, 3)


def test_a_full_person_is_still_told_the_truth_about_taken_codes() -> None:
    world = World(PersonLimit(per_campaign=1))
    scan(world, 1)
    scan(world, 2, person="bob")
    assert scan(world, 1).outcome == "first"
    assert scan(world, 2).outcome == "repeat"
    with pytest.raises(LimitError) as caught:
        scan(world, 3)
    assert caught.value.retry_after_s == 60 * DAY_MS // 1000


def test_a_slot_of_a_claim_that_never_arrived_is_reused_by_its_retry() -> None:
    world = World(PersonLimit(per_day=1))

    def outage(ref: CodeRef, mark: Mark) -> ScanImage:
        raise TransientError("storage_unavailable", "x")

    claim, world.scans.claim = world.scans.claim, outage  # type: ignore[method-assign]
    with pytest.raises(TransientError):
        scan(world, 1)
    world.scans.claim = claim  # type: ignore[method-assign]
    assert scan(world, 1).outcome == "first"


def test_a_limited_claim_costs_two_requests() -> None:
    world = World(PersonLimit(per_day=5))
    scan(world, 1)
    assert (world.limits.requests, world.scans.writes, world.scans.reads) == (1, 1, 0)


def test_a_hammered_code_is_answered_from_memory() -> None:
    world = World()
    scan(world)
    results = [scan(world, person=f"p{turn}") for turn in range(THRESHOLD + 30)]
    assert {one.outcome for one in results} == {"repeat"}
    assert world.scans.writes == THRESHOLD
    assert not results[-1].written
    assert scan(world).outcome == "first"
    world.now_ms += WINDOW_MS
    assert scan(world, person="late").written


def test_memory_never_answers_a_code_that_may_still_be_won() -> None:
    world = World()
    world.put(release=msgspec.structs.replace(RELEASE, state="committed"))
    results = [scan(world, person=f"p{turn}") for turn in range(THRESHOLD + 5)]
    assert {one.outcome for one in results} == {"observed"}
    assert world.scans.writes == THRESHOLD
    world.put()
    assert scan(world).outcome == "first"
