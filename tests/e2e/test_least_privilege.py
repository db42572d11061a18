"""The emulator enforces IAM, so what a role may not do is refused here as on AWS."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.keys import secret_name
from tests.kits.market import Market


@contextmanager
def as_role(market: Market, function: str, service: str) -> Iterator[Any]:
    """A client with the credentials that this function runs under."""
    role = market.aws("lambda").get_function_configuration(FunctionName=market.outputs.functions[function])["Role"]
    keys = market.aws("sts").assume_role(RoleArn=role, RoleSessionName="least-privilege")["Credentials"]
    client: Any = boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=market.outputs.endpoint,
        region_name=market.outputs.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    with closing(client):
        yield client


def refused(call: Any, **arguments: Any) -> None:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException"), error.value


def test_the_public_function_cannot_learn_who_will_win(market: Market) -> None:
    stage = market.outputs.stage
    with as_role(market, "scan_api", "secretsmanager") as secrets:
        assert secrets.get_secret_value(SecretId=secret_name(stage, "code-keys"))["SecretString"]
        for kind in ("draw-keys", "rail-keys", "operator-keys"):
            refused(secrets.get_secret_value, SecretId=secret_name(stage, kind))


def test_the_public_function_writes_no_money(market: Market) -> None:
    outputs = market.outputs
    with as_role(market, "scan_api", "dynamodb") as tables:
        item = {"pk": {"S": "reward#00000000000000000000000000"}}
        refused(tables.put_item, TableName=outputs.ledger_table, Item=item)
        refused(tables.delete_item, TableName=outputs.scans_table, Key={"pk": {"S": "1.1.1"}})
    with as_role(market, "scan_api", "sqs") as queues:
        refused(queues.send_message, QueueUrl=outputs.reward_queue_url, MessageBody="{}")


def test_the_channels_function_creates_no_money_and_knows_no_code(market: Market) -> None:
    outputs = market.outputs
    with as_role(market, "channel_api", "secretsmanager") as secrets:
        assert secrets.get_secret_value(SecretId=secret_name(outputs.stage, "session-keys"))["SecretString"]
        for kind in ("code-keys", "draw-keys", "rail-keys", "operator-keys"):
            refused(secrets.get_secret_value, SecretId=secret_name(outputs.stage, kind))
    with as_role(market, "channel_api", "dynamodb") as tables:
        key = {"pk": {"S": "reward#00000000000000000000000000"}}
        assert "Item" not in tables.get_item(TableName=outputs.ledger_table, Key=key)
        # Which items it may put is a condition on keys, which the emulator does not judge: tests/contract holds it.
        refused(tables.delete_item, TableName=outputs.ledger_table, Key=key)
        refused(tables.scan, TableName=outputs.ledger_table)
        refused(tables.put_item, TableName=outputs.catalog_table, Item=key | {"sk": {"S": "meta"}})
    with as_role(market, "channel_api", "sqs") as queues:
        refused(queues.send_message, QueueUrl=outputs.reward_queue_url, MessageBody="{}")


@pytest.mark.parametrize(("function", "kind"), [("reward_relay", "payee-keys"), ("payout_worker", "draw-keys")])
def test_the_relay_opens_no_payee_and_the_worker_knows_no_draw(market: Market, function: str, kind: str) -> None:
    with as_role(market, function, "secretsmanager") as secrets:
        refused(secrets.get_secret_value, SecretId=secret_name(market.outputs.stage, kind))


def test_the_projector_touches_no_money(market: Market) -> None:
    with as_role(market, "scan_projector", "dynamodb") as tables:
        refused(tables.get_item, TableName=market.outputs.ledger_table, Key={"pk": {"S": "reward#0"}})
