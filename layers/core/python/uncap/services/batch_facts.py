"""What association asks about batches (`BatchBook`), from the catalog. Used by the intake job."""

from uncap.adapters.catalog import Catalog
from uncap.domain.association.store import LEVELS, BatchFacts


class CatalogFacts:
    """`BatchBook` over a catalog. Raises TransientError."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def facts(self, batch_no: int) -> BatchFacts | None:
        """See `BatchBook`. Blank codes may go into anything: what they become is decided later."""
        view = self._catalog.batch(batch_no)
        if view is None:
            return None
        batch = view.batch
        product = self._catalog.product(batch.gtin) if batch.gtin else None
        return BatchFacts(
            batch_no=batch_no,
            size=batch.size,
            gtin=batch.gtin,
            pack=batch.units_per_case or (product.units_per_case if product else 0),
            parent_gtin=product.case_gtin if product and not batch.blank else "",
            parent_batch_no=batch.case_batch_no,
            level=self._level(batch.level, product.level if product else ""),
        )

    @staticmethod
    def _level(of_batch: str, of_product: str) -> str:
        """Batches made before levels were recorded say "unit" whatever they are."""
        known = [one for one in (of_batch, of_product) if one in LEVELS]
        return max(known, key=LEVELS.index, default="unit")
