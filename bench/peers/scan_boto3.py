"""A scan handler as usually written: Powertools with pydantic validation, boto3, the same one-write update.

It identifies the code with uncap's own keyring and skips sessions, catalog rules and rewards, all to its advantage.
"""

import os
import time
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config
from pydantic import BaseModel, ConfigDict, Field

from uncap.domain.catalog import Role
from uncap.domain.codes.scheme import Keyring

logger = Logger(service="peer")
metrics = Metrics(namespace="peer", service="peer")
app = APIGatewayHttpResolver(enable_validation=True)
table = boto3.resource("dynamodb", config=Config(connect_timeout=1, read_timeout=2)).Table("Scans")
keyring = Keyring.parse(os.environ["PEER_CODE_KEYS"])


class Place(BaseModel):
    """Where the scan was made."""

    model_config = ConfigDict(extra="forbid")
    lat: float = Field(ge=-90, le=90)
    lng: float = Field(ge=-180, le=180)
    accuracy_m: float = 0


class Scan(BaseModel):
    """The request."""

    model_config = ConfigDict(extra="forbid")
    gtin: str = Field(max_length=14)
    serial: str = Field(max_length=20)
    claim_id: str = Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")
    place: Place | None = None


class Reply(BaseModel):
    """The answer."""

    outcome: str
    claim_id: str
    scans: int


@app.post("/v1/scans")
def scan(body: Scan) -> Reply:
    """Claims the code with one update."""
    found = keyring.identify(body.gtin, body.serial, (Role.CAP_INNER, Role.CAP_OUTER))
    if found is None:
        raise ValueError("forged")
    mark = {"i": body.claim_id, "t": int(time.time() * 1000), "w": "claim"}
    item = table.update_item(
        Key={"pk": found.ref.key()},
        UpdateExpression="SET f = if_not_exists(f, :m), l = :m ADD n :one",
        ExpressionAttributeValues={":m": str(mark), ":one": 1},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    metrics.add_metric(name="CodeScanned", unit=MetricUnit.Count, value=1)
    outcome = "first" if item["f"] == str(mark) else "repeat"
    return Reply(outcome=outcome, claim_id=body.claim_id, scans=int(str(item["n"])))


@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return app.resolve(event, context)
