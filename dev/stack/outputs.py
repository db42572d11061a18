"""What is known about a running local stack: addresses, credentials, names. Read by the demo, seeds and tests."""

from pathlib import Path

import msgspec

from dev.stack.config import StackConfig, StackError, from_environment

OUTPUTS_FILE = "outputs.json"


class StackOutputs(msgspec.Struct, frozen=True):
    """The deployed stack's outputs. Bases have no trailing slash; `functions` maps folder name to function name."""

    scan_base: str
    console_base: str
    sim_base: str
    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str
    stage: str
    scans_table: str
    limits_table: str
    catalog_table: str
    parties_table: str
    flow_table: str
    ledger_table: str
    insights_table: str
    archive_bucket: str
    scans_stream_arn: str
    reward_queue_url: str
    reward_dlq_url: str
    parked_queue_url: str
    uploads_bucket: str
    intake_queue_url: str
    intake_dlq_url: str
    functions: dict[str, str]
    state_dir: str

    @property
    def client_arguments(self) -> dict[str, str]:
        """Keyword arguments for `boto3.client` as the stack's root caller."""
        return {
            "endpoint_url": self.endpoint,
            "region_name": self.region,
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
        }


def load(config: StackConfig | None = None) -> StackOutputs:
    """The outputs written by the last `up`. Raises StackError if this state directory has no deployed stack."""
    path = (config or from_environment()).state_dir / OUTPUTS_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=StackOutputs)
    except FileNotFoundError as cause:
        raise StackError("no local stack has been deployed here; run `make up`") from cause
    except msgspec.DecodeError as cause:
        raise StackError(f"{path} was written by another version; run `make up`") from cause


def save(outputs: StackOutputs, state_dir: Path) -> None:
    """Written whole or not at all."""
    draft = state_dir / (OUTPUTS_FILE + ".new")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(outputs)))
    draft.replace(state_dir / OUTPUTS_FILE)
