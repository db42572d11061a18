"""A simulated rail over real HTTP, a rail that speaks to it, and a webhook that collects its notices."""

import contextlib
import http.server
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from dev.rail_simulator.app import SimulatorConfig
from dev.rail_simulator.inprocess import serve
from dev.rail_simulator.keys import ensure_rail_keys
from uncap.adapters.rails.registry import rail_keys
from uncap.adapters.rails.wechat_crypto import RailKeys
from uncap.adapters.rails.wechat_transfer import WechatTransferRail
from uncap.domain.rails import NeedUser, PayInstruction, Rail, RailOutcome

ORDER = PayInstruction(
    bill_no="B0001", payee="openid-secret", amount_minor=500, campaign_name="夏日开盖有奖", reward_note="开盖奖励"
)


def order(bill_no: str, **changes: object) -> PayInstruction:
    """The usual instruction under another bill number."""
    return msgspec.structs.replace(ORDER, bill_no=bill_no, **changes)


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Until `condition` holds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


class Simulator:
    """A running simulator: its address, and its `/_sim` controls as methods."""

    def __init__(self, url: str, keys: RailKeys) -> None:
        self.url = url
        self.keys = keys
        self.http = httpx.Client(base_url=url, timeout=5)

    def rail(self, *, timeout_ms: int = 2_000, skew_ms: int = 0) -> WechatTransferRail:
        """A rail towards this simulator whose clock is off by `skew_ms`."""
        ticks = iter(range(1_000_000))
        return WechatTransferRail(
            self.keys,
            self.url,
            now_ms=lambda: time.time_ns() // 1_000_000 + skew_ms,
            nonce=lambda: f"nonce{next(ticks)}",
            timeout_ms=timeout_ms,
        )

    def fault(self, kind: str, **more: object) -> None:
        self.control("faults", {"kind": kind, **more})

    def control(self, what: str, document: dict[str, object]) -> dict[str, object]:
        reply = self.http.post(f"/_sim/{what}", json=document)
        reply.raise_for_status()
        value: dict[str, object] = reply.json()
        return value

    def tap(self, outcome: RailOutcome) -> None:
        """The person confirms."""
        assert isinstance(outcome, NeedUser)
        assert outcome.action is not None
        self.control("confirm", {"package": outcome.action.package})

    def total_minor(self) -> int:
        return int(self.http.get("/_sim/statement").json()["total_minor"])

    def balance_minor(self) -> int:
        return int(self.http.get("/_sim/health").json()["balance_minor"])

    def settled(self, rail: Rail, bill_no: str, kind: type) -> RailOutcome:
        """Query until the outcome is of `kind`, and give it."""
        wait_for(lambda: isinstance(rail.query(bill_no), kind))
        return rail.query(bill_no)


@pytest.fixture(scope="session")
def key_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys are slow to make: one set for the whole session."""
    path = tmp_path_factory.mktemp("rail-keys")
    ensure_rail_keys(path)
    return path


@pytest.fixture
def state_dir(tmp_path: Path, key_dir: Path) -> Path:
    return Path(shutil.copytree(key_dir, tmp_path / "rail"))


@pytest.fixture
def config(state_dir: Path) -> SimulatorConfig:
    return SimulatorConfig(
        state_dir=state_dir, transfer_ms=20, hold_ms=400, callback_backoff_ms=20, balance_minor=1_000_000
    )


@contextlib.contextmanager
def running(config: SimulatorConfig) -> Iterator[Simulator]:
    with serve(config) as url:
        simulator = Simulator(url, rail_keys(ensure_rail_keys(config.state_dir)))
        with simulator.http:
            yield simulator


@pytest.fixture
def simulator(config: SimulatorConfig) -> Iterator[Simulator]:
    with running(config) as simulator:
        yield simulator


class Notice(msgspec.Struct, frozen=True):
    """One POST that arrived at the webhook."""

    path: str
    headers: dict[str, str]
    body: bytes


class Webhook:
    """Collects notices; answers with the next of `answers`, then 200."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.notices: list[Notice] = []
        self.answers: list[int] = []

    def url(self, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/v1/rails/wechat/notify"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.notices.append(Notice(self.path, dict(self.headers), body))
            self.send_response(hook.answers.pop(0) if hook.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Silent: the test looks at `notices`."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook = Webhook(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield hook
        server.shutdown()
        thread.join()
