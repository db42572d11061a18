"""The EPCIS event store over a signed client of its own. Used by the console's and the intake job's wiring."""

from collections.abc import Callable

from uncap.adapters.event_store import EventStore
from uncap.adapters.wire.client import DYNAMODB, connect
from uncap.adapters.wire.credentials import credential_source


def open_event_store(table: str, clock: Callable[[], int]) -> EventStore:
    """Nothing is called yet; region, endpoint and credentials are boto3's."""
    return EventStore(connect(DYNAMODB, clock_ms=clock, credentials=credential_source(clock)), table)
