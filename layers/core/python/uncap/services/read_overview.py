"""Counts by day, product, region and outcome from the read models. Called by `routes/console/overview.py`."""

from typing import Annotated

import msgspec

from uncap.adapters.insights import DayRow, PartyRow
from uncap.domain.errors import InputError
from uncap.services.desk import Desk

MAX_ROWS = 20_000
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$(?!\n)", max_length=10)]


class DaysQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From one day to another, both included; days of the brand's time zone."""

    first_day: Day
    last_day: Day


class OverviewQuery(DaysQuery, frozen=True, forbid_unknown_fields=True):
    """Rows of one product, region or outcome only, where given."""

    gtin: Annotated[str, msgspec.Meta(max_length=14)] = ""
    region: Annotated[str, msgspec.Meta(max_length=60)] = ""
    outcome: Annotated[str, msgspec.Meta(max_length=60)] = ""


class Overview(msgspec.Struct, frozen=True):
    """`outcomes` sums the rows by outcome; signals are counted beside outcomes, not in them."""

    rows: list[DayRow]
    outcomes: dict[str, int]


def read_overview(desk: Desk, query: OverviewQuery) -> Overview:
    """Raises InputError (`day_range_malformed`, `day_range_too_long`, `overview_too_large`)."""
    rows = [row for row in desk.insights.overview(query.first_day, query.last_day) if _wanted(row, query)]
    if len(rows) > MAX_ROWS:
        raise InputError("overview_too_large", f"more than {MAX_ROWS} rows; ask for fewer days", where="last_day")
    outcomes: dict[str, int] = {}
    for row in rows:
        outcomes[row.outcome] = outcomes.get(row.outcome, 0) + row.n
    return Overview(rows, outcomes)


def read_party_counts(desk: Desk, party_id: str, query: DaysQuery) -> list[PartyRow]:
    """Scans that concern one party. Raises NotFoundError (`party_unknown`), InputError as `read_overview`."""
    desk.party(party_id)
    return desk.insights.party(party_id, query.first_day, query.last_day)


def _wanted(row: DayRow, query: OverviewQuery) -> bool:
    pairs = ((query.gtin, row.gtin), (query.region, row.region), (query.outcome, row.outcome))
    return all(not wanted or wanted == had for wanted, had in pairs)
