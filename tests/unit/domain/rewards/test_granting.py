"""What a claim founds: one reward per effect, the right party, holds for what is unknown, budgets at face value."""

import msgspec
import pytest

from uncap.domain.catalog import Campaign, CodeBatch, Effect, LaidPrize, PoolShare, Prize, Release, Role
from uncap.domain.errors import PoisonError
from uncap.domain.rewards import ids
from uncap.domain.rewards.face_values import face_value
from uncap.domain.rewards.granting import Ground, rewards_of, withheld_minor
from uncap.domain.rewards.ports import Channel
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.scans import CodeRef, Mark

NOW = 1_790_000_000_000
TEXT = {"en": "x"}
REF = CodeRef(7, 3, Role.CAP_INNER)
CLAIM = Mark("i1", NOW, "claim", person="p_1", payee="v1.sealed", campaign="spring@2", release_id="rel-1")
CASH = Prize("cash", "cash", 188, TEXT)
BIG = Prize("big", "cash", 10_003, TEXT, tax_class="incidental")
POINTS = Prize("points", "points", 20, TEXT)
CAMPAIGN = Campaign(
    campaign_id="spring",
    version=2,
    effective_at_ms=0,
    name=TEXT,
    rules=TEXT,
    starts_at_ms=0,
    ends_at_ms=NOW + 1,
    claim_until_ms=NOW + 1,
    gtins=("06901234567892",),
    prizes=(CASH, BIG, POINTS),
    pool=(PoolShare("cash", 1, 2),),
    effects=(Effect(1, "consumer", "laid"), Effect(2, "distributor", "fixed", "points")),
)
RELEASE = Release(
    release_id="rel-1",
    batch_no=7,
    campaign_id="spring",
    campaign_version=2,
    start=0,
    stop=10,
    eligible_count=10,
    eligible_hash="",
    prize_table=(LaidPrize("cash", 4), LaidPrize("big", 1)),
    seed_hash="",
    beacon_source="",
    beacon_round="",
    claim_until_ms=NOW + 5,
)
BATCH = CodeBatch(batch_no=7, gtin="06901234567892", size=10, epoch=1, roles=(Role.CAP_INNER,))
SHIPPED = Channel(shipped=True, distributor="d-1", outlet="o-1")
GROUND = Ground(BATCH, RELEASE, CAMPAIGN, "cash", SHIPPED)


def granted(claim: Mark = CLAIM, **changes: object) -> list[Reward]:
    return list(rewards_of(REF, claim, msgspec.structs.replace(GROUND, **changes)))


def test_a_winning_claim() -> None:
    consumer, distributor = granted()
    assert (consumer.state, consumer.party, consumer.payee, consumer.net_minor) == ("PENDING", "p_1", "v1.sealed", 188)
    assert consumer.reward_id == ids.reward_id(REF, "spring", 1, "consumer")
    assert (distributor.state, distributor.party, distributor.payee, distributor.currency) == (
        "PENDING",
        "d-1",
        "",
        "PTS",
    )
    assert sum(one.amount_minor for one in consumer.granted) == 0


def test_a_claim_without_a_prize_is_decided_too() -> None:
    consumer, distributor = granted(prize_id="")
    assert (consumer.state, consumer.granted, consumer.due_at_ms) == (State.NONE, (), 0)
    assert distributor.state is State.PENDING


def test_unshipped_goods_wait_and_the_unknown_distributor_waits_for_a_name() -> None:
    consumer, distributor = granted(channel=Channel())
    assert (consumer.state, consumer.reason) == (State.HELD, "awaiting_shipment")
    assert consumer.due_at_ms > NOW
    assert (distributor.state, distributor.reason, distributor.party) == (State.HELD, "awaiting_association", "")
    assert distributor.due_at_ms == distributor.claimable_until_ms


def test_a_compromised_epoch_holds_everything_for_a_person() -> None:
    held = granted(epoch_state="compromised")
    assert {(one.state, one.reason, one.due_at_ms) for one in held} == {(State.HELD, "epoch_compromised", 0)}


def test_cash_for_a_consumer_without_a_payee_waits_for_a_person() -> None:
    (consumer, _) = granted(msgspec.structs.replace(CLAIM, payee=""))
    assert (consumer.kind, consumer.reason) == ("cash", "no_payee")


def test_a_companys_cash_is_kept_on_its_account() -> None:
    campaign = msgspec.structs.replace(CAMPAIGN, effects=(Effect(1, "distributor", "fixed", "cash"),))
    (rebate,) = granted(campaign=campaign)
    assert (rebate.kind, rebate.state, rebate.reason) == ("accrual", State.PENDING, "")
    assert sum(one.amount_minor for one in rebate.granted) == 0


def test_what_is_too_small_for_the_rail_is_kept_though_the_payee_is_known() -> None:
    small = Prize("cash", "cash", 5, {"en": "Rebate"})
    campaign = msgspec.structs.replace(CAMPAIGN, prizes=(small,), effects=(Effect(1, "outlet", "fixed", "cash"),))
    (rebate,) = granted(msgspec.structs.replace(CLAIM, outlet="o-9"), campaign=campaign)
    assert (rebate.kind, rebate.party, rebate.payee) == ("accrual", "o-9", "")


def test_an_outlets_own_scan_pays_the_person_who_scanned() -> None:
    campaign = msgspec.structs.replace(CAMPAIGN, effects=(Effect(1, "outlet", "fixed", "cash"),))
    (mine,) = granted(msgspec.structs.replace(CLAIM, outlet="o-9"), campaign=campaign)
    assert (mine.party, mine.payee, mine.payee_person) == ("o-9", "v1.sealed", "p_1")


def test_tax_is_withheld_and_rounded_to_a_fen() -> None:
    (big, _) = granted(prize_id="big")
    assert (big.amount_minor, big.withheld_minor, big.net_minor) == (10_003, 2_001, 8_002)
    assert withheld_minor(POINTS) == 0


def test_deadline_is_the_campaigns_but_leaves_a_week() -> None:
    assert granted()[0].claimable_until_ms == NOW + 7 * 86_400_000
    long = msgspec.structs.replace(CAMPAIGN, claim_until_ms=NOW + 10**12)
    far = msgspec.structs.replace(RELEASE, claim_until_ms=NOW + 10**11)
    assert granted(campaign=long, release=far)[0].claimable_until_ms == NOW + 10**11


def test_the_budget_is_the_full_face_value() -> None:
    assert face_value(RELEASE, CAMPAIGN) == {"CNY": 4 * 188 + 10_003, "PTS": 10 * 20}


@pytest.mark.parametrize(
    ("prize", "code"),
    [
        (Prize("cash", "cash", 0, TEXT), "prize_without_value"),
        (Prize("cash", "cash", 5, TEXT, tax_class="guess"), "tax_class_unknown"),
        (Prize("other", "cash", 5, TEXT), "prize_unknown"),
    ],
)
def test_a_campaign_that_contradicts_itself_is_poison(prize: Prize, code: str) -> None:
    with pytest.raises(PoisonError, match=code):
        granted(campaign=msgspec.structs.replace(CAMPAIGN, prizes=(prize, POINTS)))
