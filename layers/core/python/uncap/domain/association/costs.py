"""What storing an association costs in money and hours, from counted items, bytes and write units. Pure.

Prices are data with a date (us-east-1); `bench/prices.json` holds the same figures, a contract test keeps them alike.
"""

import msgspec

from uncap.domain.association.files import FormCost

PRICES_READ = ("2026-08", "2026-10")
WRITE_UNIT_PER_MILLION = 0.625
STORAGE_GB_MONTH = 0.25
ITEM_OVERHEAD_BYTES = 100
PARTITION_WRITE_UNITS_S = 1_000
"""What one partition takes: a batch's runs go to one partition at a time, so a batch is applied no faster."""

ROW_BYTES = 60
"""A row per child, the form that is compared with: keys of both sides, a time, names."""


class Bill(msgspec.Struct, frozen=True):
    """Per 10^9 children: USD to write, USD a month to keep, requests, bytes, hours of writing into one partition."""

    usd: float
    usd_month: float
    requests: float
    bytes: float
    hours: float


def per_billion(cost: FormCost) -> Bill:
    """The bill of so much of the same. Raises ValueError if nothing was placed."""
    if cost.units <= 0:
        raise ValueError("no child was placed")
    scale = 1e9 / cost.units
    units = cost.write_units * scale
    kept = (cost.bytes + ITEM_OVERHEAD_BYTES * cost.items) * scale
    return Bill(
        usd=units * WRITE_UNIT_PER_MILLION / 1e6,
        usd_month=kept / 1e9 * STORAGE_GB_MONTH,
        requests=cost.items * scale,
        bytes=cost.bytes * scale,
        hours=units / PARTITION_WRITE_UNITS_S / 3600,
    )


def row_per_child() -> Bill:
    """The bill of the form that is not used: one item of one write unit each, spread over 40 partitions."""
    bill = per_billion(FormCost(1_000, 1_000, ROW_BYTES * 1_000, 1_000))
    return msgspec.structs.replace(bill, hours=bill.hours / 40)
