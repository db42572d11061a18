"""The local stack's life: up, down, clean, status. Called by `python -m dev.stack` and the end-to-end fixture.

`up` either ends with everything running or stops what it started. One lock per state directory keeps two of them apart.
"""

import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import msgspec

from dev import build_web
from dev.stack import after_deploy, deploy
from dev.stack.config import REGION, REPOSITORY, ROOT_ACCESS_KEY, ROOT_SECRET_KEY, StackConfig, StackError
from dev.stack.outputs import OUTPUTS_FILE, StackOutputs, save
from dev.stack.processes import Daemon, port_is_free

STACK_PYTHON = REPOSITORY / ".venv-stack" / "bin" / "python"
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 60.0

Say = Callable[[str], None]
Seed = Callable[[StackOutputs], object]


def gateway(config: StackConfig) -> Daemon:
    """MiniStack."""
    return Daemon("ministack", config.state_dir)


def simulator(config: StackConfig) -> Daemon:
    """The payout rail's simulator."""
    return Daemon("rail", config.state_dir)


def up(config: StackConfig, say: Say, seed: Seed | None = None) -> tuple[StackOutputs, object]:
    """Everything running, deployed and seeded; returns its outputs and what `seed` said.

    Raises StackError and stops what it had started.
    """
    config.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _only_one(config), _stopping_on_failure(config):
        _refuse_other_ports(config)
        started = _start(config, say)
        outputs = _deploy(config, say)
        after_deploy.fill_secrets(config, outputs)
        after_deploy.enable_ttl(config, outputs)
        after_deploy.mend_concurrency(config)
        after_deploy.limit_executions(config, outputs)
        after_deploy.renew_stream_mappings(config, restored=started)
        save(outputs, config.state_dir)
        return outputs, _seeded(outputs, seed)


def _seeded(outputs: StackOutputs, seed: Seed | None) -> object:
    if seed is None:
        return None
    try:
        return seed(outputs)
    except Exception as cause:
        raise StackError(f"the demo brand could not be set up: {type(cause).__name__}: {cause}") from cause


def down(config: StackConfig) -> bool:
    """Stops both programs, state kept; False if none ran."""
    if not config.state_dir.is_dir():
        return False
    with _only_one(config):
        stopped = [gateway(config).stop(_STOP_TIMEOUT_S), simulator(config).stop(_STOP_TIMEOUT_S)]
        shutil.rmtree(config.state_dir / "tmp", ignore_errors=True)
        return any(stopped)


def clean(config: StackConfig) -> None:
    """Stops and forgets. Raises StackError for a directory that holds something, but no stack's lock."""
    if not config.state_dir.is_dir():
        return
    if not (config.state_dir / "lock").exists() and any(config.state_dir.iterdir()):
        raise StackError(f"{config.state_dir} is not a stack's directory; it was left alone")
    down(config)
    shutil.rmtree(config.state_dir)


def status(config: StackConfig) -> dict[str, str]:
    """One line per part, for a person."""
    parts = {daemon.name: daemon.pid() for daemon in (gateway(config), simulator(config))}
    lines = {name: f"running (pid {pid})" if pid else "stopped" for name, pid in parts.items()}
    lines["deployed"] = "yes" if (config.state_dir / OUTPUTS_FILE).exists() else "no"
    return lines


def is_up(config: StackConfig) -> bool:
    """True if both programs run and something was deployed."""
    return (
        all(daemon.pid() for daemon in (gateway(config), simulator(config)))
        and (config.state_dir / OUTPUTS_FILE).exists()
    )


class _Addresses(msgspec.Struct):
    endpoint: str
    sim_base: str


