"""The EPCIS event store over a signed client of its own, and what captured events act on goods with.

Used by the console's and the intake job's wiring.
"""

import functools
from collections.abc import Callable

from pynamodb.connection import Connection

from uncap.adapters.association_cells import DynamoCells
from uncap.adapters.catalog import Catalog
from uncap.adapters.event_store import EventStore
from uncap.adapters.wire.client import DYNAMODB, connect
from uncap.adapters.wire.credentials import credential_source
from uncap.runtime.packing import stored_packing
from uncap.services.batch_facts import CatalogFacts
from uncap.services.desk import Actor
from uncap.services.event_acts import EventActs, MakeActs
from uncap.services.goods_desk import GoodsDesk

_DOCUMENT_MS = 15 * 60_000  # a reader lives as long as its document is worked on


def open_event_store(table: str, clock: Callable[[], int]) -> EventStore:
    """Nothing is called yet; region, endpoint and credentials are boto3's."""
    return EventStore(connect(DYNAMODB, clock_ms=clock, credentials=credential_source(clock)), table)


def acts_on_goods(connection: Connection, clock: Callable[[], int], workers: int, most: int) -> MakeActs:
    """See `act_on_events.EventTools`; packing goes to the Flow table that `connection` is bound to."""
    cells = DynamoCells(connection, workers)

    def make(desk: GoodsDesk, actor: Actor) -> EventActs:
        # numpy takes a fifth of a second to load, and of all requests of the console only capturing needs it.
        from uncap.services.act_on_events import EventGoods, EventTools
        from uncap.services.associate_units import issues, open_file
        from uncap.services.pack_by_events import PackingFiles

        catalog = Catalog(desk.catalog_docs, clock, _DOCUMENT_MS)
        files = PackingFiles(
            lambda start: open_file(cells, CatalogFacts(catalog), start, clock, again=True),
            lambda file_id: issues(cells, file_id),
        )
        packing = functools.partial(stored_packing, connection, catalog, clock, _DOCUMENT_MS)
        return EventGoods(EventTools(desk, catalog, packing, files, most), actor)

    return make
