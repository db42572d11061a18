"""What happens in the market, in numbers. Mounted by `table.py`."""

from uncap.adapters.insights import PartyRow
from uncap.routes.console.endpoint import Area
from uncap.services.desk import Desk, Id
from uncap.services.read_overview import DaysQuery, Overview, OverviewQuery, read_overview, read_party_counts

OVERVIEW = Area("overview")


@OVERVIEW.get("/overview")
def get_overview(desk: Desk, query: OverviewQuery) -> Overview:
    """Scans by day, product, region and outcome."""
    return read_overview(desk, query)


@OVERVIEW.get("/parties/{party_id}/counts")
def get_party_counts(desk: Desk, party_id: Id, query: DaysQuery) -> list[PartyRow]:
    """Scans that concern one outlet or distributor, by day and outcome."""
    return read_party_counts(desk, party_id, query)
