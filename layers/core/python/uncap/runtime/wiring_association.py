"""The association's reader and store over a deployment's tables. Used by the wiring of every function that asks."""

from collections.abc import Callable

from pynamodb.connection import Connection

from uncap.adapters.association import StoredAssociation
from uncap.adapters.association_cells import WORKERS, DynamoCells
from uncap.adapters.catalog import Catalog
from uncap.services.roll_order import RollOrder


def association_reader(
    connection: Connection, catalog: Catalog, clock_ms: Callable[[], int], max_age_ms: int
) -> StoredAssociation:
    """Files and changes by hand first, roll order where there are none. FlowItem must be bound (`open_tables`).

    `max_age_ms` 0 reads through, strongly consistent, as the console does.
    """
    return StoredAssociation(DynamoCells(connection), RollOrder(catalog), clock_ms, max_age_ms)


def association_store(connection: Connection, workers: int = WORKERS) -> DynamoCells:
    """For the intake job and for changes by hand. FlowItem must be bound (`open_tables`)."""
    return DynamoCells(connection, workers)
