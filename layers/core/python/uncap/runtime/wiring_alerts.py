"""The alert job's tools, and the console's share of them: settings to adapters, once per container."""

import functools
from collections.abc import Callable
from typing import Any

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from uncap.adapters.alert_outbox import AlertOutbox
from uncap.adapters.documents import DocumentTable
from uncap.adapters.models import CatalogItem, InsightItem, open_tables
from uncap.adapters.secrets_wire import CachedSecret
from uncap.adapters.webhook import Webhook
from uncap.adapters.wire.client import SECRETS_MANAGER, connect
from uncap.adapters.wire.credentials import credential_source
from uncap.adapters.wire.dynamodb import Caller
from uncap.domain.alerts import ROUTES_PK, Alert, AlertRoute
from uncap.domain.errors import ConflictError, TransientError
from uncap.runtime.clock import clock_ms
from uncap.runtime.settings import AlertSettings, read
from uncap.services.alert_desk import AlertDesk
from uncap.services.send_alerts import AlertTools


class _AlertKeys(msgspec.Struct):
    master: str


@functools.cache
def alert_tools() -> AlertTools:
    """The tools of this deployment. Raises msgspec.ValidationError naming a missing setting."""
    vault = connect(SECRETS_MANAGER, clock_ms=clock_ms, credentials=credential_source(clock_ms))
    return build_alerts(read(AlertSettings), vault, clock_ms)


def build_alerts(settings: AlertSettings, vault: Caller, clock: Callable[[], int]) -> AlertTools:
    """Tools over the tables, secret and topic named in the settings; nothing is called yet."""
    open_tables({CatalogItem: settings.catalog_table, InsightItem: settings.insights_table})
    table = DocumentTable(CatalogItem)

    def routes() -> list[AlertRoute]:
        return [msgspec.json.decode(doc, type=AlertRoute) for _, doc in table.query(ROUTES_PK)]

    return AlertTools(
        AlertOutbox(clock),
        routes,
        Webhook(allow_loopback=settings.alert_loopback),
        _topic(settings.alert_topic_arn) if settings.alert_topic_arn else None,
        CachedSecret(vault, settings.alert_keys_secret, _master, clock),
        clock,
    )


def alert_desk(secret: str, vault: Caller, clock: Callable[[], int], *, allow_loopback: bool) -> AlertDesk:
    """The console's; without a secret no route can be set."""

    def unset() -> bytes:
        raise ConflictError("alerts_not_configured", "this deployment has no key to sign alerts with")

    master = CachedSecret(vault, secret, _master, clock) if secret else unset
    return AlertDesk(AlertOutbox(clock), master, allow_loopback)


def _topic(arn: str) -> Callable[[Alert, bytes], None]:
    config = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3})
    sns: Any = boto3.client("sns", config=config)

    def publish(alert: Alert, body: bytes) -> None:
        attributes = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in (("kind", alert.kind), ("party", alert.party_id), ("region", alert.region))
            if value
        }
        try:
            sns.publish(
                TopicArn=arn,
                Subject=f"uncap {alert.kind} {alert.subject}"[:100],
                Message=body.decode(),
                MessageAttributes=attributes,
            )
        except (BotoCoreError, ClientError) as cause:
            raise TransientError("topic_unavailable", "the topic did not take an alert") from cause

    return publish


def _master(text: str) -> bytes:
    return bytes.fromhex(msgspec.json.decode(text, type=_AlertKeys).master)
