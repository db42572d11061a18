"""The scan path over real HTTP against moto, wired from environment variables as on Lambda. Serial tests only."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from dev.build_web import build
from tests.kits.moto_bridge import REGION, MotoBridge
from tests.kits.scan_kit import code_keys, documents, payee_keys, serial_of, session_keys
from uncap.adapters.wire.client import DYNAMODB, WireClient, connect
from uncap.domain.codes.scheme import Keyring
from uncap.runtime import wiring_scan
from uncap.runtime.clock import clock_ms

TABLES = {"Scans": ("pk",), "Limits": ("pk",), "Ledger": ("pk",), "Catalog": ("pk", "sk"), "Parties": ("pk", "sk")}


class Stack:
    """moto's tables and secrets, and the handler over them."""

    def __init__(self, bridge: MotoBridge) -> None:
        self.environ = {
            "AWS_ENDPOINT_URL": bridge.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
        }
        self.dynamodb: DynamoDBClient = bridge.client("dynamodb")
        for name, keys in TABLES.items():
            self.dynamodb.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                KeySchema=[
                    {"AttributeName": key, "KeyType": "RANGE" if position else "HASH"}
                    for position, key in enumerate(keys)
                ],
            )
        codes = code_keys()
        self.keyring = Keyring.parse(codes)
        for name, value in (("codes", codes), ("sessions", session_keys()), ("payees", payee_keys())):
            bridge.client("secretsmanager").create_secret(Name=name, SecretString=value)
        self.environ |= {f"UNCAP_{name.upper()}_TABLE": name for name in TABLES} | {
            "UNCAP_STAGE": "test",
            "UNCAP_CODE_KEYS_SECRET": "codes",
            "UNCAP_SESSION_KEYS_SECRET": "sessions",
            "UNCAP_PAYEE_KEYS_SECRET": "payees",
        }
        self.put_catalog()

    def put_catalog(self, **parts: Any) -> None:
        for (pk, sk), doc in documents(**parts).items():
            self.dynamodb.put_item(TableName="Catalog", Item={"pk": {"S": pk}, "sk": {"S": sk}, "doc": {"S": doc}})

    def client(self) -> WireClient:
        """A fresh wire client to moto's DynamoDB."""
        return connect(DYNAMODB, clock_ms=clock_ms, variables=self.environ)

    def serial(self, index: int) -> str:
        return serial_of(self.keyring, index)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    build()
    with MotoBridge() as bridge:
        yield Stack(bridge)


@pytest.fixture
def handler(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """functions/scan_api as Lambda would call it, in a fresh container."""
    from functions.scan_api.handler import handler  # after the environment's layers are in place

    for name in list(os.environ):
        if name.startswith(("AWS_", "UNCAP_")):
            monkeypatch.delenv(name)
    for name, value in stack.environ.items():
        monkeypatch.setenv(name, value)
    wiring_scan.scan_handler.cache_clear()
    return handler
