"""Builds and deploys the very template.yaml that goes to AWS; only parameters differ. Called by dev/stack/lifecycle.py.

A hash over everything that is deployed decides whether anything has to be done at all.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import msgspec
from botocore.config import Config

from dev.stack.config import (
    ARTEFACT_BUCKET,
    REGION,
    REPOSITORY,
    ROOT_ACCESS_KEY,
    ROOT_SECRET_KEY,
    STACK_NAME,
    STAGE,
    StackConfig,
    StackError,
    local_runtime,
)
from dev.stack.outputs import StackOutputs

SAM = REPOSITORY / ".venv-sam" / "bin" / "sam"
DEPLOYED_SOURCES = ("template.yaml", "infra", "functions", "layers")
STAMP_FILE = "deployed.sha256"
FUNCTIONS = (
    "scan_api",
    "console_api",
    "reward_relay",
    "payout_worker",
    "payout_callback",
    "scan_projector",
    "sweeper_job",
    "reconcile_job",
    "intake_job",
    "about_page",
    "channel_api",
    "alert_job",
)
_KEPT_LINES = 8


def aws(config: StackConfig, service: str) -> Any:
    """A client of this stack's `service`, as the root caller."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=config.endpoint,
        region_name=REGION,
        aws_access_key_id=ROOT_ACCESS_KEY,
        aws_secret_access_key=ROOT_SECRET_KEY,
        config=Config(retries={"max_attempts": 3}, connect_timeout=2, read_timeout=60),
    )


def parameters(config: StackConfig, overrides: dict[str, str]) -> dict[str, str]:
    """The template's parameters on this machine; `overrides` come from UNCAP_PARAMETERS ("Name=value Name=value")."""
    python, architecture = local_runtime()
    return {
        "Stage": STAGE,
        "PythonRuntime": f"python{python}",
        "Architecture": architecture,
        "LocalGateway": config.gateway,
        "IdentityProvider": "local",
        "RailBaseUrl": config.sim_base,
        "RailConfirmUrl": f"{config.sim_base}/confirm",
        "ProtectData": "false",
        "StreamWindowS": "0",
        # Seeds and tests claim faster than people do; who wants to see the gate names a campaign so.
        "RiskRules": '{"*":"off","gated-*":{}}',
        "PayoutTimeoutS": "10",
        "RailTimeoutMs": "3000",  # a call that is not answered, and the question about it, fit in a worker's time
        "RewardVisibilityS": "60",
        "FirstLookS": "10",
        "AlertLoopback": "true",
        # A slice of a gigabyte: every range read costs MiniStack a second there, since it opens the whole object anew.
        "IntakeTimeoutS": "120",
        "IntakeVisibilityS": "125",
    } | overrides


def parse_overrides(text: str) -> dict[str, str]:
    """`"A=1 B=2"` as a dict. Raises StackError for anything else."""
    pairs = [part.partition("=") for part in text.split()]
    if any(not name or not equals for name, equals, _ in pairs):
        raise StackError(f"UNCAP_PARAMETERS must be Name=value pairs, not {text!r}")
    return {name: value for name, _, value in pairs}


