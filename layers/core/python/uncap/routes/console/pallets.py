"""Pallets: runs of SSCCs, and the pallet behind one. Mounted by `table.py`."""

from uncap.domain.catalog import CodeBatch
from uncap.routes.console.endpoint import Area
from uncap.services.create_pallets import NewPallets, PalletAnswer, Sscc, create_pallets, find_pallet
from uncap.services.desk import Actor, Desk

PALLETS = Area("batches")


@PALLETS.post("/pallets", status=201)
def post_pallets(desk: Desk, actor: Actor, body: NewPallets) -> CodeBatch:
    """Give out a run of SSCCs as a batch of pallets."""
    return create_pallets(desk, actor, body)


@PALLETS.get("/pallets/{sscc}")
def get_pallet(desk: Desk, sscc: Sscc) -> PalletAnswer:
    """The batch and index of the pallet that carries this SSCC."""
    return find_pallet(desk, sscc)
