"""Whose goods: the shipment that covers a unit, then up the channel tree, whatever the tree looks like."""

import pytest

from tests.integration.money.conftest import NOW, TEXT, put
from uncap.adapters.flow import DynamoChannel, DynamoFlow
from uncap.adapters.models import FlowItem, PartyItem
from uncap.adapters.parties import DynamoParties
from uncap.domain.catalog import Party, Shipment
from uncap.domain.rewards.ports import Channel
from uncap.runtime.wiring_back import RelayTools


def ship(shipment_id: str, start: int, stop: int, to: str, at_ms: int = NOW, batch_no: int = 8) -> None:
    key = f"ship#{start:09d}#{shipment_id}"
    put(FlowItem, f"batch#{batch_no}", key, Shipment(shipment_id, batch_no, start, stop, to, at_ms))


@pytest.fixture
def channel(relay: RelayTools) -> DynamoChannel:
    return DynamoChannel(DynamoFlow(), DynamoParties(lambda: NOW, 0))


@pytest.mark.parametrize(
    ("index", "party"),
    [(0, "o-1"), (99, "o-1"), (100, "o-2"), (149, "o-2"), (150, ""), (199, ""), (200, "o-9"), (999_999_999, "")],
)
def test_ranges_are_half_open_and_the_latest_shipment_counts(channel: DynamoChannel, index: int, party: str) -> None:
    ship("s-1", 0, 100, "o-1")
    ship("s-2", 100, 150, "o-2")
    ship("s-3", 200, 210, "o-3")
    ship("s-4", 190, 210, "o-9", NOW + 1)
    put(FlowItem, "batch#8", "guard", 4)
    if index == 199:
        party = "o-9"
    assert DynamoFlow().shipped_to(8, index) == party


def test_the_nearest_party_of_each_role(channel: DynamoChannel) -> None:
    put(PartyItem, "party#s-1", "meta", Party("s-1", "salesperson", TEXT, parent_id="d-1"))
    put(PartyItem, "party#o-2", "meta", Party("o-2", "outlet", TEXT, parent_id="s-1"))
    ship("s", 0, 10, "o-2")
    assert channel.channel_of(8, 3) == Channel(True, "d-1", "o-2", "s-1")
    assert channel.channel_of(8, 10) == Channel()
    assert channel.channel_of(7, 3).party("consumer") == ""


def test_a_broken_tree_ends_the_walk(channel: DynamoChannel) -> None:
    put(PartyItem, "party#a", "meta", Party("a", "outlet", TEXT, parent_id="b"))
    put(PartyItem, "party#b", "meta", Party("b", "wholesaler", TEXT, parent_id="a"))
    ship("s", 0, 10, "a")
    assert channel.channel_of(8, 3) == Channel(shipped=True, outlet="a")
    ship("t", 10, 20, "nobody")
    assert channel.channel_of(8, 13) == Channel(shipped=True)
