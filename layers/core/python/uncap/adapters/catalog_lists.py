"""Every release there is, for the job that closes them: the batches of the catalog's index, one after the other."""

from collections.abc import Iterator

from uncap.adapters.catalog import Catalog, CatalogSource
from uncap.domain.catalog import Release

_BATCH = "batch#"


def every_release(source: CatalogSource, catalog: Catalog) -> Iterator[Release]:
    """All releases, batch by batch. Raises TransientError."""
    for sk, _ in source.query("index"):
        if sk.startswith(_BATCH):
            view = catalog.batch(int(sk[len(_BATCH) :]), fresh=True)
            yield from view.releases if view else ()
