"""From a case or signal to somebody's server: once into the outbox, signed, sent until taken, given up in the end."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError

from functions.alert_job import handler as function
from tests.integration.projector.conftest import REGION, create_table
from tests.kits.receiver import Receiver, receiving
from uncap.adapters.alert_outbox import AlertOutbox
from uncap.adapters.case_watch import CaseWatch
from uncap.adapters.models import CatalogItem, InsightItem, open_tables
from uncap.domain.alerts import MAX_TRIES, SIGNATURE_HEADER, Alert, AlertRoute, route_key
from uncap.domain.diversion.signals import Glimpse, WatchRule
from uncap.domain.errors import TransientError
from uncap.runtime.settings import AlertSettings
from uncap.runtime.wiring_alerts import build_alerts
from uncap.services.send_alerts import AlertTools, send_alerts

NOW_MS = 1_795_400_000_000
ALERT = Alert("case_opened.X.open", "case_opened", NOW_MS, "X", "d1", "510100", "g", figures={"people": 4})


class Clock:
    now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


class Vault:
    def __init__(self) -> None:
        self.master = secrets.token_hex(32)

    def call(self, operation: str, body: bytes) -> bytes:
        return msgspec.json.encode({"SecretString": json.dumps({"master": self.master})})


class Deployed:
    """Tables, a topic with a queue behind it, the job's tools, a receiver."""

    def __init__(self, receiver: Receiver) -> None:
        for name in ("catalog", "insights"):
            create_table(name)
        self.receiver, self.clock, self.vault = receiver, Clock(), Vault()
        self.url = f"http://127.0.0.1:{receiver.server_port}/hook"
        topic = boto3.client("sns").create_topic(Name="uncap-test-diversion")["TopicArn"]
        queue = boto3.client("sqs").create_queue(QueueName="subscriber")["QueueUrl"]
        boto3.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws-cn:sqs:{REGION}:123456789012:subscriber"
        )
        self.queue = queue
        settings = AlertSettings(
            stage="test",
            catalog_table="catalog",
            insights_table="insights",
            alert_keys_secret="alert-keys",
            alert_topic_arn=topic,
            alert_loopback=True,
        )
        self.tools: AlertTools = build_alerts(settings, self.vault, self.clock)

    def route(self, route_id: str, **more: Any) -> AlertRoute:
        route = AlertRoute(route_id, more.pop("url", self.url), **more)
        CatalogItem("alert_routes", route_id, doc=msgspec.json.encode(route).decode(), v=1).save()
        return route

    def published(self) -> list[dict[str, Any]]:
        found = boto3.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(json.loads(one["Body"])["Message"]) for one in found]

    def pending(self) -> list[str]:
        return [item.sk for item in InsightItem.query("alerts", consistent_read=True)]


@pytest.fixture
def deployed(aws: None) -> Iterator[Deployed]:
    with receiving() as receiver:
        yield Deployed(receiver)


def test_an_alert_is_signed_delivered_and_published_once(deployed: Deployed) -> None:
    mine = deployed.route("mine", party_id="d1")
    deployed.route("other", party_id="d2")
    deployed.tools.outbox.put(ALERT)
    deployed.tools.outbox.put(ALERT)
    sent = send_alerts(deployed.tools)
    assert (sent.delivered, sent.dropped, sent.waiting) == (1, 0, 0)
    ((_, headers, body),) = deployed.receiver.seen
    stamp, tag = (part.split("=")[1] for part in headers[SIGNATURE_HEADER].split(","))
    key = route_key(bytes.fromhex(deployed.vault.master), mine)
    assert tag == hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert json.loads(body)["subject"] == "X"
    assert headers["Idempotency-Key"] == "case_opened.X.open.mine"
    assert [one["alert_id"] for one in deployed.published()] == [ALERT.alert_id]
    assert deployed.pending() == []
    kept = InsightItem.get("alerted", ALERT.alert_id)
    assert kept.ttl == NOW_MS // 1000 + 180 * 86_400
    assert send_alerts(deployed.tools).delivered == 0


def test_what_is_not_taken_comes_again_with_the_same_key_and_others_do_not_wait(deployed: Deployed) -> None:
    deployed.route("mine")
    deployed.receiver.status = 500
    deployed.tools.outbox.put(ALERT)
    assert send_alerts(deployed.tools).waiting == 1
    assert send_alerts(deployed.tools).waiting == 0, "not due yet"
    deployed.clock.now_ms += 80_000
    deployed.receiver.status = 202
    assert send_alerts(deployed.tools).delivered == 1
    keys = {headers["Idempotency-Key"] for _, headers, _ in deployed.receiver.seen}
    bodies = {body for _, _, body in deployed.receiver.seen}
    assert (len(deployed.receiver.seen), len(keys), len(bodies)) == (2, 1, 1)
    assert len(deployed.published()) == 1
    assert deployed.pending() == []


@pytest.mark.parametrize("status", [410, 401])
def test_a_receiver_that_refuses_for_good_is_given_up(deployed: Deployed, status: int) -> None:
    deployed.route("mine")
    deployed.receiver.status = status
    deployed.tools.outbox.put(ALERT)
    assert send_alerts(deployed.tools).dropped == 1
    assert deployed.pending() == []


