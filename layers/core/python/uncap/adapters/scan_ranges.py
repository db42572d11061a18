"""The scans of a range of codes: keyed reads of Scans, a hundred at a time. Used by recalls and by a code's history.

Needs `open_tables` to have bound ScanItem. A code nobody has scanned has no item and costs half a read unit.
"""

from collections.abc import Iterable

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import ScanItem
from uncap.adapters.scan_items import image_of
from uncap.domain.scans import CodeRef, ScanImage


class ScanRanges:
    """Reads items by code. Raises TransientError, PoisonError (`scan_image_malformed`)."""

    def images(self, refs: Iterable[CodeRef], *, consistent: bool = False) -> list[ScanImage]:
        """The items that exist, in no order."""
        keys = [ref.key() for ref in refs]
        with translated():
            return [image_of(item.serialize()) for item in ScanItem.batch_get(keys, consistent_read=consistent)]
