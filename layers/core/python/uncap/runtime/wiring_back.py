"""The money functions' tools: settings to adapters, once per container, at the first event.

Used by reward_relay, reconcile_job, payout_worker, payout_callback, sweeper_job and `uncap redrive`.
"""

import functools
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.adapters.catalog_lists import every_release
from uncap.adapters.decisions import WireDecisions
from uncap.adapters.documents import DocumentTable
from uncap.adapters.flow import DynamoChannel, DynamoFlow
from uncap.adapters.ledger_hot import HotLedger
from uncap.adapters.levels import Levels
from uncap.adapters.members import DynamoMembers
from uncap.adapters.models import CatalogItem, FlowItem, LedgerItem, PartyItem, ScanItem, open_tables
from uncap.adapters.parties import DynamoParties
from uncap.adapters.rail_pace import WirePace
from uncap.adapters.rails.all_accounts import AllAccounts
from uncap.adapters.rails.registry import CashRails, build_fleet, fleet_of, own_rails
from uncap.adapters.reward_queue import SqsParkedQueue, SqsRewardQueue, sqs_client
from uncap.adapters.rule_sets import CachedRuleSets
from uncap.adapters.scans_stream import DynamoScans
from uncap.adapters.secrets_wire import CachedSecret
from uncap.adapters.wire.client import DYNAMODB, SECRETS_MANAGER, connect
from uncap.adapters.wire.credentials import credential_source
from uncap.adapters.wire.dynamodb import Caller
from uncap.domain.catalog import Release
from uncap.domain.identity import open_name, open_payee
from uncap.domain.prizes.commitment import derive_seed
from uncap.domain.prizes.laying import laid_prize
from uncap.domain.rails import Books
from uncap.domain.rewards.ports import DelayedQueue, ParkedQueue, ScanReader, ShipmentReader
from uncap.domain.rewards.reward import Reward
from uncap.runtime.clock import clock_ms
from uncap.runtime.packing import stored_packing
from uncap.runtime.settings import PayoutSettings, ReconcileSettings, RelaySettings, read
from uncap.runtime.wiring_closings import open_closings
from uncap.runtime.wiring_draws import open_drawing
from uncap.runtime.wiring_returns import open_returns
from uncap.runtime.wiring_risk import open_gate
from uncap.services.decide_claims import Targeting
from uncap.services.find_case import CaseOf, stored_case_of
from uncap.services.grant_rewards import Granter
from uncap.services.run_closings import Closings
from uncap.services.schedule_payouts import Scheduler
from uncap.services.settle_payout import Payouts
from uncap.services.stop_money import Brakes
from uncap.services.take_back_returns import ReturnTools

PUT_THREADS = 8
PAY_THREADS = 4
_CALLS = 2
"""A payout's calls to the rail at worst: the submit that got no answer, and the question what became of it."""
_BESIDES_MS = 1_000


@dataclass(frozen=True)
class RelayTools:
    """What reward_relay and reconcile_job work with. `rail` is None where no statement is compared."""

    granter: Granter
    scans: ScanReader
    parking: ParkedQueue
    clock_ms: Callable[[], int]
    releases: Callable[[], Iterable[Release]]
    rail: Books | None = None
    closings: Closings | None = None
    returns: ReturnTools | None = None


@dataclass(frozen=True)
class PayoutTools:
    """What payout_worker, payout_callback and sweeper_job work with. `books`: whose notices are believed.

    `reserve_ms`: how long one payout may take; with less time left, a worker begins none.
    """

    payouts: Payouts
    shipments: ShipmentReader
    queue: DelayedQueue
    first_look_s: int
    pool: ThreadPoolExecutor
    books: Books | None = None
    reserve_ms: int = 0


@functools.cache
def relay_tools() -> RelayTools:
    """The relay's tools. Raises msgspec.ValidationError naming a missing setting."""
    return build_relay(read(RelaySettings), _vault(), _tables(), clock_ms)


@functools.cache
def reconcile_tools() -> RelayTools:
    """The reconcile job's tools: the relay's, and the cash rail for its statement if one is configured."""
    settings = read(ReconcileSettings)
    cash = _cash(settings, _vault(), clock_ms)
    return build_relay(settings, _vault(), _tables(), clock_ms, rail=_books(cash))


@functools.cache
def payout_tools() -> PayoutTools:
    """The payout functions' tools."""
    return build_payouts(read(PayoutSettings), _vault(), _tables(), clock_ms)


