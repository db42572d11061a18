"""Taking a code away for good: the system's claim on its item in Scans. Used by decommissioning and replacing.

The same one update as a person's claim (`scans_wire.py`), so a race between the two has one winner.
"""

from pynamodb.expressions.update import Action

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import ScanItem
from uncap.adapters.scan_items import mark_of, mark_text
from uncap.domain.scans import CodeRef, Mark

TOMBSTONE = "tombstone"


class ScanTombstones:
    """Marks codes as withdrawn. Needs `open_tables` to have bound ScanItem."""

    def bury(self, ref: CodeRef, claim_id: str, reason: str, at_ms: int) -> Mark:
        """The mark that holds the code afterwards: ours, an earlier tombstone's, or a person's claim.

        Repeating it with the same `claim_id` changes nothing. Raises TransientError.
        """
        text = mark_text(Mark(claim_id=claim_id, at_ms=at_ms, form=TOMBSTONE, reason=reason))
        item = ScanItem(ref.key())
        actions: list[Action] = [ScanItem.f.set(ScanItem.f | text), ScanItem.l.set(text), ScanItem.n.add(1)]
        with translated():
            item.update(actions=actions)
        return mark_of(item.f)
