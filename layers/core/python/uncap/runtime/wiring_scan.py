"""scan_api's wiring: settings to adapters to routes, once per container, at the first request.

Called by functions/scan_api/handler.py; importing this module imports the code and does nothing else.
"""

import functools
import secrets
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver

from uncap.adapters.catalog import Catalog
from uncap.adapters.catalog_wire import WireCatalogSource
from uncap.adapters.identity import PayeeKeys, identity_provider
from uncap.adapters.ledger_wire import WireLedger
from uncap.adapters.limits_wire import WireLimits
from uncap.adapters.memberships_wire import WireMemberships
from uncap.adapters.scans_wire import WireScans
from uncap.adapters.secrets_wire import CachedSecret
from uncap.adapters.wire.client import DYNAMODB, SECRETS_MANAGER, connect
from uncap.adapters.wire.credentials import credential_source
from uncap.adapters.wire.dynamodb import Caller
from uncap.domain.bursts import Bursts
from uncap.domain.codes.scheme import Keyring
from uncap.domain.sessions import SessionKeys
from uncap.routes.scan_desk import ApiDesk
from uncap.routes.scan_replies import Meter
from uncap.routes.scan_routes import ScanApi, mount
from uncap.runtime.clock import clock_ms
from uncap.runtime.http_runner import Handler, runner
from uncap.runtime.observability import Observer
from uncap.runtime.settings import ScanSettings, read
from uncap.runtime.sign_in import wechat_place
from uncap.services.claim_code import ScanDesk
from uncap.services.hot_codes import HotCodes
from uncap.services.join_party import MemberDesk
from uncap.services.open_session import SessionDesk
from uncap.services.read_reward import RewardDesk
from uncap.services.view_code import ViewDesk

SERVICE = "scan_api"


@functools.cache
def scan_handler() -> Handler:
    """This deployment's handler. Raises msgspec.ValidationError or InputError naming a wrong setting."""
    credentials = credential_source(clock_ms)
    observer = Observer(SERVICE)
    desk = build_desk(
        read(ScanSettings),
        database=connect(DYNAMODB, clock_ms=clock_ms, credentials=credentials),
        vault=connect(SECRETS_MANAGER, clock_ms=clock_ms, credentials=credentials),
        meter=observer,
    )
    return build_handler(desk, observer)


def build_handler(desk: ApiDesk, observer: Observer) -> Handler:
    """The Lambda handler over a desk: routes, then one line of metrics."""
    app = APIGatewayHttpResolver()
    mount(app, ScanApi(desk), observer.unexpected)
    bursts = Bursts()

    def answered(event: dict[str, Any]) -> None:
        if observer.counted("CodeForged") and bursts.add(_source(event), desk.clock_ms()):
            observer.count("ForgedBurst")

    return runner(app, observer, answered)


def _source(event: dict[str, Any]) -> str:
    """The address a request came from, "" if nobody says."""
    return str(event.get("requestContext", {}).get("http", {}).get("sourceIp", ""))


def build_desk(
    settings: ScanSettings,
    *,
    database: Caller,
    vault: Caller,
    meter: Meter,
    clock: Callable[[], int] = clock_ms,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> ApiDesk:
    """A desk over two clients; nothing is called yet."""
    catalog = Catalog(WireCatalogSource(database, settings.catalog_table), clock, settings.catalog_max_age_ms)
    payee_keys = CachedSecret(vault, settings.payee_keys_secret, PayeeKeys.parse, clock)
    provider = identity_provider(
        settings.identity_provider, payee_keys, random_bytes, wechat_place(settings, vault, clock)
    )
    scan = ScanDesk(
        keyring=CachedSecret(vault, settings.code_keys_secret, Keyring.parse, clock),
        catalog=catalog,
        scans=WireScans(database, settings.scans_table),
        limits=WireLimits(database, settings.limits_table),
        hot=HotCodes(clock),
        zone=ZoneInfo(settings.time_zone),
    )
    reward = RewardDesk(WireLedger(database, settings.ledger_table), catalog, settings.confirm_url)
    session = SessionDesk(
        keys=CachedSecret(vault, settings.session_keys_secret, SessionKeys.parse, clock),
        provider=provider,
        provider_name=settings.identity_provider,
        random_bytes=random_bytes,
    )
    return ApiDesk(
        scan=scan,
        session=session,
        reward=reward,
        view=ViewDesk(scan, reward, settings.clone_threshold),
        meter=meter,
        clock_ms=clock,
        link_base=settings.link_base.rstrip("/").lower(),
        members=MemberDesk(scan, session, WireMemberships(database, settings.parties_table)),
    )
