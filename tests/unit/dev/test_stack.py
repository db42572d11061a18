"""dev/stack without a stack: configuration, hashes, processes, loopback HTTP, one-line refusals."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from dev.stack import console_routes, deploy, lifecycle
from dev.stack import http as stack_http
from dev.stack.config import REPOSITORY, StackConfig, StackError, from_environment
from dev.stack.outputs import OUTPUTS_FILE, load
from dev.stack.processes import Daemon, port_is_free

SLEEPER = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)",
]


def config(folder: Path, port: int = 1, sim_port: int = 2) -> StackConfig:
    return StackConfig(port=port, sim_port=sim_port, state_dir=folder)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_environment_sets_ports_and_directory(tmp_path: Path) -> None:
    found = from_environment({"UNCAP_PORT": "5000", "UNCAP_STATE_DIR": str(tmp_path)})
    assert (found.port, found.sim_port, found.state_dir) == (5000, 5001, tmp_path)
    assert found.endpoint == "http://127.0.0.1:5000"
    assert from_environment({}).port == 4566


def test_a_port_that_is_no_number_is_named() -> None:
    with pytest.raises(StackError, match="UNCAP_PORT"):
        from_environment({"UNCAP_PORT": "many"})


def test_parameter_overrides() -> None:
    assert deploy.parse_overrides("A=1 B=x=y") == {"A": "1", "B": "x=y"}
    assert deploy.parse_overrides("") == {}
    with pytest.raises(StackError, match="UNCAP_PARAMETERS"):
        deploy.parse_overrides("A")


def test_the_hash_changes_with_a_parameter_and_not_by_itself(tmp_path: Path) -> None:
    values = deploy.parameters(config(tmp_path), {})
    assert deploy.source_hash(values) == deploy.source_hash(dict(reversed(values.items())))
    assert deploy.source_hash(values) != deploy.source_hash(values | {"LogLevel": "DEBUG"})


def test_outputs_of_nothing_say_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="make up"):
        load(config(tmp_path))
    (tmp_path / OUTPUTS_FILE).write_text("{}")
    with pytest.raises(StackError, match="another version"):
        load(config(tmp_path))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    one = Daemon("sleeper", tmp_path)
    yield one
    one.stop(timeout_s=1)


def test_a_daemon_starts_and_stops(daemon: Daemon, tmp_path: Path) -> None:
    assert daemon.pid() is None
    daemon.start(SLEEPER, os.environ, tmp_path)
    daemon.wait_until(lambda: daemon.last_line() == "ready", 10)
    assert daemon.pid() is not None
    assert daemon.stop()
    assert daemon.pid() is None
    assert not daemon.stop()


def test_a_daemon_that_will_not_go_is_killed(daemon: Daemon, tmp_path: Path) -> None:
    daemon.start(STUBBORN, os.environ, tmp_path)
    daemon.wait_until(lambda: daemon.last_line() == "ready", 10)
    assert daemon.stop(timeout_s=0.3)
    assert daemon.pid() is None


def test_another_programs_pid_is_not_taken_for_the_daemon(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "sleeper.pid").write_text(f"{os.getpid()} 1")
    assert daemon.pid() is None
    assert not daemon.stop()  # and is not signalled either


def test_a_daemon_that_ends_at_once_is_reported_with_its_last_words(daemon: Daemon, tmp_path: Path) -> None:
    daemon.start([sys.executable, "-c", "print('no licence'); raise SystemExit(3)"], os.environ, tmp_path)
    with pytest.raises(StackError, match="no licence"):
        daemon.wait_until(lambda: False, 10)
    assert daemon.pid() is None


def test_a_taken_port_is_one_clear_line_and_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "STACK_PYTHON", Path(sys.executable))
    monkeypatch.setattr(deploy, "SAM", Path(sys.executable))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        assert not port_is_free(port)
        with pytest.raises(StackError, match=f"port {port} is taken.*UNCAP_PORT"):
            lifecycle.up(config(tmp_path, port, free_port()), lambda _: None)
        with pytest.raises(StackError, match=f"port {port} is taken.*UNCAP_SIM_PORT"):
            lifecycle.up(config(tmp_path, free_port(), port), lambda _: None)
    assert lifecycle.status(config(tmp_path)) == {"ministack": "stopped", "rail": "stopped", "deployed": "no"}


def test_a_deployed_stack_keeps_its_ports(tmp_path: Path) -> None:
    was = {"endpoint": "http://127.0.0.1:4001", "sim_base": "http://127.0.0.1:4002"}
    (tmp_path / "outputs.json").write_bytes(msgspec.json.encode(was))
    with pytest.raises(StackError, match="lives on ports 4001 and 4002: set UNCAP_PORT=4001 UNCAP_SIM_PORT=4002"):
        lifecycle.up(config(tmp_path, 4001, 4003), lambda _: None)
    assert lifecycle.status(config(tmp_path))["ministack"] == "stopped"


@pytest.mark.parametrize("ports", [("4001", "4001"), ("0", "4001"), ("4001", "65536"), ("-1", "4001")])
def test_ports_that_cannot_be_are_refused(ports: tuple[str, str]) -> None:
    with pytest.raises(StackError, match="two different port numbers"):
        from_environment({"UNCAP_PORT": ports[0], "UNCAP_SIM_PORT": ports[1]})


def test_a_missing_environment_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "STACK_PYTHON", tmp_path / ".venv-stack/bin/python")
    with pytest.raises(StackError, match=r"\.venv-stack is missing.*make tools"):
        lifecycle.up(config(tmp_path, free_port(), free_port()), lambda _: None)


def test_clean_removes_only_what_a_stack_made(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    with pytest.raises(StackError, match="not a stack's"):
        lifecycle.clean(config(precious))
    assert (precious / "file").exists()
    lifecycle.clean(config(tmp_path / "absent"))


class Echo(BaseHTTPRequestHandler):
    """Answers with the Host it was asked for."""

    def do_GET(self) -> None:
        body = self.headers["Host"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Quiet."""


def test_local_names_reach_the_loopback_with_their_host_kept() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with stack_http.client() as client:
            host = f"abc123.execute-api.localhost:{server.server_port}"
            reply = client.get(f"http://{host}/page")
            assert reply.text == host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class FakeApi:
    binary_types = ("image/png",)


class FakeApp:
    api = FakeApi()
    routes = {"/things/{name}": {"POST": None, "GET": None}, "/": {"GET": None}}  # noqa: RUF012 -- a stand-in


def test_the_consoles_document_names_every_route_and_parameter() -> None:
    made = console_routes.document(FakeApp())
    assert list(made["paths"]) == ["/", "/things/{name}"]
    assert list(made["paths"]["/things/{name}"]) == ["get", "post"]
    assert made["paths"]["/things/{name}"]["get"]["parameters"][0]["name"] == "name"
    assert "&id" not in console_routes.render(FakeApp())


def test_the_command_line_refuses_in_one_line(tmp_path: Path) -> None:
    environment = os.environ | {"UNCAP_STATE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "dev.stack", "outputs"],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "make up" in done.stderr
    assert "Traceback" not in done.stderr