def build_relay(
    settings: RelaySettings, vault: Caller, tables: Caller, clock: Callable[[], int], rail: Books | None = None
) -> RelayTools:
    """Tools over the tables and queues named in the settings; `tables` speaks to DynamoDB. Nothing is called yet."""
    connection = open_tables(
        {
            ScanItem: settings.scans_table,
            CatalogItem: settings.catalog_table,
            PartyItem: settings.parties_table,
            FlowItem: settings.flow_table,
            LedgerItem: settings.ledger_table,
        }
    )
    master = CachedSecret(vault, settings.draw_keys_secret, _draw_master, clock)
    sqs, source = sqs_client(), DocumentTable(CatalogItem)
    pool = ThreadPoolExecutor(PUT_THREADS, thread_name_prefix="put")
    catalog = Catalog(source, clock, settings.catalog_max_age_ms)
    parties = DynamoParties(clock, settings.catalog_max_age_ms)
    packing = stored_packing(connection, catalog, clock, settings.catalog_max_age_ms)
    levels = Levels(catalog, packing, parties.party)
    channel = DynamoChannel(DynamoFlow(clock, settings.catalog_max_age_ms, levels), parties)
    ledger = HotLedger(tables, settings.ledger_table)
    granter = Granter(
        catalog=catalog,
        channel=channel,
        ledger=ledger,
        queue=SqsRewardQueue(sqs, settings.reward_queue_url, pool=pool),
        laid_prize=lambda release, index: laid_prize(release, derive_seed(master(), release.release_id), index),
        brakes=Brakes(catalog, clock, packing=packing),
        clock_ms=clock,
        own=own_rails(),
        pool=pool,
        targeting=_targeting(settings, tables, source, catalog, channel, stored_case_of(packing)),
        gate=open_gate(settings, vault, tables, catalog, clock, stored_case_of(packing), parties.party),
        drawing=open_drawing(ledger, catalog, master, clock, settings.time_zone),
    )
    scans, parking = DynamoScans(connection), SqsParkedQueue(sqs, settings.parked_queue_url)
    closings = open_closings(granter, scans, source, master)
    returns = open_returns(connection, catalog, parties.party, clock)
    return RelayTools(granter, scans, parking, clock, lambda: every_release(source, catalog), rail, closings, returns)


def _targeting(
    settings: RelaySettings,
    tables: Caller,
    source: DocumentTable,
    catalog: Catalog,
    tree: DynamoChannel,
    case_of: CaseOf,
) -> Targeting:
    """What decides the claims of campaigns with rules (ADR 0017)."""
    decisions = WireDecisions(tables, settings.ledger_table)
    zone = ZoneInfo(settings.time_zone)
    return Targeting(CachedRuleSets(source), decisions, tree, DynamoMembers(), catalog, zone, case_of)


def build_payouts(settings: PayoutSettings, vault: Caller, tables: Caller, clock: Callable[[], int]) -> PayoutTools:
    """Tools over the tables, queue and rails named in the settings; the rail's keys are fetched."""
    connection = open_tables(
        {CatalogItem: settings.catalog_table, FlowItem: settings.flow_table, LedgerItem: settings.ledger_table}
    )
    seal = CachedSecret(vault, settings.payee_keys_secret, _seal_key, clock)

    def payee_of(reward: Reward) -> str:
        return open_payee(seal(), reward.payee_person, reward.payee)

    def name_of(reward: Reward) -> str:
        return open_name(seal(), reward.reward_id, reward.name)

    catalog = Catalog(DocumentTable(CatalogItem), clock, settings.catalog_max_age_ms)
    packing = stored_packing(connection, catalog, clock, 0)
    cash = _cash(settings, vault, clock)
    payouts = Payouts(
        ledger=HotLedger(tables, settings.ledger_table),
        catalog=catalog,
        brakes=Brakes(catalog, clock, packing=packing),
        rails=cash.rails if cash else {},
        open_payee=payee_of,
        clock_ms=clock,
        notify_url=settings.notify_url,
        open_name=name_of,
        accounts=cash.accounts if cash else {},
        scheduler=_scheduler(settings, cash, tables),
    )
    return PayoutTools(
        payouts,
        DynamoFlow(levels=Levels(catalog, packing, lambda _: None)),  # no tree here: docs/adr/0013, "Bounds"
        SqsRewardQueue(sqs_client(), settings.reward_queue_url),
        settings.first_look_s,
        ThreadPoolExecutor(PAY_THREADS, thread_name_prefix="pay"),
        _books(cash),
        _CALLS * settings.rail_timeout_ms + _BESIDES_MS,
    )


def _cash(settings: PayoutSettings | ReconcileSettings, vault: Caller, clock: Callable[[], int]) -> CashRails | None:
    if not settings.rail_keys_secret or not settings.rail_base_url:
        return None
    keys = CachedSecret(vault, settings.rail_keys_secret, _object, clock)()
    return build_fleet(fleet_of(keys), settings.rail_base_url, timeout_ms=settings.rail_timeout_ms, now_ms=clock)


def _books(cash: CashRails | None) -> Books | None:
    return AllAccounts(tuple(cash.accounts.values())) if cash else None


def _scheduler(settings: PayoutSettings, cash: CashRails | None, tables: Caller) -> Scheduler | None:
    if not settings.limits_table or not cash:
        return None
    pace = WirePace(tables, settings.limits_table)
    clock_us = lambda: time.time_ns() // 1_000  # noqa: E731  # one word in one place
    return Scheduler(pace, cash.limits, cash.routes, clock_us, time.sleep, settings.payout_workers)


@functools.cache
def _vault() -> Caller:
    return connect(SECRETS_MANAGER, clock_ms=clock_ms, credentials=credential_source(clock_ms))


@functools.cache
def _tables() -> Caller:
    return connect(DYNAMODB, clock_ms=clock_ms, credentials=credential_source(clock_ms))


def _object(text: str) -> dict[str, Any]:
    return msgspec.json.decode(text, type=dict[str, Any])


def _draw_master(text: str) -> bytes:
    return bytes.fromhex(_object(text)["master"])


def _seal_key(text: str) -> bytes:
    return bytes.fromhex(_object(text)["seal"])
