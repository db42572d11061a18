"""Changes of the packing by hand. Mounted by `table.py`."""

from uncap.routes.console.endpoint import Area
from uncap.services.change_packing import ChangedPacking, PackingChange, change_packing
from uncap.services.desk import Actor, Desk

PACKING = Area("batches")


@PACKING.post("/packing", status=201)
def post_packing(desk: Desk, actor: Actor, body: PackingChange) -> ChangedPacking:
    """Swap two things, repack things, take things out, or unpack whole packs."""
    return change_packing(desk, actor, body)
