"""about_page's wiring: settings to adapters to the routes, once per container. Called by functions/about_page."""

import functools
from collections.abc import Callable
from zoneinfo import ZoneInfo

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver

from uncap.adapters.catalog import Catalog
from uncap.adapters.documents import DocumentTable
from uncap.adapters.flow import DynamoFlow
from uncap.adapters.levels import Levels
from uncap.adapters.models import CatalogItem, FlowItem, PartyItem, open_tables
from uncap.adapters.parties import DynamoParties
from uncap.adapters.rule_sets import CachedRuleSets
from uncap.adapters.secrets_wire import CachedSecret
from uncap.adapters.wire.client import SECRETS_MANAGER, connect
from uncap.adapters.wire.credentials import credential_source
from uncap.adapters.wire.dynamodb import Caller
from uncap.domain.codes.scheme import Keyring
from uncap.routes.about_page import mount
from uncap.routes.campaign_page import mount_campaigns
from uncap.runtime.clock import clock_ms
from uncap.runtime.http_runner import Handler, runner
from uncap.runtime.observability import Observer
from uncap.runtime.packing import stored_packing
from uncap.runtime.settings import AboutSettings, read
from uncap.services.tell_campaign import CampaignDesk
from uncap.services.tell_origin import OriginDesk

SERVICE = "about_page"


@functools.cache
def about_handler() -> Handler:
    """This deployment's handler. Raises msgspec.ValidationError naming a missing setting."""
    vault = connect(SECRETS_MANAGER, clock_ms=clock_ms, credentials=credential_source(clock_ms))
    return build_handler(build_desk(read(AboutSettings), vault, clock_ms), Observer(SERVICE))


def build_handler(desk: OriginDesk, observer: Observer) -> Handler:
    """The Lambda handler over a desk: the routes, then one line of metrics."""
    app = APIGatewayHttpResolver()
    rules = functools.lru_cache(maxsize=4)(CachedRuleSets(DocumentTable(CatalogItem)).rules_of)
    mount_campaigns(app, CampaignDesk(desk.catalog, rules, desk.zone, desk.clock_ms), observer)
    mount(app, desk, observer, observer.unexpected)
    return runner(app, observer)


def build_desk(settings: AboutSettings, vault: Caller, clock: Callable[[], int]) -> OriginDesk:
    """A desk over the tables named in the settings; nothing is called yet."""
    connection = open_tables(
        {
            CatalogItem: settings.catalog_table,
            PartyItem: settings.parties_table,
            FlowItem: settings.flow_table,
        }
    )
    max_age_ms = settings.catalog_max_age_ms
    catalog = Catalog(DocumentTable(CatalogItem), clock, max_age_ms)
    parties = DynamoParties(clock, max_age_ms)
    packing = stored_packing(connection, catalog, clock, max_age_ms)
    return OriginDesk(
        catalog=catalog,
        flow=DynamoFlow(clock, max_age_ms, Levels(catalog, packing, parties.party)),
        party_of=parties.party,
        zone=ZoneInfo(settings.time_zone),
        clock_ms=clock,
        keyring=CachedSecret(vault, settings.code_keys_secret, Keyring.parse, clock),
    )
