"""The wiring itself: settings in, tools out, payees opened with the secret's key and nobody else's."""

import json
from pathlib import Path

import pytest

from dev.rail_simulator.keys import ensure_rail_keys
from tests.unit.domain.rewards.rewards import reward
from uncap.adapters.wechat_rank import WeChatRank
from uncap.domain.campaigns.places import case_of
from uncap.domain.errors import InputError, PoisonError
from uncap.domain.identity import seal_payee
from uncap.domain.rails import Rail
from uncap.domain.scans import Mark
from uncap.runtime.clock import clock_ms
from uncap.runtime.settings import PayoutSettings, ReconcileSettings, RelaySettings, read
from uncap.runtime.wiring_back import build_payouts, build_relay
from uncap.services.judge_risk import RiskGate

SEAL = bytes(range(32))
NAMES = {f"UNCAP_{name}_TABLE": name.lower() for name in ("SCANS", "CATALOG", "PARTIES", "FLOW", "LEDGER")}
PAYOUT = {
    "UNCAP_STAGE": "test",
    "UNCAP_PAYEE_KEYS_SECRET": "payees",
    "UNCAP_RAIL_KEYS_SECRET": "rail",
    "UNCAP_REWARD_QUEUE_URL": "http://127.0.0.1/q",
    "UNCAP_RAIL_BASE_URL": "http://127.0.0.1:9",
    "UNCAP_NOTIFY_URL": "http://127.0.0.1/notify",
    **NAMES,
}
RELAY = {
    "UNCAP_STAGE": "test",
    "UNCAP_DRAW_KEYS_SECRET": "draw",
    "UNCAP_CODE_KEYS_SECRET": "codes",
    "UNCAP_REWARD_QUEUE_URL": "http://127.0.0.1/q",
    "UNCAP_PARKED_QUEUE_URL": "http://127.0.0.1/p",
    **NAMES,
}


class Vault:
    """Secrets by id, as the wire client gives them."""

    def __init__(self, secrets: dict[str, object]) -> None:
        self.secrets = secrets

    def call(self, operation: str, body: bytes) -> bytes:
        return json.dumps({"SecretString": json.dumps(self.secrets[json.loads(body)["SecretId"]])}).encode()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault({"payees": {"hash": "00" * 32, "seal": SEAL.hex()}, "rail": ensure_rail_keys(tmp_path)})


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")


def test_the_payout_functions_open_payees_with_the_secrets_key(vault: Vault) -> None:
    tools = build_payouts(read(PayoutSettings, PAYOUT), vault, vault, clock_ms)
    assert set(tools.payouts.rails) == {"cash", "points", "trade_credit", "goods_voucher", "accrual"}
    rail: Rail = tools.payouts.rails["cash"]
    assert rail.capabilities.needs_user_action
    sealed = seal_payee(SEAL, "p1", "openid-1", bytes(12))
    assert tools.payouts.open_payee(reward(payee=sealed)) == "openid-1"
    with pytest.raises(PoisonError, match="payee_unreadable"):
        tools.payouts.open_payee(reward(payee=sealed, party="p2"))


def test_the_gate_is_as_the_settings_say(vault: Vault) -> None:
    def gate(**more: str) -> RiskGate | None:
        return build_relay(read(RelaySettings, {**RELAY, **more}), vault, vault, clock_ms).granter.gate

    assert gate() is None
    assert gate(UNCAP_RISK_RULES="off") is None
    plain = gate(UNCAP_RISK_RULES="{}")
    assert plain is not None
    assert plain._ranks is None
    secrets = {"UNCAP_PAYEE_KEYS_SECRET": "payees", "UNCAP_WECHAT_APP_SECRET": "app"}
    assert (without := gate(UNCAP_RISK_RULES="{}", **secrets)) is not None
    assert without._ranks is None, "no address, no question"
    asking = gate(UNCAP_RISK_RULES="{}", UNCAP_RISK_ADDRESS="203.0.113.7", **secrets)
    assert asking is not None
    assert isinstance(asking._ranks, WeChatRank)
    sealed = seal_payee(SEAL, "p1", "openid-1", bytes(12))
    assert asking._ranks._openid_of(Mark("c", 1, "claim", "p1", payee=sealed)) == "openid-1"
    with pytest.raises(InputError, match="risk_rules_invalid"):
        gate(UNCAP_RISK_RULES='{"*": {"crwod": 3}}')


def test_openings_are_counted_by_the_stored_packing(vault: Vault) -> None:
    targeting = build_relay(read(RelaySettings, RELAY), vault, vault, clock_ms).granter.targeting
    assert targeting is not None
    assert targeting.case_of is not case_of


def test_reconcile_runs_with_and_without_a_rail() -> None:
    settings = read(ReconcileSettings, RELAY)
    assert (settings.rail_keys_secret, settings.rail_base_url) == ("", "")
    assert build_relay(settings, Vault({}), Vault({}), clock_ms).rail is None
    assert build_relay(read(RelaySettings, RELAY), Vault({}), Vault({}), clock_ms).granter.pool is not None
