"""The console's one route table. Chalice's routes, the published document and the gateway's routes all come from it."""

from collections.abc import Iterable

from uncap.routes.console import meta
from uncap.routes.console.audit import AUDIT
from uncap.routes.console.batches import BATCHES
from uncap.routes.console.books import BOOKS
from uncap.routes.console.campaigns import CAMPAIGNS
from uncap.routes.console.closings import CLOSINGS
from uncap.routes.console.codes import CODES
from uncap.routes.console.diversion import DIVERSION
from uncap.routes.console.document import document_of
from uncap.routes.console.endpoint import Area, Endpoint
from uncap.routes.console.epcis import EPCIS
from uncap.routes.console.epcis_lists import EPCIS_LISTS
from uncap.routes.console.epcis_own import EPCIS_OWN
from uncap.routes.console.epochs import EPOCHS
from uncap.routes.console.lifecycle import LIFECYCLE
from uncap.routes.console.overview import OVERVIEW
from uncap.routes.console.packing import PACKING
from uncap.routes.console.pallets import PALLETS
from uncap.routes.console.parcels import PARCELS
from uncap.routes.console.parties import PARTIES
from uncap.routes.console.products import PRODUCTS
from uncap.routes.console.recalls import RECALLS
from uncap.routes.console.releases import RELEASES
from uncap.routes.console.replenishment import REPLENISHMENT
from uncap.routes.console.rewards import REWARDS
from uncap.routes.console.session import OPEN, SESSION
from uncap.routes.console.shipments import SHIPMENTS
from uncap.routes.console.trace import TRACE
from uncap.routes.console.uploads import UPLOADS

AREAS: tuple[Area, ...] = (
    meta.META,
    OPEN,
    SESSION,
    PRODUCTS,
    PARTIES,
    BATCHES,
    PALLETS,
    PACKING,
    LIFECYCLE,
    RECALLS,
    CODES,
    RELEASES,
    SHIPMENTS,
    TRACE,
    UPLOADS,
    CAMPAIGNS,
    CLOSINGS,
    OVERVIEW,
    REWARDS,
    PARCELS,
    BOOKS,
    REPLENISHMENT,
    DIVERSION,
    AUDIT,
    EPOCHS,
    EPCIS,
    EPCIS_LISTS,
    EPCIS_OWN,
)


def endpoints(areas: Iterable[Area] = AREAS) -> list[Endpoint]:
    """Every endpoint, in order of declaration."""
    return [endpoint for area in areas for endpoint in area.endpoints]


meta.publish(lambda: document_of(endpoints()))
