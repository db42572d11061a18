"""Rewards that take places in budgets, on moto: written together, counted once, given back by either client."""

import dataclasses

import boto3
import msgspec
import pytest

from tests.integration.money.conftest import BATCH, CAMPAIGN, NOW, put, release
from tests.kits.moto_bridge import MotoCaller
from tests.unit.domain.rewards.rewards import ID, reward
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.ledger_hot import HotLedger
from uncap.adapters.models import CatalogItem, LedgerItem, PartyItem, open_tables
from uncap.domain import ledger as books
from uncap.domain.blocking import Block
from uncap.domain.campaigns.draws import Draw, DrawShare
from uncap.domain.catalog import Effect, Prize, Role
from uncap.domain.errors import ConflictError
from uncap.domain.rewards import states
from uncap.domain.rewards.holds import HoldPlace, HoldRefusedError, counted
from uncap.domain.rewards.ports import LedgerStore
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.runtime.settings import RelaySettings
from uncap.runtime.wiring_back import RelayTools
from uncap.services.grant_rewards import grant_claims
from uncap.services.reserve_budget import book_breakage
from uncap.services.trial_balance import trial_balance

PLACES = (HoldPlace("aa00", 1), HoldPlace("bb03", 2))
HELD = reward(holds=("aa00", "bb03"))


@pytest.fixture
def hot(settings: RelaySettings) -> HotLedger:
    open_tables({LedgerItem: settings.ledger_table})
    return HotLedger(MotoCaller(), settings.ledger_table)


def other(reward_id: str) -> Reward:
    return msgspec.structs.replace(HELD, reward_id=reward_id)


def test_a_reward_and_its_places_are_one_write_counted_once(hot: HotLedger) -> None:
    assert hot.held(["aa00", "bb03", "cc00"]) == {"aa00": 0, "bb03": 0, "cc00": 0}
    assert hot.create_held(HELD, PLACES) == HELD
    assert hot.create_held(HELD, PLACES) == HELD
    assert hot.get(ID) == HELD
    assert hot.held(["aa00", "bb03"]) == {"aa00": 1, "bb03": 1}


def test_a_full_place_refuses_and_nothing_is_written(hot: HotLedger) -> None:
    hot.create_held(HELD, PLACES)
    with pytest.raises(HoldRefusedError) as refused:
        hot.create_held(other("B" * 26), PLACES)
    assert refused.value.full == (0,)
    assert hot.get("B" * 26) is None
    assert hot.held(["aa00", "bb03"]) == {"aa00": 1, "bb03": 1}
    assert hot.create_held(other("C" * 26), PLACES[1:]).state is State.PENDING


@pytest.mark.parametrize("client", ["wire", "pynamodb"])
def test_a_release_gives_the_places_back_once(hot: HotLedger, client: str) -> None:
    store: LedgerStore = hot if client == "wire" else DynamoLedger()
    hot.create_held(HELD, PLACES)
    held = states.hold(HELD, "risk", NOW)
    store.replace(HELD, held)
    assert hot.held(["aa00"]) == {"aa00": 1}
    refused = states.refuse(held, "not_eligible")
    with pytest.raises(ConflictError, match="reward_moved"):
        store.replace(HELD, msgspec.structs.replace(refused, rev=HELD.rev + 1))
    store.replace(held, refused)
    assert hot.held(["aa00", "bb03"]) == {"aa00": 0, "bb03": 0}
    with pytest.raises(ConflictError, match="reward_moved"):
        store.replace(held, refused)
    assert hot.held(["aa00", "bb03"]) == {"aa00": 0, "bb03": 0}
    assert hot.get(ID) == refused


def test_a_place_that_nobody_holds_is_not_given_back(hot: HotLedger) -> None:
    stored = hot.create(HELD)
    held = states.hold(stored, "risk", NOW)
    hot.replace(stored, held)
    for store in (hot, DynamoLedger()):
        with pytest.raises(ConflictError, match="hold_missing"):
            store.replace(held, states.refuse(held, "no"))


def test_the_relay_draws_within_the_budget_and_provides_for_it(relay: RelayTools) -> None:
    draw = Draw("lucky", (DrawShare("pts", 1, 1, 3, per_day=2, per_region=3),), per_person=1)
    campaign = msgspec.structs.replace(
        CAMPAIGN,
        prizes=(Prize("pts", "points", 20, CAMPAIGN.name),),
        pool=(),
        effects=(Effect(3, "consumer", "drawn", "lucky"),),
        draws=(draw,),
    )
    put(CatalogItem, "campaign#spring", "v#000001", campaign)
    put(PartyItem, "block#p4", "meta", Block("p4", True, "a bot", "zoe", NOW))
    claims = [claim(0, "p0"), claim(1, "p0"), claim(2, "p4"), claim(3, "p3"), claim(4, "p5")]
    granter = dataclasses.replace(relay.granter, pool=None)  # moto is exact only serially
    granted = grant_claims(claims, granter)
    assert not granted.poison
    assert [(one.state.value, one.reason) for one in granted.rewards] == [
        ("PAID", ""),
        ("NONE", "person_limit"),
        ("NONE", "blocked"),
        ("PAID", ""),
        ("NONE", "budget_day_exhausted"),
    ]
    again = grant_claims(claims, granter)
    assert again.rewards == granted.rewards
    items = boto3.client("dynamodb").scan(TableName="ledger")["Items"]
    counts = {one["pk"]["S"][5:]: int(one["n"]["N"]) for one in items if one["pk"]["S"].startswith("hold#")}
    assert counts == counted(granted.rewards)
    balance = trial_balance(relay.granter.ledger)
    assert balance.accounts["budget:spring@drawn:PTS"] == -20
    assert not any(books.totals_by_currency(balance.accounts).values())
    week = 7 * 86_400_000
    ended = NOW + 10**10 + week
    assert book_breakage(relay.granter.ledger, [release()], ended) == []
    assert book_breakage(relay.granter.ledger, [release()], ended + week) == ["spring@drawn"]
    assert book_breakage(relay.granter.ledger, [release()], ended + week) == []
    assert trial_balance(relay.granter.ledger).accounts["budget:spring@drawn:PTS"] == 0


def claim(index: int, person: str) -> ScanImage:
    ref = CodeRef(BATCH.batch_no, index, Role.CAP_INNER)
    mark = Mark(f"i{index}", NOW, "claim", person=person, campaign="spring@1", release_id="rel-1")
    return ScanImage(ref.key(), mark, 1, mark)
