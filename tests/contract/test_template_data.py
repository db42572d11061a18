"""infra/ against the promises: encryption, recovery, keys, roles, alarms, partitions; and SAM accepts the whole."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pynamodb.models import Model
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from uncap.adapters import models

ROOT = Path(__file__).parents[2]
TEMPLATES = ["template.yaml", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "infra").glob("*.yaml"))]
SECRETS = {
    "ScanApi": {"code-keys", "session-keys", "payee-keys", "wechat-app"},
    "ConsoleApi": {"code-keys", "draw-keys", "operator-keys", "alert-keys", "address-keys"},
    "RewardRelay": {"code-keys", "draw-keys"},
    "ReconcileJob": {"code-keys", "draw-keys", "rail-keys"},
    "PayoutWorker": {"payee-keys", "rail-keys"},
    "PayoutCallback": {"payee-keys", "rail-keys"},
    "SweeperJob": {"payee-keys", "rail-keys"},
    "ScanProjector": set(),
    "IntakeJob": {"code-keys"},
    "AlertJob": {"alert-keys"},
    "AboutPage": {"code-keys"},
    "ChannelApi": {"session-keys", "payee-keys", "address-keys", "wechat-app"},
}
# Services that know no resource for the action.
ANY_RESOURCE = {
    "TracingPolicy": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    "VpcPolicy": {
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    },
}


def load(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((ROOT / name).read_text())
    return parsed


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {n: r["Properties"] for n, r in template["Resources"].items() if r["Type"] == kind}


DATA, ACCESS, QUEUES, ALARMS = (load(f"infra/{name}.yaml") for name in ("data", "access", "queues", "alarms"))
INTAKE = load("infra/intake.yaml")
TABLES = of_type(DATA, "AWS::DynamoDB::Table")
ROLES = of_type(ACCESS, "AWS::IAM::Role")


@pytest.mark.parametrize("name", sorted(TABLES))
def test_tables_are_recoverable_encrypted_and_protected(name: str) -> None:
    table = TABLES[name]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["DeletionProtectionEnabled"] == {"Ref": "ProtectData"}


def test_only_the_scans_have_a_stream_and_only_the_forgettable_a_ttl() -> None:
    assert {n for n, t in TABLES.items() if "StreamSpecification" in t} == {"ScansTable"}
    assert TABLES["ScansTable"]["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert {n for n, t in TABLES.items() if "TimeToLiveSpecification" in t} == {"LimitsTable", "InsightsTable"}


def test_keys_are_those_of_the_models() -> None:
    """What PynamoDB believes of a table's keys and indexes is what the template creates."""
    deployed = {
        tuple(sorted((key["AttributeName"], key["KeyType"]) for key in table["KeySchema"])) for table in TABLES.values()
    }
    for model in vars(models).values():
        if isinstance(model, type) and issubclass(model, Model) and getattr(model, "Meta", None):
            hash_key, range_key = model._hash_keyname, model._range_keyname
            if hash_key:
                keys = {(hash_key, "HASH")} | ({(range_key, "RANGE")} if range_key else set())
                assert tuple(sorted(keys)) in deployed, model
    indexes = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in TABLES["LedgerTable"]["GlobalSecondaryIndexes"]
    }
    assert indexes == {
        "due": ["due_shard", "due_at"],
        "waiting": ["wait_shard", "wait_key"],
        "owner": ["owner", "owner_at"],
    }


