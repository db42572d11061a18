"""The console's desk: settings to adapters, once per container, at the first request. Used by functions/console_api.

`open_operators` is the part a deployment needs before anyone can sign in.
"""

import functools
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import boto3
import msgspec
from pynamodb.connection import Connection

from uncap.adapters.audited_writes import AuditedWrites
from uncap.adapters.batch_numbers import next_batch_no
from uncap.adapters.cached_secret import CachedSecret
from uncap.adapters.catalog import Catalog
from uncap.adapters.documents import DocumentTable
from uncap.adapters.models import CatalogItem, FlowItem, InsightItem, LedgerItem, PartyItem, ScanItem, open_tables
from uncap.domain.codes.scheme import Keyring
from uncap.domain.operators import Operator
from uncap.runtime.settings import ConsoleSettings, read
from uncap.services.desk import Desk
from uncap.services.sign_in_operator import ensure_operator

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class _OperatorKeys(msgspec.Struct):
    current: str
    keys: dict[str, str]


class _DrawKeys(msgspec.Struct):
    master: str


def clock_ms() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


@functools.cache
def desk() -> Desk:
    """The desk of this deployment. Raises msgspec.ValidationError naming a missing setting."""
    settings = read(ConsoleSettings)
    return build_desk(settings, clock_ms)


def build_desk(settings: ConsoleSettings, clock: Callable[[], int]) -> Desk:
    """A desk over the tables named in the settings; nothing is called yet."""
    connection = open_tables(
        {
            CatalogItem: settings.catalog_table,
            PartyItem: settings.parties_table,
            FlowItem: settings.flow_table,
            LedgerItem: settings.ledger_table,
            InsightItem: settings.insights_table,
            ScanItem: settings.scans_table,
        }
    )
    catalog, parties = DocumentTable(CatalogItem), DocumentTable(PartyItem)
    client = functools.cache(_secrets_client)
    return Desk(
        catalog=Catalog(catalog, clock, 0),
        catalog_docs=catalog,
        parties=parties,
        flow=DocumentTable(FlowItem),
        writes=_writes(connection, parties, clock, settings.time_zone),
        clock_ms=clock,
        random_bytes=secrets.token_bytes,
        next_batch_no=next_batch_no,
        keyring=CachedSecret(client, settings.code_keys_secret, Keyring.parse, clock),
        operator_keys=CachedSecret(client, settings.operator_keys_secret, _operator_keys, clock),
        draw_master=CachedSecret(client, settings.draw_keys_secret, _draw_master, clock),
        link_base=settings.link_base,
        cache_age_ms=settings.catalog_max_age_ms,
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


def _secrets_client() -> "SecretsManagerClient":
    return boto3.client("secretsmanager")


def _operator_keys(text: str) -> tuple[str, Mapping[str, bytes]]:
    parsed = msgspec.json.decode(text, type=_OperatorKeys)
    return parsed.current, {name: bytes.fromhex(key) for name, key in parsed.keys.items()}


def _draw_master(text: str) -> bytes:
    return bytes.fromhex(msgspec.json.decode(text, type=_DrawKeys).master)
