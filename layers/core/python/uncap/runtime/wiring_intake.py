"""The intake job's tools: settings to adapters, once per container, at the first turn (functions/intake_job).

`build_intake` holds the table of what files are taken and by whom.
"""

import functools
from collections.abc import Callable
from zoneinfo import ZoneInfo

from pynamodb.connection import Connection

from uncap.adapters.association_cells import WORKERS, DynamoCells
from uncap.adapters.catalog import Catalog
from uncap.adapters.documents import DocumentTable
from uncap.adapters.intake.pallets import pallet_lookup
from uncap.adapters.intake.sources import ByteSource, S3Source
from uncap.adapters.models import CatalogItem, FlowItem, PartyItem, open_tables
from uncap.adapters.pallet_numbers import PalletNumbers
from uncap.adapters.reward_queue import sqs_client
from uncap.adapters.secrets_wire import CachedSecret
from uncap.adapters.uploads import IntakeQueue, UploadStore, UploadTable, s3_client
from uncap.adapters.wire.client import SECRETS_MANAGER, connect
from uncap.adapters.wire.credentials import credential_source
from uncap.adapters.wire.dynamodb import Caller
from uncap.domain.catalog import Role
from uncap.domain.codes.reading import CodeReader
from uncap.domain.codes.scheme import Keyring
from uncap.domain.intake.uploads import Upload
from uncap.runtime.clock import clock_ms
from uncap.runtime.settings import IntakeSettings, read
from uncap.runtime.wiring_events import acts_on_goods, open_event_store
from uncap.runtime.wiring_papers import movement_files, paper_desk
from uncap.services.associate_units import give_up, issues, open_file
from uncap.services.batch_facts import CatalogFacts
from uncap.services.desk import Actor
from uncap.services.event_acts import EventActs
from uncap.services.run_upload import IntakeTools, Kind
from uncap.services.take_association import Associations
from uncap.services.take_events import Events

CACHE_AGE_MS = 60_000
"""Products and batches that a file names do not change while it is read."""


@functools.cache
def intake() -> tuple[IntakeTools, IntakeQueue]:
    """The tools of this deployment. Raises msgspec.ValidationError naming a missing setting."""
    settings = read(IntakeSettings)
    vault = connect(SECRETS_MANAGER, clock_ms=clock_ms, credentials=credential_source(clock_ms))
    store = UploadStore(s3_client(), settings.uploads_bucket)
    return build_intake(settings, vault, store, clock_ms), IntakeQueue(sqs_client(), settings.intake_queue_url)


def build_intake(
    settings: IntakeSettings, vault: Caller, store: UploadStore, clock: Callable[[], int], workers: int = WORKERS
) -> IntakeTools:
    """Tools over the tables and the bucket named in the settings; nothing is called yet."""
    connection = open_tables(
        {
            CatalogItem: settings.catalog_table,
            PartyItem: settings.parties_table,
            FlowItem: settings.flow_table,
        }
    )

    def open_source(upload: Upload) -> ByteSource:
        store.check(upload)
        return S3Source(store.client, store.bucket, upload.key)

    kinds: dict[str, Kind] = {
        "association": _associations(settings, vault, connection, clock, workers),
        "epcis": _events(settings, vault, connection, clock, workers),
        **movement_files(settings, vault, connection, clock, CACHE_AGE_MS),
    }
    return IntakeTools(UploadTable(), open_source, kinds, clock)


def _events(
    settings: IntakeSettings, vault: Caller, connection: Connection, clock: Callable[[], int], workers: int
) -> Events:
    # A catalog for every upload, and the documents' acts behind it: see `_associations`.
    def goods(upload: Upload) -> EventActs:
        desk = paper_desk(settings, vault, connection, clock, CACHE_AGE_MS)
        return acts_on_goods(connection, clock, workers, 0)(desk, Actor(upload.by, upload.role))

    return Events(functools.cache(lambda: open_event_store(settings.events_table, clock)), goods)


def _associations(
    settings: IntakeSettings, vault: Caller, connection: Connection, clock: Callable[[], int], workers: int
) -> Associations:
    cells, documents = DynamoCells(connection, workers), DocumentTable(CatalogItem)
    keyring = CachedSecret(vault, settings.code_keys_secret, Keyring.parse, clock)

    # A catalog for every slice: what the file before did not find may have been created since.
    def catalog() -> Catalog:
        return Catalog(documents, clock, CACHE_AGE_MS)

    def reader() -> CodeReader:
        known = catalog()

        def roles_of(gtin: str) -> tuple[Role, ...]:
            product = known.product(gtin)
            return product.roles if product else ()

        return CodeReader(keyring(), roles_of, pallet_lookup(PalletNumbers(documents)))

    return Associations(
        open_file=lambda start, again: open_file(cells, CatalogFacts(catalog()), start, clock, again=again),
        give_up=lambda file_id: give_up(cells, file_id, clock()),
        issues=lambda file_id: issues(cells, file_id),
        reader=reader,
        zone=ZoneInfo(settings.time_zone),
    )
