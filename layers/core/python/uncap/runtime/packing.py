"""What is packed in what, as a deployment knows it: files and hands first, roll order where they say nothing."""

from collections.abc import Callable

from pynamodb.connection import Connection

from uncap.adapters.association import StoredAssociation
from uncap.adapters.association_cells import DynamoCells
from uncap.adapters.catalog import Catalog
from uncap.services.roll_order import RollOrder


def stored_packing(
    connection: Connection, catalog: Catalog, clock: Callable[[], int], max_age_ms: int
) -> StoredAssociation:
    """Over the Flow table that `connection` is bound to; 0 reads through, strongly consistent. One per thread."""
    return StoredAssociation(DynamoCells(connection), RollOrder(catalog), clock, max_age_ms)
