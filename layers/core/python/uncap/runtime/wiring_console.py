"""The console's desk: settings to adapters, once per container, at the first request. Used by functions/console_api.

`open_operators` is the part a deployment needs before anyone can sign in.
"""

import functools
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aws_lambda_powertools import Logger
from chalice.app import ConvertToMiddleware
from pynamodb.connection import Connection

from uncap.adapters.audited_writes import AuditedWrites
from uncap.adapters.batch_numbers import next_batch_no
from uncap.adapters.catalog import Catalog
from uncap.adapters.claim_records import ClaimRecords
from uncap.adapters.documents import DocumentTable
from uncap.adapters.identity import AddressKeys
from uncap.adapters.insights import Insights
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.models import CatalogItem, FlowItem, InsightItem, LedgerItem, PartyItem, ScanItem, open_tables
from uncap.adapters.replenishments import Replenishments
from uncap.adapters.reward_lists import RewardLists
from uncap.adapters.reward_queue import SqsRewardQueue, sqs_client
from uncap.adapters.scan_ranges import ScanRanges
from uncap.adapters.scan_tombstones import ScanTombstones
from uncap.adapters.secrets_wire import CachedSecret
from uncap.adapters.uploads import IntakeQueue, UploadStore, UploadTable, s3_client
from uncap.adapters.wire.client import DYNAMODB, SECRETS_MANAGER, connect
from uncap.adapters.wire.credentials import credential_source
from uncap.adapters.wire.dynamodb import Caller
from uncap.domain.codes.scheme import Keyring
from uncap.domain.operators import Operator
from uncap.runtime.clock import clock_ms
from uncap.runtime.observability import Observer
from uncap.runtime.packing import stored_packing
from uncap.runtime.settings import ConsoleSettings, read
from uncap.runtime.wiring_alerts import alert_desk
from uncap.runtime.wiring_events import acts_on_goods, open_event_store
from uncap.services.desk import Desk
from uncap.services.sign_in_operator import ensure_operator

SERVICE = "console_api"
_MOVING_EVENTS = 100  # a request has 29 s, and each paper takes a tenth of one or less
_ACT_MS = 60_000  # longer than the gateway lets any act take


class _OperatorKeys(msgspec.Struct):
    current: str
    keys: dict[str, str]


class _DrawKeys(msgspec.Struct):
    master: str


@functools.cache
def desk() -> Desk:
    """The desk of this deployment. Raises msgspec.ValidationError naming a missing setting."""
    vault = connect(SECRETS_MANAGER, clock_ms=clock_ms, credentials=credential_source(clock_ms))
    return build_desk(read(ConsoleSettings), vault, clock_ms)


def build_desk(settings: ConsoleSettings, vault: Caller, clock: Callable[[], int]) -> Desk:
    """A desk over the tables named in the settings, secrets from `vault`; nothing is called yet."""
    connection = _connection(settings)
    catalog, parties = DocumentTable(CatalogItem), DocumentTable(PartyItem)
    fresh = Catalog(catalog, clock, 0)
    return Desk(
        catalog=fresh,
        catalog_docs=catalog,
        parties=parties,
        flow=DocumentTable(FlowItem),
        writes=_writes(connection, parties, clock, settings.time_zone),
        ledger=DynamoLedger(),
        reward_lists=RewardLists(),
        reward_queue=functools.cache(lambda: SqsRewardQueue(sqs_client(), settings.reward_queue_url)),
        uploads=UploadTable(),
        upload_store=functools.cache(lambda: UploadStore(s3_client(), settings.uploads_bucket)),
        intake_queue=functools.cache(lambda: IntakeQueue(sqs_client(), settings.intake_queue_url)),
        event_store=functools.cache(lambda: open_event_store(settings.events_table, clock)),
        insights=Insights(),
        replenishments=functools.cache(lambda: Replenishments(_tables(clock), settings.ledger_table)),
        alerts=alert_desk(settings.alert_keys_secret, vault, clock, allow_loopback=settings.alert_loopback),
        tombstones=ScanTombstones(),
        scan_ranges=ScanRanges(),
        claim_records=ClaimRecords(),
        association=stored_packing(connection, fresh, clock, 0),
        packing=lambda: stored_packing(connection, Catalog(catalog, clock, _ACT_MS), clock, _ACT_MS),
        event_goods=acts_on_goods(connection, clock, 1, _MOVING_EVENTS),
        clock_ms=clock,
        random_bytes=secrets.token_bytes,
        next_batch_no=next_batch_no,
        keyring=CachedSecret(vault, settings.code_keys_secret, Keyring.parse, clock),
        operator_keys=CachedSecret(vault, settings.operator_keys_secret, _operator_keys, clock),
        address_key=CachedSecret(vault, settings.address_keys_secret, AddressKeys.parse, clock),
        draw_master=CachedSecret(vault, settings.draw_keys_secret, _draw_master, clock),
        link_base=settings.link_base,
        cache_age_ms=settings.catalog_max_age_ms,
    )


