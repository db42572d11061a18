"""Every environment variable uncap reads, declared once; the only module that touches `os.environ`.

Each function reads its own settings class through `read`; `tests/contract` holds template.yaml to these declarations.
Values are names and tuning, never secrets: those are fetched from Secrets Manager by the ARN given here.
"""

import os
from collections.abc import Mapping
from typing import TypeVar

import msgspec


class _Common(msgspec.Struct, frozen=True, kw_only=True, rename=lambda name: f"UNCAP_{name.upper()}"):
    stage: str
    time_zone: str = "Asia/Shanghai"
    catalog_max_age_ms: int = 5_000


class ScanSettings(_Common, frozen=True, kw_only=True):
    """scan_api."""

    scans_table: str
    catalog_table: str
    ledger_table: str
    limits_table: str
    parties_table: str  # invitations and memberships only; the role allows no other partition
    code_keys_secret: str
    session_keys_secret: str
    payee_keys_secret: str
    identity_provider: str = "local"  # local | wechat
    wechat_app_id: str = ""
    wechat_app_secret: str = ""  # the WeChatApp secret's ARN
    wechat_api_base: str = "https://api.weixin.qq.com"
    link_base: str = ""  # scheme://host of printed links; empty: the host the request came to
    confirm_url: str = ""  # where a payout that waits for the person's tap is confirmed outside WeChat (local stack)
    clone_threshold: int = 10  # scans of one outer code after which the page warns of copies


class ChannelSettings(_Common, frozen=True, kw_only=True):
    """channel_api: redemptions, claims, the wallet."""

    scans_table: str
    catalog_table: str
    ledger_table: str
    limits_table: str
    parties_table: str
    session_keys_secret: str
    payee_keys_secret: str
    address_keys_secret: str
    identity_provider: str = "local"
    wechat_app_id: str = ""
    wechat_app_secret: str = ""  # the WeChatApp secret's ARN
    wechat_api_base: str = "https://api.weixin.qq.com"
    link_base: str = ""
    confirm_url: str = ""


class ConsoleSettings(_Common, frozen=True, kw_only=True):
    """console_api."""

    alert_keys_secret: str = ""  # empty: no alert routes can be set
    alert_loopback: bool = False
    scans_table: str
    catalog_table: str
    parties_table: str
    flow_table: str
    ledger_table: str
    insights_table: str
    code_keys_secret: str
    draw_keys_secret: str
    operator_keys_secret: str
    address_keys_secret: str
    reward_queue_url: str
    events_table: str
    uploads_bucket: str
    intake_queue_url: str
    link_base: str = ""


class RelaySettings(_Common, frozen=True, kw_only=True):
    """reward_relay (and, with more, reconcile_job): from a claim to its rewards on the queue."""

    scans_table: str
    catalog_table: str
    parties_table: str
    flow_table: str
    ledger_table: str
    draw_keys_secret: str
    code_keys_secret: str
    reward_queue_url: str
    parked_queue_url: str
    limits_table: str = ""  # where relays tell each other what they saw; "": each judges by itself
    risk_rules: str = "off"  # or JSON of RiskRules by campaign id, "*" for all others (docs/risk.md)
    risk_address: str = ""  # told to WeChat as the visitor's when it is asked for a rank; "": it is not asked
    payee_keys_secret: str = ""
    wechat_app_secret: str = ""
    wechat_api_base: str = "https://api.weixin.qq.com"


class ReconcileSettings(RelaySettings, frozen=True, kw_only=True):
    """reconcile_job: also compares the rail's statement where it is given the rail (both empty: it does not)."""

    rail_keys_secret: str = ""
    rail_base_url: str = ""
    rail_timeout_ms: int = 5_000


class PayoutSettings(_Common, frozen=True, kw_only=True):
    """payout_worker, payout_callback and sweeper_job."""

    catalog_table: str
    flow_table: str
    ledger_table: str
    payee_keys_secret: str
    rail_keys_secret: str
    reward_queue_url: str
    rail_base_url: str
    notify_url: str
    rail_timeout_ms: int = 5_000
    limits_table: str = ""  # where workers share the rail's rate and daily limits; "" for who never submits
    payout_workers: int = 0  # at most so many at once: each keeps its share of a rate; 0: the table gives slots out
    first_look_s: int = 300  # after this long without a callback the rail is asked; at most 900 (SQS)


class ProjectorSettings(_Common, frozen=True, kw_only=True):
    """scan_projector."""

    catalog_table: str
    parties_table: str
    flow_table: str
    insights_table: str
    archive_bucket: str
    parked_queue_url: str
    diversion_margin_m: int = 5_000
    diversion_min_people: int = 3
    diversion_min_cases: int = 2
    diversion_travel_ppm: int = 10_000  # of a shipment's scans, how many innocents carry to any one other place
    diversion_border_ppm: int = 500_000  # added to that at the border, falling off by e every 10 km
    diversion_odds: float = 100.0  # how many times likelier diversion must be than innocence
    diversion_odds_without_top: float = 2.2  # the same without the most telling case
    signal_apart_km: int = 200  # bottles of one case so far apart raise a signal; 0: never
    signal_apart_days: int = 14
    signal_many_mates: int = 8  # so many bottles of one case by one person raise a signal; 0: never


class AlertSettings(_Common, frozen=True, kw_only=True):
    """alert_job."""

    catalog_table: str
    insights_table: str
    alert_keys_secret: str
    alert_topic_arn: str = ""
    alert_loopback: bool = False  # the local stack and tests: plain HTTP to this machine


class AboutSettings(_Common, frozen=True, kw_only=True):
    """about_page."""

    catalog_table: str
    parties_table: str
    flow_table: str
    code_keys_secret: str


class IntakeSettings(_Common, frozen=True, kw_only=True):
    """intake_job: files from lines and warehouses."""

    catalog_table: str
    parties_table: str
    flow_table: str
    code_keys_secret: str
    events_table: str
    uploads_bucket: str
    intake_queue_url: str


SettingsT = TypeVar("SettingsT", bound=_Common)


def read(kind: type[SettingsT], environ: Mapping[str, str] | None = None) -> SettingsT:
    """The function's settings from its environment. Raises msgspec.ValidationError naming the variable at fault."""
    source = os.environ if environ is None else environ
    return msgspec.convert({k: v for k, v in source.items() if k.startswith("UNCAP_")}, kind, strict=False)
