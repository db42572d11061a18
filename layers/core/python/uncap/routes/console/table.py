"""The console's one route table. Chalice's routes, the published document and the gateway's routes all come from it."""

from collections.abc import Iterable

from uncap.routes.console.batches import BATCHES
from uncap.routes.console.endpoint import Area, Endpoint
from uncap.routes.console.products import PRODUCTS
from uncap.routes.console.session import OPEN, SESSION

AREAS: tuple[Area, ...] = (OPEN, SESSION, PRODUCTS, BATCHES)


def endpoints(areas: Iterable[Area] = AREAS) -> list[Endpoint]:
    """Every endpoint, in order of declaration."""
    return [endpoint for area in areas for endpoint in area.endpoints]