def _refuse_other_ports(config: StackConfig) -> None:
    """What was deployed keeps its ports: printed links and the functions' settings hold them."""
    try:
        was = msgspec.json.decode((config.state_dir / OUTPUTS_FILE).read_bytes(), type=_Addresses)
    except (FileNotFoundError, msgspec.DecodeError):
        return  # nothing deployed yet, or by another version: the deployment writes the file anew
    if (was.endpoint, was.sim_base) != (config.endpoint, config.sim_base):
        ports = [address.rpartition(":")[2] for address in (was.endpoint, was.sim_base)]
        raise StackError(
            f"the stack in {config.state_dir} lives on ports {' and '.join(ports)}: set UNCAP_PORT={ports[0]} "
            f"UNCAP_SIM_PORT={ports[1]}, or forget it with `make clean`, or set another UNCAP_STATE_DIR"
        )


def _start(config: StackConfig, say: Say) -> bool:
    """Starts what is not running; True if MiniStack was started (and so has restored its state)."""
    for program in (STACK_PYTHON, deploy.SAM):
        if not program.exists():
            raise StackError(f"{program.parents[1].name} is missing; `make tools` makes it")
    emulator, rail = gateway(config), simulator(config)
    for daemon, port, name in ((emulator, config.port, "UNCAP_PORT"), (rail, config.sim_port, "UNCAP_SIM_PORT")):
        if daemon.pid() is None and not port_is_free(port):
            raise StackError(f"port {port} is taken by another program; choose another one with {name}=…")
    started = emulator.pid() is None
    if started:
        say(f"Starting MiniStack on 127.0.0.1:{config.port}")
        (config.state_dir / "tmp").mkdir(exist_ok=True)
        emulator.start([str(STACK_PYTHON), "-m", "ministack"], _emulator_environment(config), config.state_dir)
    if rail.pid() is None:
        say(f"Starting the rail simulator on 127.0.0.1:{config.sim_port}")
        start_simulator(config)
    emulator.wait_until(lambda: _answers(f"{config.endpoint}/_ministack/ready"), _START_TIMEOUT_S)
    rail.wait_until(lambda: not port_is_free(config.sim_port), _START_TIMEOUT_S)
    return started


def start_simulator(config: StackConfig) -> None:
    """Starts the rail; what it knows is on disk. Tests that end it bring it back with this."""
    command = [sys.executable, "-m", "dev.rail_simulator", "--port", str(config.sim_port)]
    command += ["--state-dir", str(after_deploy.simulator_dir(config))]
    simulator(config).start(command, dict(os.environ), REPOSITORY)


def _deploy(config: StackConfig, say: Say) -> StackOutputs:
    """Builds and deploys if anything changed since the last time."""
    build_web.build()
    values = deploy.parameters(config, deploy.parse_overrides(os.environ.get("UNCAP_PARAMETERS", "")))
    wanted = deploy.source_hash(values)
    if deploy.is_current(config, wanted):
        say("Deployed sources are current")
    else:
        say("Building layers and functions (sam build)")
        deploy.build(config, values)
        say("Deploying template.yaml (sam deploy)")
        deploy.deploy(config, values, wanted)
    return deploy.read_outputs(config)


def _emulator_environment(config: StackConfig) -> dict[str, str]:
    """MiniStack's whole environment. Nothing of the caller's leaks in: workers inherit it as if it were Lambda's."""
    state = config.state_dir
    return {
        "PATH": os.defpath,
        "HOME": str(state),
        "LANG": "C.UTF-8",
        "TMPDIR": str(state / "tmp"),
        "GATEWAY_PORT": str(config.port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state / "aws"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ROOT_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET_KEY,
        "LOG_LEVEL": "INFO",
    }


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@contextmanager
def _only_one(config: StackConfig) -> Iterator[None]:
    """Waits for another `up` or `down` of the same directory to finish."""
    with (config.state_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _stopping_on_failure(config: StackConfig) -> Iterator[None]:
    """Stops the programs that were not running before, whatever ended the block (Ctrl-C too)."""
    fresh = [daemon for daemon in (gateway(config), simulator(config)) if daemon.pid() is None]
    try:
        yield
    except BaseException:
        for daemon in fresh:
            daemon.stop(_STOP_TIMEOUT_S)
        raise
