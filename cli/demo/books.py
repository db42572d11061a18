"""The books after a demo run, read where they are kept: ledger, rail statement, read models, cases.

The demo audits itself with the stack's root caller, as a brand's auditor would with a read-only role.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from cli.clients import Console
from cli.demo.run import Players
from cli.demo.world import World
from dev.stack import http
from dev.stack.outputs import StackOutputs
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.models import LedgerItem, open_tables
from uncap.domain.rewards.ids import bill_no
from uncap.domain.rewards.reward import Reward, State
from uncap.services.trial_balance import TrialBalance, trial_balance

SEGMENTS = 2
_DONE = (State.NONE, State.PAID, State.RELEASED)


class Books(msgspec.Struct, frozen=True):
    """Sums in fen. `bills` are the rail's lines for this campaign's attempts."""

    rewards: tuple[Reward, ...]
    trial: TrialBalance
    bills: tuple[dict[str, Any], ...]
    outcomes: dict[str, int]
    cases: tuple[dict[str, Any], ...]

    @property
    def cash(self) -> tuple[Reward, ...]:
        return tuple(reward for reward in self.rewards if reward.kind == "cash" and reward.state is State.PAID)

    @property
    def paid_minor(self) -> int:
        return sum(reward.net_minor for reward in self.cash)

    @property
    def ledger_minor(self) -> int:
        """What the entries of this campaign's rewards took out of the rail's clearing account."""
        postings = (one for reward in self.rewards for one in reward.settled)
        return -sum(one.amount_minor for one in postings if one.account.startswith("clearing:wechat"))

    @property
    def statement_minor(self) -> int:
        return sum(int(line["amount_minor"]) for line in self.bills)

    @property
    def states(self) -> Counter[str]:
        return Counter(f"{reward.beneficiary} {reward.state}" for reward in self.rewards)


class Auditor:
    """Reads everything that belongs to one run. Lives within `caller_of(outputs)`."""

    def __init__(self, outputs: StackOutputs, desk: Console, world: World) -> None:
        self._outputs = outputs
        self._desk = desk
        self._world = world
        open_tables({LedgerItem: outputs.ledger_table})
        self._ledger = DynamoLedger()

    def rewards(self) -> tuple[Reward, ...]:
        """This campaign's rewards as the Ledger has them now."""
        found = (reward for segment in range(SEGMENTS) for reward in self._ledger.rewards(segment, SEGMENTS))
        return tuple(reward for reward in found if reward.campaign_id == self._world.campaign_id)

    def those(self, reward_ids: Sequence[str]) -> Iterable[Reward]:
        """These rewards, as far as they exist: who watches a race must not slow it by reading the whole table."""
        return self._ledger.get_many(reward_ids).values()

    def read(self) -> Books:
        """All books, at this moment."""
        rewards = self.rewards()
        return Books(rewards, self.trial(), tuple(self._bills(rewards)), self.outcomes(), self.cases())

    def trial(self) -> TrialBalance:
        """The whole Ledger's sums, whosever campaign it was."""
        return trial_balance(self._ledger)

    def outcomes(self) -> dict[str, int]:
        """The read model's counts for this run's product, over days and regions."""
        return outcomes_of(self._desk, self._world.gtin)

    def cases(self) -> tuple[dict[str, Any], ...]:
        """Diversion cases about this run's shipments."""
        items = self._desk.call("GET", "/diversion/cases", count=200)["items"]
        return tuple(case for case in items if case["shipment_id"] in self._world.shipments)

    def _bills(self, rewards: Iterable[Reward]) -> Iterable[dict[str, Any]]:
        ours = {bill_no(one.reward_id, no) for one in rewards if one.attempt for no in range(1, one.attempt.no + 1)}
        with http.client(self._outputs.sim_base) as rail:
            lines = rail.get("/_sim/statement").raise_for_status().json()["lines"]
        return [line for line in lines if line["bill_no"] in ours]


def outcomes_of(desk: Console, gtin: str) -> dict[str, int]:
    """The read model's counts of one product, from the day before today to the day after, whatever the time zone."""
    today = datetime.now(UTC).date()
    days = {"first_day": today - timedelta(days=1), "last_day": today + timedelta(days=1)}
    outcomes: dict[str, int] = desk.call("GET", "/overview", gtin=gtin, **days)["outcomes"]
    return outcomes


class Tapper:
    """The people who tap "confirm" when the rail asks them to, while the others still scan."""

    def __init__(self, auditor: Auditor, players: Players) -> None:
        self._auditor = auditor
        self._players = players
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._loop = self._pool.submit(self._tap_until_stopped)

    def __enter__(self) -> "Tapper":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown()
        self._loop.result()  # what went wrong in the thread goes wrong here

    def _tap_until_stopped(self) -> None:
        done: set[str] = set()
        while not self._stop.wait(0.5):
            for reward in self._auditor.those([one for one in list(self._players.won) if one not in done]):
                if reward.state in _DONE:
                    done.add(reward.reward_id)
                elif reward.state is State.WAIT_USER:
                    self._players.confirm(self._players.won[reward.reward_id], reward.reward_id)


def wait_until_final(auditor: Auditor, expected: int, *, timeout_s: float, tell: Callable[[str], None]) -> bool:
    """True once `expected` rewards exist and each is decided."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        final = sum(reward.state in _DONE for reward in auditor.rewards())
        tell(f"{final} of {expected} rewards are final")
        if final >= expected:
            return True
        time.sleep(1.0)
    return False
