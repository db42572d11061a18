"""The risk gate's tools: settings to adapters. Used by `wiring_back.py` for the relay and the reconcile job."""

from collections.abc import Callable

from uncap.adapters.catalog import Catalog
from uncap.adapters.identity import PayeeKeys
from uncap.adapters.risk_wire import WireRiskWindows
from uncap.adapters.secrets_wire import CachedSecret
from uncap.adapters.wechat_identity import WeChatApp
from uncap.adapters.wechat_rank import HttpsPost, WeChatRank
from uncap.adapters.wire.dynamodb import Caller
from uncap.domain.catalog import Party
from uncap.domain.identity import open_payee
from uncap.domain.risk import read_rules
from uncap.domain.scans import Mark
from uncap.runtime.settings import RelaySettings
from uncap.services.find_case import CaseOf
from uncap.services.judge_risk import RiskGate, RiskRank


def open_gate(
    settings: RelaySettings,
    vault: Caller,
    tables: Caller,
    catalog: Catalog,
    clock: Callable[[], int],
    case_of: CaseOf,
    party_of: Callable[[str], Party | None],
) -> RiskGate | None:
    """What holds suspicious claims (ADR 0026); None where it is switched off. Nothing is called yet."""
    if settings.risk_rules == "off":
        return None
    shared = WireRiskWindows(tables, settings.limits_table) if settings.limits_table else None
    rules, ranks = read_rules(settings.risk_rules), _ranks(settings, vault, clock)
    return RiskGate(catalog, rules, shared, ranks, case_of=case_of, party_of=party_of)


def _ranks(settings: RelaySettings, vault: Caller, clock: Callable[[], int]) -> RiskRank | None:
    """Only for whom a deployment lets see payees: they are opened here, and nowhere else before they are paid."""
    if not (settings.risk_address and settings.payee_keys_secret and settings.wechat_app_secret):
        return None
    keys = CachedSecret(vault, settings.payee_keys_secret, PayeeKeys.parse, clock)
    app = CachedSecret(vault, settings.wechat_app_secret, WeChatApp.parse, clock)

    def openid_of(claim: Mark) -> str:
        return open_payee(bytes.fromhex(keys().seal), claim.person, claim.payee)

    return WeChatRank(app, openid_of, settings.risk_address, HttpsPost(settings.wechat_api_base), clock)
