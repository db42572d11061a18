"""Where one local stack lives: its ports, its state directory, its names. Used by every dev/stack module.

Two stacks can run side by side (a developer's and the tests') when their ports and directories differ.
"""

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

REPOSITORY = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
STACK_NAME = "uncap-local"
STAGE = "local"
ARTEFACT_BUCKET = "uncap-artefacts"
# MiniStack's root caller. Only people and the deployment use it: functions run under their roles.
ROOT_ACCESS_KEY = "test"
ROOT_SECRET_KEY = "test"  # noqa: S105 - the emulator's fixed, public value
_PORTS = 1 << 16


class StackError(Exception):
    """The stack cannot be brought up or down; the message is one line for a person."""


class StackConfig(msgspec.Struct, frozen=True):
    """`port` is the gateway's, `sim_port` the rail simulator's; `state_dir` holds everything `clean` forgets."""

    port: int
    sim_port: int
    state_dir: Path

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def gateway(self) -> str:
        """host:port as the template's LocalGateway wants it; API hosts are its sub-domains."""
        return f"localhost:{self.port}"

    @property
    def sim_base(self) -> str:
        return f"http://127.0.0.1:{self.sim_port}"

    @property
    def aws_environment(self) -> dict[str, str]:
        """What makes boto3 and sam talk to this stack as its root caller."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ROOT_ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def from_environment(environ: Mapping[str, str] | None = None) -> StackConfig:
    """UNCAP_PORT (4566), UNCAP_SIM_PORT (the next), UNCAP_STATE_DIR (.uncap). Raises StackError for a bad value."""
    source = os.environ if environ is None else environ
    try:
        port = int(source.get("UNCAP_PORT", "4566"))
        sim_port = int(source.get("UNCAP_SIM_PORT", str(port + 1)))
    except ValueError as cause:
        raise StackError("UNCAP_PORT and UNCAP_SIM_PORT must be port numbers") from cause
    if port == sim_port or not all(0 < one < _PORTS for one in (port, sim_port)):
        raise StackError("UNCAP_PORT and UNCAP_SIM_PORT must be two different port numbers, 1 to 65535")
    state_dir = Path(source.get("UNCAP_STATE_DIR", str(REPOSITORY / ".uncap"))).resolve()
    return StackConfig(port=port, sim_port=sim_port, state_dir=state_dir)


def local_runtime() -> tuple[str, str]:
    """(Python version as "3.11", Lambda's name of this machine's architecture): the stack runs functions on both."""
    machine = platform.machine().lower()
    architecture = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(machine)
    if architecture is None:
        raise StackError(f"no Lambda architecture matches this machine ({machine})")
    return f"{sys.version_info.major}.{sys.version_info.minor}", architecture