def test_a_receiver_that_never_answers_is_given_up_after_three_days(deployed: Deployed) -> None:
    deployed.route("mine", url="http://127.0.0.1:1/nobody")
    deployed.tools.outbox.put(ALERT)
    dropped = 0
    for tries in range(1, MAX_TRIES + 1):
        dropped = send_alerts(deployed.tools).dropped
        assert dropped == (tries == MAX_TRIES)
        deployed.clock.now_ms += 8 * 3_600_000
    assert deployed.pending() == []
    kept = msgspec.json.decode(InsightItem.get("alerted", ALERT.alert_id).doc or "", type=Alert)
    assert (kept.dropped, kept.tries) == (("mine",), MAX_TRIES)


def test_an_address_inside_is_refused_whatever_the_catalog_says(deployed: Deployed) -> None:
    deployed.route("mine", url="https://10.0.0.1/hook")
    deployed.tools.outbox.put(ALERT)
    assert send_alerts(deployed.tools).dropped == 1


def test_two_runs_at_once_do_not_undo_each_other(deployed: Deployed) -> None:
    deployed.route("mine")
    deployed.receiver.status = 500
    deployed.tools.outbox.put(ALERT)
    (before,) = deployed.tools.outbox.due(10)
    send_alerts(deployed.tools)
    stale = msgspec.structs.replace(before, tries=1, version=before.version + 1)
    with pytest.raises(Exception, match="alert_moved"):
        deployed.tools.outbox.save(stale)


def test_the_function_reports(deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    deployed.route("mine")
    deployed.tools.outbox.put(ALERT)
    monkeypatch.setattr(function, "alert_tools", lambda: deployed.tools)
    context = LambdaContext()
    context._function_name, context._memory_limit_in_mb = "alert_job", 256
    context._invoked_function_arn, context._aws_request_id = "arn:aws:lambda:eu-central-1:1:function:x", "r"
    monkeypatch.setattr(type(context), "get_remaining_time_in_millis", staticmethod(lambda: 30_000))
    assert function.handler({}, context) == {"delivered": 1, "dropped": 0, "waiting": 0}
    assert '"AlertDelivered"' in capsys.readouterr().out


def glimpse(unit: int, person: str) -> Glimpse:
    return Glimpse(7, 3, unit, person, "", NOW_MS, "2026-11-22", "g", "d1", "510100", "s1")


@pytest.fixture
def connection(aws: None) -> Connection:
    create_table("insights")
    return open_tables({InsightItem: "insights"})


def counted() -> dict[str, int]:
    rows: list[dict[str, Any]] = boto3.resource("dynamodb").Table("insights").scan()["Items"]
    return {f"{row['pk']}|{row['sk']}": int(row["n"]) for row in rows if "n" in row}


def test_a_signal_is_counted_and_told_once_however_often_the_stream_repeats(connection: Connection) -> None:
    watch = CaseWatch(connection, WatchRule(many_mates=4), lambda: NOW_MS)
    assert watch.record([glimpse(n, "p") for n in range(3)]) == ()
    (signal,) = watch.record([glimpse(n, "p") for n in range(5)])
    assert signal.figures == {"units": 5}
    assert watch.record([glimpse(n, "p") for n in range(9)]) == ()
    assert counted() == {
        "day#2026-11-22|g#510100#signal.person_many_mates": 1,
        "party#d1|day#2026-11-22#signal.person_many_mates": 1,
    }
    (alert,) = AlertOutbox(lambda: NOW_MS).due(5)
    assert alert.subject == "person_many_mates.7.3"
    assert InsightItem.get("watch#7", "0000003").ttl == NOW_MS // 1000 + 90 * 86_400


def test_a_lost_reply_raises_the_signal_once(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = CaseWatch(connection, WatchRule(many_mates=2), lambda: NOW_MS)
    real, lost = connection.transact_write_items, [True]

    def flaky(**arguments: Any) -> Any:
        reply = real(**arguments)
        if lost.pop() if lost else False:
            raise TransactWriteError("no reply")
        return reply

    monkeypatch.setattr(connection, "transact_write_items", flaky)
    watch.record([glimpse(n, "p") for n in range(3)])
    watch.record([glimpse(n, "p") for n in range(3)])
    assert set(counted().values()) == {1}


def test_a_case_that_nobody_can_store_is_transient(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> Any:
        raise TransactWriteError("throttled")

    monkeypatch.setattr(connection, "transact_write_items", refuse)
    with pytest.raises(TransientError, match="case_contended"):
        CaseWatch(connection, WatchRule(many_mates=2), lambda: NOW_MS).record([glimpse(n, "p") for n in range(3)])


def test_while_a_table_is_rebuilt_nobody_is_told(connection: Connection) -> None:
    watch = CaseWatch(connection, WatchRule(many_mates=2), lambda: NOW_MS, alerts=False)
    assert len(watch.record([glimpse(n, "p") for n in range(3)])) == 1
    assert AlertOutbox(lambda: NOW_MS).due(5) == []
    assert len(counted()) == 2