def _tables(clock: Callable[[], int]) -> Caller:
    """DynamoDB over the wire client, for what is written in transactions of money."""
    return connect(DYNAMODB, clock_ms=clock, credentials=credential_source(clock))


def _connection(settings: ConsoleSettings) -> Connection:
    return open_tables(
        {
            CatalogItem: settings.catalog_table,
            PartyItem: settings.parties_table,
            FlowItem: settings.flow_table,
            LedgerItem: settings.ledger_table,
            InsightItem: settings.insights_table,
            ScanItem: settings.scans_table,
        }
    )


@dataclass(frozen=True, slots=True)
class Operators:
    """Creates operators in a deployment's Parties table."""

    writes: AuditedWrites
    parties: DocumentTable

    def ensure(self, login: str, password: str, role: str) -> Operator:
        """The operator with this password and role, created or changed if need be."""
        return ensure_operator(self.writes, self.parties, secrets.token_bytes, login, password, role)


def open_operators(parties_table: str, time_zone: str = "Asia/Shanghai") -> Operators:
    """For the seeder and the command line, with the caller's own AWS credentials and endpoint."""
    connection = open_tables({PartyItem: parties_table})
    parties = DocumentTable(PartyItem)
    return Operators(_writes(connection, parties, clock_ms, time_zone), parties)


def _writes(connection: Connection, parties: DocumentTable, clock: Callable[[], int], zone: str) -> AuditedWrites:
    place = ZoneInfo(zone)
    return AuditedWrites(
        connection, parties, clock, lambda at_ms: datetime.fromtimestamp(at_ms / 1000, place).date().isoformat()
    )


def _operator_keys(text: str) -> tuple[str, Mapping[str, bytes]]:
    parsed = msgspec.json.decode(text, type=_OperatorKeys)
    return parsed.current, {name: bytes.fromhex(key) for name, key in parsed.keys.items()}


def _draw_master(text: str) -> bytes:
    return bytes.fromhex(msgspec.json.decode(text, type=_DrawKeys).master)


class ConsoleWatch:
    """Powertools' log and metrics for the console: context on every line, counts flushed with every invocation."""

    def __init__(self) -> None:
        self._log = Logger(service=SERVICE)
        self._observer = Observer(SERVICE)
        self._with_context = ConvertToMiddleware(self._log.inject_lambda_context)

    def answered(self, operation: str, status: int, took_ms: int) -> None:
        """One line per request."""
        self._log.info("request", extra={"operation": operation, "status": status, "took_ms": took_ms})

    def unexpected(self, error: Exception) -> None:
        """An error nobody planned for, or a failing dependency."""
        self._observer.unexpected(error)

    def per_invocation(self, event: Any, get_response: Callable[[Any], Any]) -> Any:
        """Chalice middleware around every request."""
        try:
            return self._with_context(event, get_response) if event is not None else get_response(event)
        finally:
            self._observer.flush()
