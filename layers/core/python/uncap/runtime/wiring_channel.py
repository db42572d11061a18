"""channel_api's wiring: settings to adapters to routes, once per container. Called by functions/channel_api."""

import functools
import secrets
from collections.abc import Callable
from zoneinfo import ZoneInfo

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver

from uncap.adapters.catalog import Catalog
from uncap.adapters.catalog_wire import WireCatalogSource
from uncap.adapters.identity import AddressKeys, PayeeKeys, identity_provider
from uncap.adapters.ledger_wire import WireLedger
from uncap.adapters.limits_wire import WireLimits
from uncap.adapters.memberships_wire import WireMemberships
from uncap.adapters.owner_lists import OwnerLists
from uncap.adapters.parties_wire import WireParties
from uncap.adapters.replenishments import Replenishments
from uncap.adapters.reward_updates import WireRewards
from uncap.adapters.scans_wire import WireScans
from uncap.adapters.secrets_wire import CachedSecret
from uncap.adapters.wechat_identity import HttpsExchange, WeChatApp
from uncap.adapters.wechat_sdk import WeChatSdk
from uncap.adapters.wire.client import DYNAMODB, SECRETS_MANAGER, connect
from uncap.adapters.wire.credentials import credential_source
from uncap.adapters.wire.dynamodb import Caller
from uncap.domain.rewards.reward import Reward
from uncap.domain.sessions import Session, SessionKeys
from uncap.routes.channel_desk import ChannelDesk
from uncap.routes.channel_mount import mount
from uncap.routes.channel_routes import ChannelApi
from uncap.routes.scan_replies import Meter
from uncap.runtime.clock import clock_ms
from uncap.runtime.http_runner import Handler, runner
from uncap.runtime.observability import Observer
from uncap.runtime.settings import ChannelSettings, read
from uncap.runtime.sign_in import wechat_place
from uncap.services.collect_reward import NameDesk
from uncap.services.give_address import AddressDesk
from uncap.services.join_party import MemberDesk
from uncap.services.open_session import SessionDesk
from uncap.services.read_reward import RewardDesk
from uncap.services.read_wallet import WalletDesk, tell_worker
from uncap.services.read_workspace import WorkspaceDesk
from uncap.services.redeem_right import RedeemDesk
from uncap.services.replenish import ReplenishDesk
from uncap.services.stop_money import Brakes

SERVICE = "channel_api"


@functools.cache
def channel_handler() -> Handler:
    """This deployment's handler. Raises msgspec.ValidationError or InputError naming a wrong setting."""
    credentials = credential_source(clock_ms)
    observer = Observer(SERVICE)
    desk = build_desk(
        read(ChannelSettings),
        database=connect(DYNAMODB, clock_ms=clock_ms, credentials=credentials),
        vault=connect(SECRETS_MANAGER, clock_ms=clock_ms, credentials=credentials),
        meter=observer,
    )
    return build_handler(desk, observer)


def build_handler(desk: ChannelDesk, observer: Observer) -> Handler:
    """The Lambda handler over a desk: routes, then one line of metrics."""
    app = APIGatewayHttpResolver()
    mount(app, ChannelApi(desk), observer.unexpected)
    return runner(app, observer)


def build_desk(
    settings: ChannelSettings,
    *,
    database: Caller,
    vault: Caller,
    meter: Meter,
    clock: Callable[[], int] = clock_ms,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> ChannelDesk:
    """A desk over two clients; nothing is called yet."""
    catalog = Catalog(WireCatalogSource(database, settings.catalog_table), clock, settings.catalog_max_age_ms)
    payee_keys = CachedSecret(vault, settings.payee_keys_secret, PayeeKeys.parse, clock)
    parties = WireParties(database, settings.parties_table, clock, settings.catalog_max_age_ms)
    store = Replenishments(database, settings.ledger_table)
    redeem = _redeem_desk(settings, database, catalog, parties, store, clock)
    session = _session_desk(settings, vault, payee_keys, clock, random_bytes)
    wallet = _wallet_desk(settings, database, catalog, store, lambda: bytes.fromhex(payee_keys().hash))
    rewards = WireRewards(database, settings.ledger_table)
    address_key = CachedSecret(vault, settings.address_keys_secret, AddressKeys.parse, clock)

    def tell(session: Session, reward: Reward) -> None:
        tell_worker(wallet, session, reward, clock())

    return ChannelDesk(
        session=session,
        members=MemberDesk(redeem, session, WireMemberships(database, settings.parties_table)),
        redeem=redeem,
        replenish=ReplenishDesk(store, parties.party),
        wallet=wallet,
        names=NameDesk(rewards, tell, lambda: bytes.fromhex(payee_keys().seal), random_bytes, clock),
        addresses=AddressDesk(rewards, address_key, random_bytes, clock),
        workspace=WorkspaceDesk(store, catalog, parties.party, redeem.zone),
        meter=meter,
        clock_ms=clock,
        link_base=settings.link_base.rstrip("/").lower(),
        sdk=_wechat_sdk(settings, vault, clock, random_bytes),
    )


def _session_desk(
    settings: ChannelSettings,
    vault: Caller,
    payee_keys: CachedSecret[PayeeKeys],
    clock: Callable[[], int],
    random_bytes: Callable[[int], bytes],
) -> SessionDesk:
    place = wechat_place(settings, vault, clock)
    return SessionDesk(
        keys=CachedSecret(vault, settings.session_keys_secret, SessionKeys.parse, clock),
        provider=identity_provider(settings.identity_provider, payee_keys, random_bytes, place),
        provider_name=settings.identity_provider,
        random_bytes=random_bytes,
    )


def _redeem_desk(
    settings: ChannelSettings,
    database: Caller,
    catalog: Catalog,
    parties: WireParties,
    store: Replenishments,
    clock: Callable[[], int],
) -> RedeemDesk:
    return RedeemDesk(
        rewards=WireLedger(database, settings.ledger_table),
        store=store,
        catalog=catalog,
        brakes=Brakes(catalog, clock),
        limits=WireLimits(database, settings.limits_table),
        party_of=parties.party,
        membership_of=WireMemberships(database, settings.parties_table).membership,
        zone=ZoneInfo(settings.time_zone),
    )


def _wallet_desk(
    settings: ChannelSettings,
    database: Caller,
    catalog: Catalog,
    store: Replenishments,
    code_key: Callable[[], bytes],
) -> WalletDesk:
    return WalletDesk(
        lists=OwnerLists(database, settings.ledger_table),
        reward=RewardDesk(WireLedger(database, settings.ledger_table), catalog, settings.confirm_url),
        catalog=catalog,
        scans=WireScans(database, settings.scans_table),
        codes=store,
        code_key=code_key,
        zone=ZoneInfo(settings.time_zone),
    )


def _wechat_sdk(
    settings: ChannelSettings,
    vault: Caller,
    clock: Callable[[], int],
    random_bytes: Callable[[int], bytes],
) -> WeChatSdk | None:
    """What signs pages for WeChat's scanner; None where people do not sign in by WeChat, or no app is set."""
    if settings.identity_provider != "wechat" or not (settings.wechat_app_id and settings.wechat_app_secret):
        return None
    app = CachedSecret(vault, settings.wechat_app_secret, WeChatApp.parse, clock)
    return WeChatSdk(app, HttpsExchange(settings.wechat_api_base), random_bytes, clock)
