"""`uncap keys`: every secret is filled once, in the documented shape, and never again."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from cli.keys import GENERATORS, RAIL_FIELDS, ensure_secrets, secret_name

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

RAIL = {name: f"value of {name}" for name in RAIL_FIELDS}
HEX = re.compile(r"[0-9a-f]{64}")


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator["SecretsManagerClient"]:
    """A region with the stage's secrets as the template makes them: without any value."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="us-east-1")
        for kind in (*GENERATORS, "rail-keys"):
            client.create_secret(Name=secret_name("prod", kind))
        yield client
        client.close()


def value(vault: "SecretsManagerClient", kind: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(vault.get_secret_value(SecretId=secret_name("prod", kind))["SecretString"])
    return found


def test_everything_is_written_once(vault: "SecretsManagerClient") -> None:
    assert set(ensure_secrets(vault, "prod", RAIL)) == {*GENERATORS, "rail-keys"}
    before = {kind: value(vault, kind) for kind in (*GENERATORS, "rail-keys")}
    assert ensure_secrets(vault, "prod", dict.fromkeys(RAIL_FIELDS, "another")) == []
    assert {kind: value(vault, kind) for kind in before} == before
    assert before["rail-keys"] == RAIL


def test_the_shapes_are_those_of_the_contract(vault: "SecretsManagerClient") -> None:
    ensure_secrets(vault, "prod")
    epochs = value(vault, "code-keys")["epochs"]
    assert isinstance(epochs, dict)
    assert epochs["1"]["state"] == "minting"
    assert HEX.fullmatch(epochs["1"]["key"])
    for kind in ("session-keys", "operator-keys"):
        keys = value(vault, kind)
        assert keys["current"] == "1"
        assert isinstance(keys["keys"], dict)
        assert HEX.fullmatch(keys["keys"]["1"])
    payee = value(vault, "payee-keys")
    assert set(payee) == {"hash", "seal"}
    assert payee["hash"] != payee["seal"]
    assert HEX.fullmatch(str(value(vault, "draw-keys")["master"]))


def test_an_empty_local_secret_counts_as_empty(vault: "SecretsManagerClient") -> None:
    vault.put_secret_value(SecretId=secret_name("prod", "draw-keys"), SecretString="{}")
    assert "draw-keys" in ensure_secrets(vault, "prod")


def test_rail_keys_are_checked_before_anything_is_written(vault: "SecretsManagerClient") -> None:
    with pytest.raises(ValueError, match="api_v3_key"):
        ensure_secrets(vault, "prod", RAIL | {"api_v3_key": ""})
    assert set(ensure_secrets(vault, "prod")) == set(GENERATORS)


def test_a_stage_that_was_not_deployed_is_an_error(vault: "SecretsManagerClient") -> None:
    with pytest.raises(vault.exceptions.ResourceNotFoundException):
        ensure_secrets(vault, "other")
