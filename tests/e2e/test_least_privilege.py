"""The emulator enforces IAM, so what a role may not do is refused here as on AWS."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.keys import secret_name
from tests.kits.market import Market


def as_role(market: Market, function: str, service: str) -> Any:
    """A client with the credentials that this function runs under."""
    role = market.aws("lambda").get_function_configuration(FunctionName=market.outputs.functions[function])["Role"]
    keys = market.aws("sts").assume_role(RoleArn=role, RoleSessionName="least-privilege")["Credentials"]
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=market.outputs.endpoint,
        region_name=market.outputs.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def refused(call: Any, **arguments: Any) -> None:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException"), error.value


def test_the_public_function_cannot_learn_who_will_win(market: Market) -> None:
    secrets = as_role(market, "scan_api", "secretsmanager")
    stage = market.outputs.stage
    assert secrets.get_secret_value(SecretId=secret_name(stage, "code-keys"))["SecretString"]
    for kind in ("draw-keys", "rail-keys", "operator-keys"):
        refused(secrets.get_secret_value, SecretId=secret_name(stage, kind))


def test_the_public_function_writes_no_money(market: Market) -> None:
    tables = as_role(market, "scan_api", "dynamodb")
    item = {"pk": {"S": "reward#00000000000000000000000000"}}
    refused(tables.put_item, TableName=market.outputs.ledger_table, Item=item)
    refused(tables.delete_item, TableName=market.outputs.scans_table, Key={"pk": {"S": "1.1.1"}})
    refused(as_role(market, "scan_api", "sqs").send_message, QueueUrl=market.outputs.reward_queue_url, MessageBody="{}")


def test_the_relay_reads_no_payee_key_and_the_worker_no_draw_key(market: Market) -> None:
    stage = market.outputs.stage
    refused(
        as_role(market, "reward_relay", "secretsmanager").get_secret_value, SecretId=secret_name(stage, "payee-keys")
    )
    refused(
        as_role(market, "payout_worker", "secretsmanager").get_secret_value, SecretId=secret_name(stage, "draw-keys")
    )


def test_the_projector_touches_no_money(market: Market) -> None:
    tables = as_role(market, "scan_projector", "dynamodb")
    refused(tables.get_item, TableName=market.outputs.ledger_table, Key={"pk": {"S": "reward#0"}})
