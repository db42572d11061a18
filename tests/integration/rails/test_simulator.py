"""The simulator itself: keys made once, state that survives a kill, and a confirm page that is honest and harmless."""

import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from dev.rail_simulator.app import SimulatorConfig
from dev.rail_simulator.keys import ensure_rail_keys
from tests.integration.rails.conftest import ORDER, Simulator, Webhook, order, running, wait_for
from uncap.adapters.rails.registry import rail_keys
from uncap.domain.rails import NeedUser, Paid

ROOT = Path(__file__).parents[3]


def test_keys_are_made_once_and_are_private(tmp_path: Path) -> None:
    first = ensure_rail_keys(tmp_path / "new")
    assert ensure_rail_keys(tmp_path / "new") == first
    assert rail_keys(first).mchid == first["mchid"]
    for file in (tmp_path / "new").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_keys_are_made_from_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "dev.rail_simulator.keys", str(tmp_path / "new")]
    assert subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout == b""
    assert ensure_rail_keys(tmp_path / "new")["mchid"]


def test_keys_left_half_made_are_made_anew(tmp_path: Path) -> None:
    (tmp_path / "platform_private_key.pem").write_text("torn")
    assert "torn" not in ensure_rail_keys(tmp_path)["platform_public_key_pem"]
    assert "BEGIN" in (tmp_path / "platform_private_key.pem").read_text()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(state_dir: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dev.rail_simulator", "--port", str(port), "--state-dir", str(state_dir)]
    process = subprocess.Popen([*command, "--transfer-ms", "20"], cwd=ROOT)

    def healthy() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/_sim/health").status_code == 200
        except httpx.TransportError:
            return False

    wait_for(healthy, 20)
    return process


def test_a_killed_simulator_comes_back_with_its_state(state_dir: Path) -> None:
    port = free_port()
    process = start(state_dir, port)
    try:
        simulator = Simulator(f"http://127.0.0.1:{port}", rail_keys(ensure_rail_keys(state_dir)))
        with simulator.http:
            rail = simulator.rail()
            waiting = rail.submit(ORDER)
            balance = simulator.balance_minor()
            process.send_signal(signal.SIGKILL)
            process.wait()
            process = start(state_dir, port)
            assert rail.submit(ORDER) == waiting
            assert simulator.balance_minor() == balance
            simulator.tap(waiting)
            simulator.settled(rail, "B0001", Paid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def test_notices_and_faults_survive_a_restart(config: SimulatorConfig, webhook: Webhook) -> None:
    webhook.answers = [500] * 3
    with running(config) as simulator:
        simulator.tap(simulator.rail().submit(order("B0001", notify_url=webhook.url())))
        wait_for(lambda: bool(webhook.notices))
        simulator.fault("429", next=5)
    before = len(webhook.notices)
    with running(config) as simulator:
        wait_for(lambda: len(webhook.notices) >= max(4, before))
        armed = simulator.http.get("/_sim/faults").json()["faults"]
        assert [(fault["kind"], fault["remaining"]) for fault in armed] == [("429", 5)]


def page_of(simulator: Simulator, back: str = "") -> tuple[str, httpx.Response]:
    waiting = simulator.rail().submit(ORDER)
    assert isinstance(waiting, NeedUser)
    assert waiting.action is not None
    package = waiting.action.package
    return package, simulator.http.get("/confirm", params={"package": package, "back": back})


def test_the_confirm_page_says_what_it_is_in_both_languages(simulator: Simulator) -> None:
    _, page = page_of(simulator)
    assert page.status_code == 200
    assert "这不是微信" in page.text
    assert "This is not WeChat" in page.text
    assert "¥5.00" in page.text
    assert "openid-secret" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_looking_never_confirms_and_the_button_does(simulator: Simulator) -> None:
    back = "http://abc.execute-api.localhost:4566/01/0?lang=en"
    package, page = page_of(simulator, back)
    assert isinstance(simulator.rail().query("B0001"), NeedUser)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    assert fields["package"] == package
    tapped = simulator.http.post("/confirm", data={"package": package, "back": back}, follow_redirects=True)
    assert tapped.status_code == 200
    assert f'href="{back}"' in tapped.text
    assert 'method="post"' not in tapped.text
    simulator.settled(simulator.rail(), "B0001", Paid)
    assert "已收款" in simulator.http.get("/confirm", params={"package": package}).text


@pytest.mark.parametrize(
    "back",
    [
        "https://example.com/",
        "http://example.com/",
        "javascript:alert(1)",
        "http://localhost.example.com/",
        "http://example.com\\.localhost/",
        "http://user@localhost/",
        "//localhost/",
        "http://[",
        '"><script>alert(1)</script>',
    ],
)
def test_the_way_back_leads_to_this_machine_or_nowhere(simulator: Simulator, back: str) -> None:
    _, page = page_of(simulator, back)
    assert "<a " not in page.text
    assert "<script" not in page.text


def test_an_unknown_package_is_a_page_too(simulator: Simulator) -> None:
    assert simulator.http.get("/confirm", params={"package": "x"}).status_code == 404
    assert simulator.http.post("/confirm", data={"package": "x"}).status_code == 404


def test_a_foreign_page_cannot_use_the_controls(simulator: Simulator) -> None:
    reply = simulator.http.post("/_sim/balance", content=b'{"amount_minor": 5}', headers={"Content-Type": "text/plain"})
    assert reply.status_code == 415
    assert simulator.balance_minor() == 1_000_000


def test_time_only_goes_forward(simulator: Simulator) -> None:
    assert simulator.http.post("/_sim/advance", json={"seconds": -1}).status_code == 400
    assert simulator.http.post("/_sim/advance", json={"seconds": "x"}).status_code == 400
    assert simulator.http.get("/_sim/statement", params={"date": "yesterday"}).status_code == 400
