"""The projector's tools: settings to adapters, once per container, at the first batch (functions/scan_projector)."""

import functools
from collections.abc import Callable
from zoneinfo import ZoneInfo

import boto3
from botocore.config import Config
from pynamodb.connection import Connection

from uncap.adapters.archive import ScanArchive
from uncap.adapters.case_watch import CaseWatch
from uncap.adapters.catalog import Catalog
from uncap.adapters.documents import DocumentTable
from uncap.adapters.insights_writer import SEEN_TTL_S, InsightsWriter
from uncap.adapters.levels import Levels
from uncap.adapters.models import CatalogItem, FlowItem, InsightItem, PartyItem, open_tables
from uncap.adapters.parties import DynamoParties
from uncap.adapters.receipts import ScanReceipts
from uncap.adapters.reward_queue import SqsParkedQueue, sqs_client
from uncap.adapters.scans_stream import change_of, parked_record
from uncap.adapters.shipments import CachedShipments
from uncap.domain.diversion.judgement import DiversionRule
from uncap.domain.diversion.signals import WatchRule
from uncap.runtime.clock import clock_ms
from uncap.runtime.packing import stored_packing
from uncap.runtime.settings import ProjectorSettings, read
from uncap.services.check_diversion import DiversionCheck
from uncap.services.project_scans import ProjectorTools
from uncap.services.watch_canaries import CanaryWatch


@functools.cache
def projector() -> ProjectorTools:
    """The tools of this deployment. Raises msgspec.ValidationError naming a missing setting."""
    return build_projector(read(ProjectorSettings), clock_ms)


def build_projector(
    settings: ProjectorSettings, clock: Callable[[], int], *, seen_ttl_s: int = SEEN_TTL_S
) -> ProjectorTools:
    """Tools over the tables, bucket and queue named in the settings; nothing is called yet.

    A rebuild names another Insights table in the settings and marks that live longer.
    """
    connection = open_tables(
        {
            CatalogItem: settings.catalog_table,
            PartyItem: settings.parties_table,
            FlowItem: settings.flow_table,
            InsightItem: settings.insights_table,
        }
    )
    catalog = Catalog(DocumentTable(CatalogItem), clock, settings.catalog_max_age_ms)
    s3_config = Config(connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return ProjectorTools(
        decode=change_of,
        redact=parked_record,
        observe=CanaryWatch(catalog, _check(settings, connection, clock, catalog).observe).observe,
        archive=ScanArchive(boto3.client("s3", config=s3_config), settings.archive_bucket),
        insights=InsightsWriter(
            connection, rule_of(settings), clock, seen_ttl_s=seen_ttl_s, alerts=seen_ttl_s == SEEN_TTL_S
        ),
        parking=SqsParkedQueue(sqs_client(), settings.parked_queue_url),
        receipts=ScanReceipts(ZoneInfo(settings.time_zone)),
        watch=_watch(settings, connection, clock, alerts=seen_ttl_s == SEEN_TTL_S),
        clock_ms=clock,
    )


def rule_of(settings: ProjectorSettings) -> DiversionRule:
    """The thresholds in force."""
    return DiversionRule(
        margin_m=settings.diversion_margin_m,
        min_people=settings.diversion_min_people,
        min_cases=settings.diversion_min_cases,
        travel_ppm=settings.diversion_travel_ppm,
        border_ppm=settings.diversion_border_ppm,
        odds=settings.diversion_odds,
        odds_without_top=settings.diversion_odds_without_top,
    )


def _watch(
    settings: ProjectorSettings, connection: Connection, clock: Callable[[], int], *, alerts: bool
) -> CaseWatch | None:
    """None where both thresholds are 0: then no case is remembered, and nothing is paid for it."""
    if not settings.signal_apart_km and not settings.signal_many_mates:
        return None
    rule = WatchRule(settings.signal_apart_km, settings.signal_apart_days, many_mates=settings.signal_many_mates)
    return CaseWatch(connection, rule, clock, alerts=alerts)


def _check(
    settings: ProjectorSettings, connection: Connection, clock: Callable[[], int], catalog: Catalog
) -> DiversionCheck:
    max_age_ms = settings.catalog_max_age_ms
    parties = DynamoParties(clock, max_age_ms)
    association = stored_packing(connection, catalog, clock, max_age_ms)
    return DiversionCheck(
        catalog,
        CachedShipments(clock, max_age_ms, Levels(catalog, association, parties.party)),
        parties,
        ZoneInfo(settings.time_zone),
        settings.diversion_margin_m,
        association,
    )
