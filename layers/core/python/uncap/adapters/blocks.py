"""Who may win nothing by luck: `block#{key}` / `meta` in Parties. Read by the relay before a drawn prize is given.

Never cached: what a human decided holds for the next draw.
"""

import msgspec
from pynamodb.exceptions import DoesNotExist

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import PartyItem
from uncap.domain.blocking import Block


def is_blocked(key: str) -> bool:
    """Strongly consistent. Raises TransientError."""
    try:
        with translated():
            item = PartyItem.get(f"block#{key}", "meta", consistent_read=True)
    except DoesNotExist:
        return False
    return msgspec.json.decode(item.doc, type=Block).blocked