def source_hash(values: dict[str, str]) -> str:
    """Over every deployed file and parameter."""
    digest = hashlib.sha256(msgspec.json.encode(sorted(values.items())))
    for path in sorted(_source_files()):
        digest.update(path.relative_to(REPOSITORY).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _source_files() -> Iterator[Path]:
    for name in DEPLOYED_SOURCES:
        root = REPOSITORY / name
        if root.is_file():
            yield root
            continue
        for path in root.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def is_current(config: StackConfig, wanted: str) -> bool:
    """True if the stack in this state directory was deployed from exactly these sources."""
    stamp = config.state_dir / STAMP_FILE
    if not stamp.exists() or stamp.read_text() != wanted:
        return False
    try:
        stack = aws(config, "cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    except aws(config, "cloudformation").exceptions.ClientError:
        return False
    return str(stack["StackStatus"]) in ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def build(config: StackConfig, values: dict[str, str]) -> None:
    """`sam build` into the state directory, for this machine's Python and architecture."""
    python, architecture = local_runtime()
    environment = {"UNCAP_LAYER_PYTHON": python, "UNCAP_LAYER_ARCH": architecture}
    command = ["build", "--template", str(REPOSITORY / "template.yaml"), "--build-dir", str(config.state_dir / "build")]
    command += ["--parameter-overrides", *_pairs(values)]
    _sam("build", command, config, environment)


def deploy(config: StackConfig, values: dict[str, str], wanted: str) -> None:
    """`sam deploy` to this stack; the stamp is written only when it succeeded."""
    stamp = config.state_dir / STAMP_FILE
    stamp.unlink(missing_ok=True)
    storage = aws(config, "s3")
    if ARTEFACT_BUCKET not in [bucket["Name"] for bucket in storage.list_buckets()["Buckets"]]:
        storage.create_bucket(Bucket=ARTEFACT_BUCKET)
    command = ["deploy", "--template", str(config.state_dir / "build" / "template.yaml"), "--stack-name", STACK_NAME]
    command += ["--s3-bucket", ARTEFACT_BUCKET, "--region", REGION, "--no-confirm-changeset"]
    command += ["--no-fail-on-empty-changeset", "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    command += ["--parameter-overrides", *_pairs(values)]
    _sam("deploy", command, config, {})
    stamp.write_text(wanted)


def _pairs(values: dict[str, str]) -> list[str]:
    """As sam reads them: a value with quotes in it stands between quotes."""
    quoted = {name: '"' + value.replace('"', '\\"') + '"' for name, value in values.items() if '"' in value}
    return [f"{name}={value}" for name, value in (values | quoted).items()]


def _sam(name: str, arguments: list[str], config: StackConfig, environment: dict[str, str]) -> None:
    """Runs sam with its output in a log; raises StackError with the lines that say why it failed."""
    log = config.state_dir / f"sam-{name}.log"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SAM_", "PYTHON"))}
    # The layers' makefile calls `python3`, which must be the one that has pip.
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    full = kept | config.aws_environment | environment | {"PATH": path, "SAM_CLI_TELEMETRY": "0"}
    with log.open("wb") as out:
        code = subprocess.run(
            [str(SAM), *arguments],
            cwd=REPOSITORY,
            env=full,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            check=False,
        ).returncode
    if code:
        reason = (_failures(config) if name == "deploy" else "") or _tail(log.read_text(errors="replace"))
        hint = "; what cannot be changed in place goes with `make clean`" if name == "deploy" else ""
        raise StackError(f"sam {name} failed:\n{reason}\n(the whole of it: {log}{hint})")


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_KEPT_LINES:])


def _failures(config: StackConfig) -> str:
    """What CloudFormation says about the resources that failed first, nested stacks included; "" if nothing did."""
    formation = aws(config, "cloudformation")
    found = []
    for stack in formation.describe_stacks()["Stacks"]:
        if stack["StackName"].startswith(STACK_NAME):
            events = formation.describe_stack_events(StackName=stack["StackName"])["StackEvents"]
            found += [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    found.sort(key=lambda event: event["Timestamp"])
    lines = [
        f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}"
        for event in found
    ]
    return "\n".join(lines[-3:])


def read_outputs(config: StackConfig) -> StackOutputs:
    """The deployed stack's outputs as the rest of the project reads them."""
    stack = aws(config, "cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    values = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    return StackOutputs(
        scan_base=values["ScanBase"],
        console_base=values["ConsoleBase"],
        sim_base=config.sim_base,
        endpoint=config.endpoint,
        region=REGION,
        access_key_id=ROOT_ACCESS_KEY,
        secret_access_key=ROOT_SECRET_KEY,
        stage=STAGE,
        scans_table=values["ScansTable"],
        limits_table=values["LimitsTable"],
        catalog_table=values["CatalogTable"],
        parties_table=values["PartiesTable"],
        flow_table=values["FlowTable"],
        ledger_table=values["LedgerTable"],
        insights_table=values["InsightsTable"],
        archive_bucket=values["ArchiveBucket"],
        scans_stream_arn=values["ScansStreamArn"],
        reward_queue_url=values["RewardQueueUrl"],
        reward_dlq_url=values["RewardDlqUrl"],
        parked_queue_url=values["ParkedQueueUrl"],
        uploads_bucket=values["UploadsBucket"],
        intake_queue_url=values["IntakeQueueUrl"],
        intake_dlq_url=values["IntakeDlqUrl"],
        functions={name: f"uncap-{STAGE}-{name.replace('_', '-')}" for name in FUNCTIONS},
        state_dir=str(config.state_dir),
    )
