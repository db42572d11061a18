"""A shipment's paper as stored in Flow: one range, or parts named `{id}-1`, `{id}-2`… (docs/goods.md). Reads only.

Used where a diversion case is shown and moved: cases are about papers, and money is held on all their parts.
"""

from uncap.adapters.documents import DocumentTable
from uncap.domain.catalog import Shipment

MAX_PARTS = 30


def parts_of_paper(flow: DocumentTable, shipment_id: str) -> list[Shipment]:
    """The shipment of this id, or the parts of the paper of this id, in order; empty for an unknown one."""
    whole = flow.value(f"shipment#{shipment_id}", "meta", Shipment)
    if whole is not None:
        return [whole]
    parts: list[Shipment] = []
    while len(parts) < MAX_PARTS:
        part = flow.value(f"shipment#{shipment_id}-{len(parts) + 1}", "meta", Shipment)
        if part is None:
            break
        parts.append(part)
    return parts