def test_queues_are_encrypted_and_rewards_end_in_a_dead_letter_queue() -> None:
    queues = of_type(QUEUES, "AWS::SQS::Queue")
    assert all(queue["KmsMasterKeyId"] == "alias/aws/sqs" for queue in queues.values())
    target = queues["RewardQueue"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::Sub"]
    assert target.rpartition(":")[2] == queues["RewardDlq"]["QueueName"]["Fn::Sub"]
    assert queues["RewardDlq"]["MessageRetentionPeriod"] == queues["ParkedQueue"]["MessageRetentionPeriod"] == 1_209_600


def test_uploads_are_private_encrypted_forgotten_and_their_queue_has_a_dead_letter_queue() -> None:
    (bucket,) = of_type(INTAKE, "AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms"}
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == {"Ref": "UploadDays"}
    (policy,) = of_type(INTAKE, "AWS::S3::BucketPolicy").values()
    assert [one["Effect"] for one in policy["PolicyDocument"]["Statement"]] == ["Deny"]
    queues = of_type(INTAKE, "AWS::SQS::Queue")
    assert all(queue["KmsMasterKeyId"] == "alias/aws/sqs" for queue in queues.values())
    target = queues["IntakeQueue"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::Sub"]
    assert target.rpartition(":")[2] == queues["IntakeDlq"]["QueueName"]["Fn::Sub"]


def statements(properties: dict[str, Any]) -> list[dict[str, Any]]:
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    return [statement for document in documents for statement in document["Statement"]]


def test_each_function_has_a_role_of_its_own() -> None:
    template = load("template.yaml")
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        assert function["Role"] == {"Fn::GetAtt": ["Access", f"Outputs.{name}RoleArn"]}
        assert "Policies" not in function
    assert {role.removesuffix("Role") for role in ROLES} == set(SECRETS)


@pytest.mark.parametrize("name", sorted(ACCESS["Resources"]))
def test_no_wildcards(name: str) -> None:
    resource = ACCESS["Resources"][name]
    for statement in statements(resource["Properties"]):
        actions = set(statement["Action"])
        assert not any("*" in action for action in actions)
        if statement["Resource"] == "*":
            assert actions <= ANY_RESOURCE.get(name, set())
        for arn in statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]:
            text = arn.get("Fn::Sub", "") if isinstance(arn, dict) else ""
            assert "*" not in text or text.endswith((":*", "/stream/*", "}/*"))


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_function_reads_its_own_secrets_and_no_others(name: str) -> None:
    found = set()
    for statement in statements(ROLES[f"{name}Role"]):
        if "secretsmanager:GetSecretValue" in statement["Action"]:
            arns = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            for arn in arns:
                # The last six characters are random on AWS; the local stack appends six as well.
                match = re.fullmatch(r".*:secret:uncap/\$\{Stage\}/([a-z-]+)-\?{6}", arn["Fn::Sub"])
                assert match, arn
                found.add(match[1])
    assert found == SECRETS[name]


def test_scan_api_cannot_touch_money_or_the_catalog() -> None:
    for statement in statements(ROLES["ScanApiRole"]):
        if statement["Resource"] in ({"Ref": "LedgerArn"}, {"Ref": "CatalogArn"}):
            assert set(statement["Action"]) <= {"dynamodb:GetItem", "dynamodb:Query"}


def test_channel_api_moves_rewards_and_creates_none() -> None:
    """It settles what the relay granted; it reaches no queue, no rail, no operator, no code key (ADR 0021)."""
    writes: dict[str, set[str]] = {}
    for statement in statements(ROLES["ChannelApiRole"]):
        actions = set(statement["Action"])
        assert not any(action.startswith(("sqs:", "s3:", "kms:", "lambda:")) for action in actions)
        assert not actions & {"dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:Scan"}
        if statement["Resource"] == {"Ref": "CatalogArn"}:
            assert actions <= {"dynamodb:GetItem", "dynamodb:Query"}
        if statement["Resource"] == {"Ref": "LedgerArn"}:
            keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", ["*"])
            for action in actions & {"dynamodb:PutItem", "dynamodb:UpdateItem"}:
                writes.setdefault(action, set()).update(keys)
        if statement["Resource"] == {"Ref": "PartiesArn"}:
            keys = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
            assert set(keys) <= {"invitation#*", "membership#*", "memberships#*", "party#*"}, "no operator, no audit"
    assert writes["dynamodb:UpdateItem"] == {"reward#*"}
    assert writes["dynamodb:PutItem"] == {"right#*", "replenish#*", "claimant#*", "step#*", "entry#replenish-*"}


def test_nobody_deletes_scans_or_money() -> None:
    for role in ROLES.values():
        for statement in statements(role):
            if statement["Resource"] in ({"Ref": "LedgerArn"}, {"Ref": "ScansArn"}):
                assert "dynamodb:DeleteItem" not in statement["Action"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_is_bound_to_one_partition(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "arn:aws:" not in text
    for line in text.splitlines():
        if "amazonaws.com" in line:
            assert re.search(r"(lambda|apigateway)\.amazonaws\.com", line), line


def test_nested_stacks_can_be_updated_in_place_on_the_local_stack() -> None:
    """There, an unchanged resource of a changed nested stack forgets its attributes: only Ref survives (adr/0004)."""
    for name in TEMPLATES[1:]:
        text = (ROOT / name).read_text()
        allowed = {"infra/data.yaml": ["ScansTable.StreamArn"], "infra/web.yaml": ["Distribution.DomainName"]}
        assert re.findall(r"!GetAtt ([\w.]+)", text) == allowed.get(name, [])


def test_alarms_tell_someone_and_say_where_to_read_on() -> None:
    alarms = of_type(ALARMS, "AWS::CloudWatch::Alarm")
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == [{"Ref": "Topic"}]
        assert alarm["AlarmDescription"].endswith("See docs/operations.md.")
    metrics = {alarm["MetricName"] for alarm in alarms.values()}
    assert {"ApproximateNumberOfMessagesVisible", "IteratorAge", "RewardHeld", "PayoutFailed", "CodeForged"} <= metrics


def test_sam_accepts_the_whole_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "AWS_DEFAULT_REGION", "us-east-1")
    template = load("template.yaml")
    template["Resources"]["ConsoleRestApi"]["Properties"]["DefinitionBody"] = load("infra/console_openapi.yaml")
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Application":
            assert (ROOT / resource["Properties"]["Location"]).is_file()
        properties = resource["Properties"]
        for key in ("CodeUri", "ContentUri"):
            if key in properties:
                properties[key] = "s3://bucket/key"
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    made = transform(template, {}, None)
    kinds = {resource["Type"] for resource in made["Resources"].values()}
    assert "AWS::Lambda::Function" in kinds
    assert "AWS::IAM::Role" not in kinds  # SAM made none of its own: every right is written down in infra/access.yaml


# A certificate may be left out, and the local stack asks for an action that AWS does not have (docs/adr/0004).
KNOWN_WARNINGS = re.compile(r":W1030:.*LinkCertificateArn|:W3037:'sendmessagebatch'")


def test_cloudformation_would_accept_every_template_here_and_in_china() -> None:
    command = [str(ROOT / ".venv-sam/bin/cfn-lint"), *(name for name in TEMPLATES if "openapi" not in name)]
    command += ["--regions", "us-east-1", "cn-northwest-1", "--format", "parseable"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert [line for line in done.stdout.splitlines() if not KNOWN_WARNINGS.search(line)] == [], done.stderr
