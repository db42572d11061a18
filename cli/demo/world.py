"""What one run of the demo has to itself: a product, a campaign, a batch shipped to two distributors.

Made through the console API at the start of every run, so that all counts of the run are counts of this product and
campaign. Used by `cli/demo/run.py`.
"""

import time
from pathlib import Path

import msgspec

from cli import brand
from cli.clients import Console
from cli.demo.plan import (
    SECOND_RELEASE_START,
    SECOND_SHIPMENT_START,
    UNITS,
    UNITS_PER_CASE,
    Plan,
    Scene,
)
from dev.seed.main import DISTRIBUTORS, declare_channel, read_batch
from dev.stack.outputs import StackOutputs
from uncap.adapters.catalog import BatchView

RUNS_FILE = "demo-runs.json"
STEM = "95201234"  # with four digits for the run: a product of its own for each of 10,000 runs
NAME = {"zh-CN": "清泉啤酒 500ml 演示装", "en": "Clearwell Lager 500 ml, demo pack"}


class World(msgspec.Struct):
    """`shipments` are ids, the first distributor's first."""

    run: int
    gtin: str
    campaign_id: str
    batch_no: int
    shipments: tuple[str, str]


def scene() -> Scene:
    """The centres of the two territories."""
    first, second = (circle for _, _, circle in DISTRIBUTORS.values())
    return Scene((first["lat"], first["lng"]), (second["lat"], second["lng"]))


def next_run(outputs: StackOutputs) -> int:
    """A number no earlier run on this stack has had."""
    path = Path(outputs.state_dir) / RUNS_FILE
    run = (msgspec.json.decode(path.read_bytes(), type=int) if path.exists() else 0) + 1
    path.write_bytes(msgspec.json.encode(run))
    return run


def make(desk: Console, run: int, plan: Plan) -> World:
    """Everything up to the first release; the second one is activated by `activate_rest`."""
    declare_channel(desk)
    gtin, case_gtin = brand.product(desk, f"{STEM}{run % 10_000:04d}", NAME, UNITS_PER_CASE)
    campaign_id = f"demo-{run}"
    brand.campaign(desk, campaign_id, [gtin], int(time.time() * 1000))
    batch_no, _ = brand.batch(desk, gtin, case_gtin, UNITS, lot=f"DEMO-{run}")
    first, second = DISTRIBUTORS
    shipments = (f"demo-{run}-{first}", f"demo-{run}-{second}")
    brand.ship(desk, shipments[0], batch_no, 0, SECOND_SHIPMENT_START, first)
    brand.ship(desk, shipments[1], batch_no, SECOND_SHIPMENT_START, UNITS, second)
    brand.reject(desk, batch_no, plan.rejected)
    brand.release(desk, batch_no, campaign_id, 0, SECOND_RELEASE_START)
    brand.decommission(desk, batch_no, plan.decommissioned)
    return World(run, gtin, campaign_id, batch_no, shipments)


def activate_rest(desk: Console, world: World) -> None:
    """The last cases reach the market."""
    brand.release(desk, world.batch_no, world.campaign_id, SECOND_RELEASE_START, UNITS)


def view(desk: Console, world: World) -> BatchView:
    """The batch with its releases."""
    return read_batch(desk, world.batch_no)
