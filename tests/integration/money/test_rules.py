"""The relay on DynamoDB with a campaign that has rules: linked rebates, counts, late shipments, pauses of a place."""

import msgspec
import pytest

from tests.integration.money.conftest import CAMPAIGN, NOW, put
from uncap.adapters.models import CatalogItem, FlowItem, PartyItem
from uncap.adapters.rule_sets import CachedRuleSets, packed, unpacked
from uncap.domain.campaigns.index import slots_in
from uncap.domain.campaigns.ports import Member
from uncap.domain.campaigns.reference import PauseScope, Place, RuleSetRef
from uncap.domain.campaigns.rules import Condition, Exclusion, Nth, Rule, RulePart, needs_of
from uncap.domain.catalog import Campaign, Effect, Party, Prize, Role, Shipment, Territory
from uncap.domain.errors import ConflictError, InputError, PoisonError
from uncap.domain.rewards.reward import Reward
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.runtime.wiring_back import RelayTools
from uncap.services.grant_rewards import grant_claims
from uncap.services.reconcile_scans import UNDECIDED, Reconciled, _expected

POINTS = (Prize("p-5", "points", 5, {"en": "x"}), Prize("p-9", "points", 9, {"en": "x"}))


def gives(no: int, beneficiary: str, prize: str = "p-5") -> Effect:
    return Effect(no, beneficiary, "fixed", prize)


RULES = RulePart(
    rules=(
        Rule(1, (gives(3, "outlet"), gives(3, "salesperson"), gives(3, "distributor"), gives(3, "inviter"))),
        Rule(2, (gives(3, "outlet", "p-9"),), Condition(regions=("510000",)), 200),
        Rule(3, (gives(4, "consumer", "p-9"),), Condition(person_nth=Nth(every=2))),
        Rule(4, (gives(5, "consumer", "p-5"),), Condition(tags=("vip",))),
    ),
    excluded=Exclusion(tags=("staff",)),
)


def with_rules(rules: RulePart = RULES, **changes: object) -> Campaign:
    digest, text = packed(rules)
    CatalogItem(f"rules#{digest}", "meta", doc=text, v=0).save()
    reference = RuleSetRef((digest,), len(rules.rules), slots_in(rules.rules), needs_of(rules))
    prizes = (*CAMPAIGN.prizes, *POINTS)
    return msgspec.structs.replace(CAMPAIGN, version=2, prizes=prizes, rule_set=reference, **changes)


@pytest.fixture
def rich(relay: RelayTools) -> RelayTools:
    """Goods at outlet o-1, invited by o-2, under salesperson s-1 of distributor d-1 in Chengdu."""
    put(PartyItem, "party#o-1", "meta", Party("o-1", "outlet", {}, parent_id="s-1", invited_by="o-2"))
    put(PartyItem, "party#s-1", "meta", Party("s-1", "salesperson", {}, parent_id="d-1"))
    put(CatalogItem, "territories", "d-1", Territory("d-1", "510104", ()))
    put(PartyItem, "member#p_vip", "meta", Member(tags=("vip", "other"), referred_by="o-7"))
    put(PartyItem, "member#p_staff", "meta", Member(tags=("staff",)))
    put(CatalogItem, "campaign#spring", "v#000002", with_rules())
    return relay


def claimed(index: int, person: str = "p_1", **changes: str) -> ScanImage:
    mark = Mark(f"i{index}", NOW, "claim", person=person, payee="v1.x", campaign="spring@2", release_id="rel-1")
    mark = msgspec.structs.replace(mark, **changes)
    return ScanImage(CodeRef(7, index, Role.CAP_INNER).key(), mark, 1, mark)


def granted(tools: RelayTools, *images: ScanImage) -> dict[str, Reward]:
    done = grant_claims(images, tools.granter)
    assert done.poison == []
    return {f"{one.effect_no}.{one.beneficiary}": one for one in done.rewards}


def prizes(rewards: dict[str, Reward]) -> dict[str, tuple[str, str]]:
    return {slot: (one.prize_id, one.party) for slot, one in rewards.items()}


def test_one_opening_rewards_the_whole_chain(rich: RelayTools) -> None:
    first = granted(rich, claimed(1))
    assert prizes(first) == {
        "1.consumer": ("cash", "p_1"),
        "2.distributor": ("points", "d-1"),
        "3.outlet": ("p-9", "o-1"),
        "3.salesperson": ("p-5", "s-1"),
        "3.distributor": ("p-5", "d-1"),
        "3.inviter": ("p-5", "o-2"),
        "4.consumer": ("", "p_1"),
        "5.consumer": ("", "p_1"),
    }
    assert first["3.outlet"].place == Place("510104", "d-1", "o-1")
    assert granted(rich, claimed(2))["4.consumer"].prize_id == "p-9"


def test_a_replay_after_everything_changed_is_the_same(rich: RelayTools) -> None:
    first = granted(rich, claimed(1))
    granted(rich, claimed(2))
    put(CatalogItem, "territories", "d-1", Territory("d-1", "110101", ()))
    put(FlowItem, "batch#7", "ship#000000000#s-2", Shipment("s-2", 7, 0, 10, "d-1", NOW + 1))
    put(PartyItem, "member#p_1", "meta", Member(tags=("vip", "staff")))
    again = granted(rich, claimed(1))
    assert prizes(again) == prizes(first)
    assert granted(rich, claimed(3))["4.consumer"].prize_id == "", "the third opening, and neither replay was counted"


