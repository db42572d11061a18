"""Insights, Catalog, Flow, Parties, the archive and the parked queue on moto, as the projector finds them deployed."""

from collections.abc import Iterator
from typing import Final

import boto3
import pytest
from moto import mock_aws

from uncap.runtime.settings import ProjectorSettings

REGION: Final = "cn-north-1"
TABLES = ("catalog", "parties", "flow", "insights")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def deployed(aws: None) -> ProjectorSettings:
    """Empty tables, an empty bucket, an empty queue."""
    for name in TABLES:
        create_table(name)
    boto3.client("s3").create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": REGION})
    queue_url = boto3.client("sqs").create_queue(QueueName="parked")["QueueUrl"]
    return ProjectorSettings(
        stage="test",
        catalog_table="catalog",
        parties_table="parties",
        flow_table="flow",
        insights_table="insights",
        archive_bucket="archive",
        parked_queue_url=queue_url,
    )


def create_table(name: str) -> None:
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
