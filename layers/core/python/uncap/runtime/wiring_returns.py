"""What returned goods take back, wired for reconcile_job: the list of returns, packing, the ledger and its accounts."""

from collections.abc import Callable

from pynamodb.connection import Connection

from uncap.adapters.account_books import AccountBooks
from uncap.adapters.catalog import Catalog
from uncap.adapters.documents import DocumentTable
from uncap.adapters.flow_returns import ReturnQueue
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.models import FlowItem
from uncap.domain.channel import PartyOf
from uncap.runtime.packing import stored_packing
from uncap.services.take_back_returns import ReturnTools

_RUN_MS = 15 * 60_000  # a reader lives as long as a run


def open_returns(connection: Connection, catalog: Catalog, party_of: PartyOf, clock: Callable[[], int]) -> ReturnTools:
    """Over the tables that `connection` is bound to; nothing is called yet."""
    return ReturnTools(
        queue=ReturnQueue(),
        flow=DocumentTable(FlowItem),
        catalog=catalog,
        packing=lambda: stored_packing(connection, catalog, clock, _RUN_MS),
        party_of=party_of,
        ledger=DynamoLedger(),
        books=AccountBooks(),
        clock_ms=clock,
    )