def test_members_and_staff(rich: RelayTools) -> None:
    vip = granted(rich, claimed(1, "p_vip"))
    assert (vip["5.consumer"].prize_id, vip["3.inviter"].party) == ("p-5", "o-7")
    staff = granted(rich, claimed(2, "p_staff"))
    consumer = [one for slot, one in staff.items() if slot.endswith("consumer")]
    assert {(str(one.state), one.reason, one.amount_minor) for one in consumer} == {("NONE", "excluded", 0)}
    assert staff["3.outlet"].prize_id == "p-9"


def test_what_the_place_decides_waits_for_the_shipment(rich: RelayTools) -> None:
    FlowItem("batch#7", "ship#000000000#s-1").delete()
    early = granted(rich, claimed(1))
    assert "3.outlet" not in early
    assert early["1.consumer"].reason == "awaiting_shipment"
    image = claimed(1)
    assert UNDECIDED in _expected({image.pk: image}, rich.granter, Reconciled())[image.pk]
    put(FlowItem, "batch#7", "ship#000000000#s-1", Shipment("s-1", 7, 0, 10, "o-1", NOW))
    late = granted(rich, image)
    assert late["3.outlet"].prize_id == "p-9"
    assert late["3.distributor"].reason == "awaiting_association", "decided early; reconcile finds whose it is"
    assert UNDECIDED not in _expected({image.pk: image}, rich.granter, Reconciled())[image.pk]
    assert granted(rich, claimed(2))["4.consumer"].prize_id == "p-9", "completing did not count again"


def test_an_outlet_opens_its_own_case(rich: RelayTools) -> None:
    put(PartyItem, "party#o-9", "meta", Party("o-9", "outlet", {}, parent_id="s-9", invited_by="d-1"))
    put(PartyItem, "party#s-9", "meta", Party("s-9", "salesperson", {}, parent_id="d-9"))
    put(PartyItem, "party#d-9", "meta", Party("d-9", "distributor", {}))
    foreign = granted(rich, claimed(1, outlet="o-9"))
    assert (foreign["3.outlet"].party, foreign["3.salesperson"].party) == ("o-9", "s-1")
    assert foreign["3.distributor"].party == "d-1", "the goods' own distributor, whoever opened them"


def test_a_paused_outlet_is_held_and_its_neighbour_paid(rich: RelayTools) -> None:
    scope = PauseScope(outlets=("o-1",), regions=("110000",))
    put(CatalogItem, "campaign#spring", "v#000003", msgspec.structs.replace(with_rules(), version=3, paused_for=scope))
    held = granted(rich, claimed(1))
    assert (str(held["3.outlet"].state), str(held["1.consumer"].state)) == ("PENDING", "PENDING")
    assert rich.granter.brakes.reason(held["3.outlet"]) == "campaign_paused"
    elsewhere = msgspec.structs.replace(held["3.outlet"], place=Place("510104", "d-1", "o-2"))
    assert rich.granter.brakes.reason(elsewhere) == ""
    assert rich.granter.brakes.reason(msgspec.structs.replace(elsewhere, place=Place("110105"))) == "campaign_paused"


def test_rules_that_are_gone_park_the_claim(rich: RelayTools) -> None:
    lost = msgspec.structs.replace(with_rules(), rule_set=RuleSetRef(("0" * 32,), 1))
    put(CatalogItem, "campaign#spring", "v#000002", lost)
    done = grant_claims([claimed(1)], rich.granter)
    assert [cause.code for _, cause in done.poison] == ["rules_missing"]


def test_ten_thousand_rules_fit_and_come_back() -> None:
    rules = tuple(
        Rule(no, (gives(3, "outlet"),), Condition(outlets=(f"outlet-{no:06d}",)), name=f"rule {no}")
        for no in range(1, 10_001)
    )
    stored = {packed(RulePart(rules[at : at + 1_000])) for at in range(0, 10_000, 1_000)}
    assert max(len(text) for _, text in stored) < 40_000
    assert sum(len(unpacked(text).rules) for _, text in stored) == 10_000
    with pytest.raises(PoisonError, match="rules_malformed"):
        unpacked("eJw=")


def test_the_compiled_set_is_kept(rich: RelayTools) -> None:
    sets = rich.granter.targeting
    assert sets is not None
    reference = with_rules().rule_set
    assert sets.rule_sets.index_of(reference) is sets.rule_sets.index_of(reference)
    assert isinstance(sets.rule_sets, CachedRuleSets)
    with pytest.raises(ConflictError, match="rules_missing"):
        sets.rule_sets.index_of(RuleSetRef(("f" * 32,), 1))
    with pytest.raises(InputError, match="rules_too_large"):
        packed(RulePart(excluded=Exclusion(people=tuple(f"{no * 7919**3:x}" for no in range(60_000)))))
