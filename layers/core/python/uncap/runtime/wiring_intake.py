"""The intake job's tools: settings to adapters, once per container, at the first turn (functions/intake_job).

`KINDS` in here is the table of what files are taken and by whom.
"""

import functools
from collections.abc import Callable

from uncap.adapters.intake.sources import ByteSource, S3Source
from uncap.adapters.models import CatalogItem, FlowItem, PartyItem, open_tables
from uncap.adapters.reward_queue import sqs_client
from uncap.adapters.uploads import IntakeQueue, UploadStore, UploadTable, s3_client
from uncap.domain.intake.uploads import Upload
from uncap.runtime.clock import clock_ms
from uncap.runtime.settings import IntakeSettings, read
from uncap.services.run_upload import IntakeTools, Kind


@functools.cache
def intake() -> tuple[IntakeTools, IntakeQueue]:
    """The tools of this deployment. Raises msgspec.ValidationError naming a missing setting."""
    settings = read(IntakeSettings)
    store = UploadStore(s3_client(), settings.uploads_bucket)
    return build_intake(settings, store, clock_ms), IntakeQueue(sqs_client(), settings.intake_queue_url)


def build_intake(settings: IntakeSettings, store: UploadStore, clock: Callable[[], int]) -> IntakeTools:
    """Tools over the tables and the bucket named in the settings; nothing is called yet."""
    open_tables(
        {
            CatalogItem: settings.catalog_table,
            PartyItem: settings.parties_table,
            FlowItem: settings.flow_table,
        }
    )

    def open_source(upload: Upload) -> ByteSource:
        store.check(upload)
        return S3Source(store.client, store.bucket, upload.key)

    kinds: dict[str, Kind] = {}
    return IntakeTools(UploadTable(), open_source, kinds, clock)
