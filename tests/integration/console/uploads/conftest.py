"""The uploads' bucket and queue, and the job's tools over them."""

from typing import Any

import boto3
import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import Api, Bench, Cloud
from tests.integration.console.uploads.kit import Intake
from uncap.adapters.uploads import IntakeQueue, UploadStore
from uncap.runtime import wiring_intake
from uncap.runtime.settings import IntakeSettings
from uncap.services import associate_units


@pytest.fixture(scope="module")
def stores(cloud: Cloud) -> tuple[Any, Any, str]:
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    s3.create_bucket(Bucket="uploads", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return s3, sqs, sqs.create_queue(QueueName="intake")["QueueUrl"]


@pytest.fixture
def intake(bench: Bench, cloud: Cloud, stores: tuple[Any, Any, str], monkeypatch: pytest.MonkeyPatch) -> Intake:
    s3, sqs, url = stores
    monkeypatch.setattr(wiring_intake, "open_tables", lambda _: cloud.connection)
    settings = IntakeSettings(
        stage="test",
        catalog_table="catalog",
        parties_table="parties",
        flow_table="flow",
        code_keys_secret="code-keys",
        events_table="events",
        uploads_bucket="uploads",
        intake_queue_url=url,
    )
    store, queue = UploadStore(s3, "uploads"), IntakeQueue(sqs, url)
    # The desk is frozen: its callables are what a deployment's would be.
    object.__setattr__(bench.desk, "upload_store", lambda: store)
    object.__setattr__(bench.desk, "intake_queue", lambda: queue)
    tools = wiring_intake.build_intake(settings, bench.vault, store, bench.clock, 1)
    made = Intake(bench, tools, s3, sqs, url, queue)
    made.turns()
    return made


@pytest.fixture
def factory(bench: Bench) -> Api:
    return bench.sign_in("fang", "factory")


@pytest.fixture
def batches(admin: Api) -> tuple[int, int]:
    return brand.batch(admin, 240)


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of 40 rows, read sixteen lines at a time."""
    monkeypatch.setattr("uncap.adapters.intake.lines.BLOCK_LINES", 16)
    monkeypatch.setattr(associate_units, "RUN_ROWS", 40)
