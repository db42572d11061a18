"""The bill of a billion, and that its prices are those of the benchmarks."""

import json
from pathlib import Path

import pytest

from uncap.domain.association import costs
from uncap.domain.association.files import FormCost

PRICES = json.loads((Path(__file__).parents[4] / "bench/prices.json").read_text())


def test_prices_are_those_of_the_benchmarks() -> None:
    assert list(costs.PRICES_READ) == PRICES["read_between"]
    assert PRICES["per_million"]["write_unit"] == costs.WRITE_UNIT_PER_MILLION
    assert PRICES["dynamodb_gb_month"] == costs.STORAGE_GB_MONTH


def test_the_bill_of_a_billion_children() -> None:
    bill = costs.per_billion(FormCost(units=1_000_000, items=250, bytes=500_000, write_units=550))
    assert bill.usd == pytest.approx(550 * 1_000 * 0.625 / 1e6)
    assert bill.requests == 250_000
    assert bill.usd_month == pytest.approx((500_000 + 25_000) * 1_000 / 1e9 * 0.25)
    assert bill.hours == pytest.approx(550 / 3600)
    assert costs.row_per_child().usd == pytest.approx(625)
    assert costs.row_per_child().hours == pytest.approx(6.94, abs=0.01)
    with pytest.raises(ValueError, match="no child"):
        costs.per_billion(FormCost())
