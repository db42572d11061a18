"""payout_pipeline: claim to paid on a local stack of its own, points and cash, clients side by side, everything warm.

Figures of an emulator on this machine, whose one process is the gateway, the tables, the queue and the poller of all
streams; they show what waits for what, not what AWS would do. The rail is the simulator, the tap is immediate, and cash
is paid when the rail says so: our booking follows with the callback.
"""

import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.report import Row, row
from dev.seed.operators import caller_of
from dev.stack import lifecycle
from dev.stack.config import StackConfig
from dev.stack.outputs import StackOutputs
from tests.kits.market import CATALOG_AGE_S, Market, eventually
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.models import LedgerItem, open_tables
from uncap.domain.rewards.reward import Reward, State

_PORT, _SIM_PORT = 4866, 4867
_CLIENTS = 8
_WARM_UP, _CLAIMS = 16, 80
_WITHIN_S = 120.0


def payout_pipeline() -> Iterator[Row]:
    """Milliseconds from claim to paid, and rewards paid per second while people claim."""
    with contextlib.ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="uncap-bench-"))
        outputs = held.enter_context(_stack(Path(folder)))
        market = held.enter_context(contextlib.closing(Market(outputs)))
        held.enter_context(caller_of(outputs))
        open_tables({LedgerItem: outputs.ledger_table})
        time.sleep(CATALOG_AGE_S)
        for kind in ("points", "cash"):
            _run(market, kind, _WARM_UP)
            yield _row(kind, _run(market, kind, _CLAIMS))


def _row(kind: str, rewards: Sequence[Reward]) -> Row:
    times = [one.paid_at_ms - one.claimed_at_ms for one in rewards]
    took_s = (max(one.paid_at_ms for one in rewards) - min(one.claimed_at_ms for one in rewards)) / 1000
    return row(
        "payout_pipeline", statistics.median(times), "ms claim → paid, p50", what=kind, slowest_ms=max(times),
        paid_per_s=round(len(rewards) / took_s, 1), claims=len(rewards), clients=_CLIENTS,
        where="local stack on this machine",
    )  # fmt: skip


def _run(market: Market, kind: str, claims: int) -> list[Reward]:
    """That many people claim; the consumers' rewards once all of them are paid."""
    indices = [market.next(kind) for _ in range(claims)]
    with ThreadPoolExecutor(_CLIENTS) as people:
        wanted = list(people.map(lambda index: _claim(market, kind, index), indices))
    return eventually(lambda: _paid(wanted), f"{claims} rewards are paid", _WITHIN_S)


def _claim(market: Market, kind: str, index: int) -> str:
    phone = market.phone()
    reward_id = market.claim(phone, index).rewards[0]
    if kind == "cash":
        market.confirm(phone, reward_id)
    return reward_id


def _paid(wanted: Sequence[str]) -> list[Reward] | None:
    found = list(DynamoLedger().get_many(wanted).values())
    return found if sum(one.state is State.PAID for one in found) == len(wanted) else None


@contextlib.contextmanager
def _stack(folder: Path) -> Iterator[StackOutputs]:
    config = StackConfig(port=_PORT, sim_port=_SIM_PORT, state_dir=folder / "stack")
    try:
        yield lifecycle.up(config, lambda _: None)[0]
    finally:
        lifecycle.clean(config)
