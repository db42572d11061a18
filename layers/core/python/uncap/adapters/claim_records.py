"""What is recorded of one claim: the code's item in Scans and the claim's decision in the Ledger. For the console."""

import msgspec
from pynamodb.exceptions import DoesNotExist

from uncap.adapters.decisions import decision_key
from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import LedgerItem, ScanItem
from uncap.adapters.scan_items import image_of
from uncap.domain.campaigns.facts import Decision
from uncap.domain.scans import CodeRef, ScanImage


class ClaimRecords:
    """Strongly consistent reads. Needs `open_tables` to have bound both models."""

    def image(self, ref: CodeRef) -> ScanImage | None:
        """The code's item, None before its first scan. Raises TransientError, PoisonError."""
        try:
            with translated():
                item = ScanItem.get(ref.key(), consistent_read=True)
        except DoesNotExist:
            return None
        return image_of(item.serialize())

    def decision(self, ref: CodeRef, campaign_id: str) -> Decision | None:
        """What the claim's rules came to, None where there are none or the relay has not been there yet."""
        try:
            with translated():
                item = LedgerItem.get(decision_key(ref.key(), campaign_id), consistent_read=True)
        except DoesNotExist:
            return None
        return msgspec.json.decode(item.doc, type=Decision)
