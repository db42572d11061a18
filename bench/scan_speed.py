"""scan_cpu and scan_init: what a scan costs in the function's own CPU, and what a cold start costs before it.

Against a raw signed request (the floor) and a handler of boto3, Powertools and pydantic (bench/peers).
"""

import contextlib
import gc
import io
import json
import os
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.floor import RawUpdate
from bench.loopback import environment, loopback
from bench.report import Row, row

ROOT = Path(__file__).resolve().parents[1]
ROUNDS, CALLS = 9, 200
_PEER = "boto3 + Powertools + pydantic handler"
# Beside boto3, which Lambda brings: what the peer's bundle has to carry.
_PEER_PACKAGES = (
    "aws-lambda-powertools", "jmespath", "typing-extensions", "pydantic", "pydantic-core", "annotated-types",
    "typing-inspection", "cryptography", "msgspec",
)  # fmt: skip

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def scan_cpu() -> Iterable[Row]:
    """CPU per warm scan of distinct codes, all first claims; the server runs in another process."""
    with loopback() as variables, environment(variables):
        own, peer, floor = _own(), _peer(), RawUpdate(variables)
        serials = _serials(ROUNDS * CALLS)
        figures: dict[str, list[float]] = {"own": [], "peer": [], "floor": []}
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            for turn in range(ROUNDS):
                batch = serials[turn * CALLS : (turn + 1) * CALLS]
                figures["own"].append(_cpu_ms(own, [_event(serial, token) for serial, token in batch]))
                figures["peer"].append(_cpu_ms(peer, [_event(serial, token) for serial, token in batch]))
                figures["floor"].append(_cpu_ms(lambda key, _: floor.send(key), [f"floor.{n}" for n in range(CALLS)]))
        floor.close()
    own_ms, peer_ms, floor_ms = (statistics.median(figures[name]) for name in ("own", "peer", "floor"))
    pairs = list(zip(figures["own"], figures["peer"], figures["floor"], strict=True))
    to_peer = statistics.median(p / o for o, p, _ in pairs)
    to_floor = statistics.median(o / f for o, _, f in pairs)
    yield row("scan_cpu", own_ms, "ms CPU/scan", peer=_PEER, peer_value=peer_ms, ratio=to_peer)
    yield row(
        "scan_cpu_floor", own_ms, "ms CPU/scan", peer="raw signed request (http.client)", peer_value=floor_ms,
        ratio=1 / to_floor, times_floor=round(to_floor, 2), budget="times_floor <= 2",
    )  # fmt: skip


def scan_init() -> Iterable[Row]:
    """Import and wiring in a fresh interpreter, medians of interleaved runs, and the bundle's size."""
    with loopback() as variables:
        # No call is made, so the endpoint is the region's own: TLS and all, as on Lambda.
        variables = {name: value for name, value in variables.items() if name != "AWS_ENDPOINT_URL"}
        own = "from functions.scan_api.handler import handler, scan_handler; scan_handler()"
        times = [(_fresh_ms(own, variables), _fresh_ms("import bench.peers.scan_boto3", variables)) for _ in range(9)]
    own_ms, peer_ms = (statistics.median(one) for one in zip(*times, strict=True))
    ratio = statistics.median(p / o for o, p in times)
    yield row("scan_init", own_ms, "ms", peer=_PEER, peer_value=peer_ms, ratio=ratio, budget="ratio >= 2")
    listed = (ROOT / "layers/deps_scan/requirements.in").read_text().splitlines()
    own_kb = _zip_kb([line for line in listed if line and not line.startswith("#")], _own_files())
    peer_kb = _zip_kb(_PEER_PACKAGES, ())
    yield row(
        "scan_bundle",
        own_kb,
        "kB zipped",
        peer=_PEER + ", boto3 not counted",
        peer_value=peer_kb,
        ratio=peer_kb / own_kb,
    )


def _own() -> Handler:
    from functions.scan_api.handler import handler  # after the environment is set
    from uncap.runtime.wiring_scan import scan_handler

    scan_handler.cache_clear()
    return handler


def _peer() -> Handler:
    from bench.peers.scan_boto3 import handler  # makes its client at import, as usual

    return handler


def _serials(count: int) -> list[tuple[str, str]]:
    """Genuine serials of claimable codes, 1,800 of the kit's, each with a session's token."""
    from tests.kits.scan_kit import serial_of
    from uncap.domain.codes.scheme import Keyring

    keyring = Keyring.parse(os.environ["PEER_CODE_KEYS"])
    sample = json.loads((ROOT / "events/scan_api/session.json").read_text())
    token = json.loads(_own()(sample, None)["body"])["token"]
    return [(serial_of(keyring, 30 + n % 900), token) for n in range(count)]


def _event(serial: str, token: str) -> dict[str, Any]:
    text = (ROOT / "events/scan_api/scan_json.json").read_text()
    event: dict[str, Any] = json.loads(text.replace("1E5ZNQ38SXZSYYC86", serial).replace("TOKEN", token))
    return event


def _cpu_ms(handler: Callable[[Any, Any], Any], events: list[Any]) -> float:
    if handler(events[0], None).get("statusCode", 200) != 200:
        raise RuntimeError("the handler did not take the scan")
    gc.collect()
    began = time.process_time()
    for event in events:
        handler(event, None)
    return (time.process_time() - began) / len(events) * 1000


def _fresh_ms(statement: str, variables: dict[str, str]) -> float:
    """The statement's wall time in an isolated interpreter that has the layers and the packages on its path."""
    site = [path for path in sys.path if path.endswith("site-packages")]
    paths = [str(ROOT), str(ROOT / "layers/core/python"), str(ROOT / "layers/web/python"), *site]
    program = (
        f"import sys, time; sys.path[:0] = {paths!r}; t = time.perf_counter(); {statement}; "
        "print((time.perf_counter() - t) * 1000)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], env=variables, capture_output=True, text=True, check=True
    )
    return float(done.stdout.splitlines()[-1])


def _own_files() -> Iterator[tuple[str, Path]]:
    for layer in ("core", "web"):
        base = ROOT / f"layers/{layer}/python"
        for path in base.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield str(path.relative_to(base)), path
    yield "functions/scan_api/handler.py", ROOT / "functions/scan_api/handler.py"


def _zip_kb(packages: Iterable[str], files: Iterable[tuple[str, Path]]) -> float:
    """Packages' modules (no metadata, tests or caches) and files, deflated as a bundle is."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, path in files:
            bundle.write(path, name)
        for package in packages:
            for entry in metadata.files(package) or ():
                path = Path(str(entry.locate()))
                parts = set(entry.parts)
                if path.is_file() and not parts & {"__pycache__", "tests", ".."} and ".dist-info" not in str(entry):
                    bundle.write(path, str(entry))
    return len(buffer.getvalue()) / 1024
