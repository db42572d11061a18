"""Shipments are read once per batch and age, absence included."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from uncap.adapters.models import FlowItem
from uncap.adapters.shipments import CachedShipments
from uncap.domain.catalog import Shipment


def test_one_query_per_batch_and_age(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    now = [0]

    def query(pk: str, _condition: Any) -> Iterator[SimpleNamespace]:
        asked.append(pk)
        if pk == "batch#7":
            yield SimpleNamespace(
                sk="ship#000000000#s1", doc=msgspec.json.encode(Shipment("s1", 7, 0, 10, "d", 1)).decode()
            )

    monkeypatch.setattr(FlowItem, "query", query)
    shipments = CachedShipments(lambda: now[0], 5_000)
    for index in (0, 9, 10):
        found = shipments.shipment_of(7, index)
        assert (found.shipment_id if found else None) == ("s1" if index < 10 else None)
        assert shipments.shipment_of(8, index) is None
    assert asked == ["batch#7", "batch#8"]
    now[0] = 5_000
    shipments.shipment_of(7, 0)
    assert asked == ["batch#7", "batch#8", "batch#7"]
