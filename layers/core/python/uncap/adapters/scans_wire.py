"""The Scans table for the scan path: one unconditional UpdateItem per scan, one GetItem per look (docs/adr/0001).

Used by `services/claim_code.py` and `services/view_code.py`. Repeating any of these is harmless by construction.
"""

import msgspec

from uncap.adapters.scan_items import image_of, mark_text
from uncap.adapters.wire.dynamodb import Caller, get_item, update_item
from uncap.domain.scans import CodeRef, Mark, ScanImage

_CLAIM = "SET f = if_not_exists(f, :f), l = :l ADD n :one"
_OBSERVE = "SET l = :l ADD n :one"


class WireScans:
    """Scans over the wire client."""

    def __init__(self, client: Caller, table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, ref: CodeRef, mark: Mark) -> ScanImage:
        """Records the scan and takes the code if nobody has it; the image says who does."""
        return self._record(ref, mark, _CLAIM, {":f": {"S": mark_text(mark)}})

    def observe(self, ref: CodeRef, mark: Mark) -> ScanImage:
        """Records the scan and never takes the code."""
        return self._record(ref, mark, _OBSERVE, {})

    def get(self, ref: CodeRef) -> ScanImage | None:
        """The code's item, strongly consistent; None if it was never scanned."""
        item = get_item(self._client, self._table, {"pk": ref.key()}, consistent=True)
        return image_of(item) if item else None

    def _record(self, ref: CodeRef, mark: Mark, expression: str, first: dict[str, dict[str, str]]) -> ScanImage:
        # Only the winner is ever paid: of anyone else's payee nothing is stored.
        last = msgspec.structs.replace(mark, payee="") if mark.payee else mark
        request: dict[str, object] = {
            "TableName": self._table,
            "Key": {"pk": {"S": ref.key()}},
            "UpdateExpression": expression,
            "ExpressionAttributeValues": {**first, ":l": {"S": mark_text(last)}, ":one": {"N": "1"}},
            "ReturnValues": "ALL_NEW",
        }
        return image_of(update_item(self._client, request))
