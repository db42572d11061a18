"""The intake job's kinds for files of movements: `shipments`, `receipts`, `returns`. Used by `wiring_intake.py`."""

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from pynamodb.connection import Connection

from uncap.adapters.audited_writes import AuditedWrites
from uncap.adapters.catalog import Catalog
from uncap.adapters.documents import DocumentTable
from uncap.adapters.models import CatalogItem, FlowItem, PartyItem
from uncap.adapters.parties import DynamoParties
from uncap.adapters.secrets_wire import CachedSecret
from uncap.adapters.wire.dynamodb import Caller
from uncap.domain.codes.scheme import Keyring
from uncap.runtime.packing import stored_packing
from uncap.runtime.settings import IntakeSettings
from uncap.services.goods_desk import PaperDesk
from uncap.services.run_upload import Kind
from uncap.services.take_movements import KINDS, MovementFiles


def movement_files(
    settings: IntakeSettings, vault: Caller, connection: Connection, clock: Callable[[], int], max_age_ms: int
) -> Mapping[str, Kind]:
    """By the name a file is announced under."""
    desk, zone = paper_desk(settings, vault, connection, clock, max_age_ms), ZoneInfo(settings.time_zone)
    return {name: MovementFiles(kind, desk, zone) for name, kind in KINDS.items()}


def paper_desk(
    settings: IntakeSettings, vault: Caller, connection: Connection, clock: Callable[[], int], max_age_ms: int
) -> PaperDesk:
    """What files name is at most `max_age_ms` old, movements never are."""
    documents, parties = DocumentTable(CatalogItem), DocumentTable(PartyItem)
    catalog, zone = Catalog(documents, clock, max_age_ms), ZoneInfo(settings.time_zone)

    def day_of(at_ms: int) -> str:
        return datetime.fromtimestamp(at_ms / 1000, zone).date().isoformat()

    return PaperDesk(
        catalog=catalog,
        catalog_docs=documents,
        parties=parties,
        flow=DocumentTable(FlowItem),
        writes=AuditedWrites(connection, parties, clock, day_of),
        association=stored_packing(connection, catalog, clock, max_age_ms),
        clock_ms=clock,
        party_of=DynamoParties(clock, max_age_ms).party,
        keyring=CachedSecret(vault, settings.code_keys_secret, Keyring.parse, clock),
    )
