"""Puts the simulator together as an ASGI application. Called by `__main__.py` and by tests that run it in-process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.routing import Router

from dev.rail_simulator.control_api import ControlApi
from dev.rail_simulator.courier import Courier
from dev.rail_simulator.machine import Machine
from dev.rail_simulator.merchant_api import MerchantApi
from dev.rail_simulator.rank_api import RankApi
from dev.rail_simulator.signing import Platform
from dev.rail_simulator.store import Store

_TICK_S = 0.05


class SimulatorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`transfer_ms`: from tap to arrival; `hold_ms`: how long a time-out fault keeps the client waiting."""

    state_dir: Path
    transfer_ms: int = 300
    confirm_ttl_ms: int = 24 * 3_600_000
    hold_ms: int = 10_000
    rate_per_s: int = 100
    callback_backoff_ms: int = 1_000
    balance_minor: int = 100_000_000


def create_app(config: SimulatorConfig) -> Starlette:
    """The application; keys and state file are made in `state_dir` at start-up if they are not there."""
    router = Router()

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        # Opened here, because SQLite's connection belongs to the thread that runs the event loop.
        platform = Platform(config.state_dir)
        store = Store(config.state_dir / "rail.db", balance_minor=config.balance_minor)
        machine = Machine(
            store, mchid=platform.mchid, transfer_ms=config.transfer_ms, confirm_ttl_ms=config.confirm_ttl_ms
        )
        api = MerchantApi(machine, platform, hold_ms=config.hold_ms, rate_per_s=config.rate_per_s)
        courier = Courier(store, platform, backoff_ms=config.callback_backoff_ms)
        clockwork = asyncio.create_task(_run(machine, courier))
        control = ControlApi(machine, alive=lambda: not clockwork.done())
        router.routes[:] = [*api.routes(), *control.routes(), *RankApi(platform.appid).routes()]
        try:
            yield
        finally:
            clockwork.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await clockwork
            store.close()

    app = Starlette(lifespan=lifespan)
    app.mount("/", router)
    return app


async def _run(machine: Machine, courier: Courier) -> None:
    while True:
        machine.tick()
        await courier.deliver_due()
        await asyncio.sleep(_TICK_S)
