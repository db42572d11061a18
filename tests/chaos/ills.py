"""What befalls the deployed system: kills, messages again, records again, a rail that is away, tables that refuse.

Each ill is one call; `Torment` draws them from a seed and writes down what it did and when.
"""

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dev.stack import lifecycle
from dev.stack.config import StackConfig
from dev.stack.processes import port_is_free
from tests.kits.fault_proxy import CALM, FaultProxy, Weather
from tests.kits.market import Market
from tests.kits.workers import kill, worker_pids

VICTIMS = {
    "reward_relay": 4,
    "payout_worker": 4,
    "payout_callback": 2,
    "scan_api": 2,
    "sweeper_job": 1,
    "reconcile_job": 1,
}
"""Function to how often it is chosen: the money functions most of the time."""
STORM = Weather(throttled=0.25, lost=0.05, delayed=0.10)
_LONGEST_STORM_S = 15.0
RAIL_FAULTS = ("timeout_after_accept", "timeout_before_accept", "http_500", "429", "system_error", "duplicate_callback")
Ill = Callable[[], str]


class Ills:
    """The ills of one stack. Every method returns what it did, for the journal."""

    def __init__(
        self, market: Market, config: StackConfig, proxy: FaultProxy, rng: random.Random, victims: Iterable[str]
    ) -> None:
        """`victims`: functions whose processes may be ended."""
        self._market, self._config, self._proxy, self._random = market, config, proxy, rng
        self._victims = tuple(victims)
        self._queues, self._functions = market.aws("sqs"), market.aws("lambda")
        self._streams = market.aws("dynamodbstreams")

    def kill_worker(self) -> str:
        """SIGKILL to one process of a function that has any."""
        running = {name: worker_pids(self._config, self._market.outputs.functions[name]) for name in self._victims}
        names = [name for name, pids in running.items() if pids]
        if not names:
            return "found nobody to kill"
        name = self._random.choices(names, [VICTIMS[one] for one in names])[0]
        kill(self._random.choice(running[name]))
        return f"killed a {name}"

    def messages_again(self) -> str:
        """Up to ten messages of the reward queue: a copy is sent, and the original is visible again at once."""
        url = self._market.outputs.reward_queue_url
        found = self._queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=5)
        for message in found.get("Messages", []):
            self._queues.send_message(QueueUrl=url, MessageBody=message["Body"])
            self._queues.change_message_visibility(
                QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        return f"delivered {len(found.get('Messages', []))} messages twice"

    def rewards_again(self, reward_ids: list[str]) -> str:
        """Messages that were worked on long ago, sent again as a slow network would."""
        chosen = self._random.sample(reward_ids, min(10, len(reward_ids)))
        for one in chosen:
            body = f'{{"v":1,"reward_id":"{one}"}}'
            self._queues.send_message(QueueUrl=self._market.outputs.reward_queue_url, MessageBody=body)
        return f"sent {len(chosen)} old messages again"

    def records_again(self) -> str:
        """Old stream records, in a random order, to the relay: as Lambda does after a failed batch, and later."""
        records = self._recorded()
        chosen = self._random.sample(records, min(50, len(records)))
        if chosen:
            payload = _as_event(chosen)
            name = self._market.outputs.functions["reward_relay"]
            self._functions.invoke(FunctionName=name, InvocationType="Event", Payload=payload)
        return f"replayed {len(chosen)} stream records"

    def rail_fault(self) -> str:
        """The rail's next answers are no answers."""
        kind, count = self._random.choice(RAIL_FAULTS), self._random.randint(1, 4)
        order = {"next": count} if kind == "duplicate_callback" else {"next": count, "on": "any"}
        self._market.fault(kind, **order)
        return f"the rail: {kind}, {count} times"

    def rail_slow(self) -> str:
        """A third of the calls take longer than the worker waits."""
        self._market.fault("slow", probability=0.3, seed=self._random.randrange(1 << 30), on="any", delay_ms=2_500)
        return "the rail is slow"

    def rail_well(self) -> str:
        self._market.calm()
        return "the rail is well again"

    def rail_frozen(self) -> str:
        """It takes calls and never answers, then goes on as if nothing had been."""
        pid = lifecycle.simulator(self._config).pid()
        if pid is None:
            return "the rail is down already"
        os.kill(pid, signal.SIGSTOP)
        time.sleep(length := self._random.uniform(2, 6))
        os.kill(pid, signal.SIGCONT)
        return f"the rail was frozen for {length:.1f} s"

    def rail_dead(self) -> str:
        """Its process ends at once, and comes back after a while."""
        pid = lifecycle.simulator(self._config).pid()
        if pid is not None:
            kill(pid)
        time.sleep(length := self._random.uniform(1, 4))
        self.rail_back()
        return f"the rail was dead for {length:.1f} s"

    def rail_back(self) -> None:
        """It runs and listens."""
        daemon = lifecycle.simulator(self._config)
        if daemon.pid() is None:
            lifecycle.start_simulator(self._config)
            daemon.wait_until(lambda: not port_is_free(self._config.sim_port), 30)

    def storm(self) -> str:
        """A quarter of all requests to the tables are throttled, some replies are lost; for a while."""
        before, began = self._proxy.counts.copy(), time.monotonic()
        self._proxy.weather = STORM
        time.sleep(self._random.uniform(4, 8))
        while self._proxy.counts == before and time.monotonic() - began < _LONGEST_STORM_S:
            time.sleep(0.5)  # a storm that nobody meets is none
        self._proxy.weather = CALM
        return f"a storm at the tables for {time.monotonic() - began:.1f} s: {dict(self._proxy.counts - before)}"

    def sweep(self) -> str:
        """The schedule's work, more often than once a minute."""
        return self._job("sweeper_job")

    def reconcile(self) -> str:
        return self._job("reconcile_job")

    def _job(self, name: str) -> str:
        self._functions.invoke(FunctionName=self._market.outputs.functions[name], InvocationType="Event", Payload=b"{}")
        return f"started the {name}"

    def _recorded(self) -> list[dict[str, Any]]:
        """The stream's records from the beginning, a page of each shard."""
        arn, records = self._market.outputs.scans_stream_arn, []
        for shard in self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            iterator = self._streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while iterator:
                page = self._streams.get_records(ShardIterator=iterator)
                records += page["Records"]
                iterator = page.get("NextShardIterator") if page["Records"] else None
        return records


class Torment:
    """Ills at random moments for `seconds` at least, in a thread of its own; its block waits for the end of all."""

    def __init__(
        self, ills: Ills, rng: random.Random, seconds: float, mean_gap_s: float, say: Callable[[str], None]
    ) -> None:
        self._ills, self._random, self._seconds, self._gap_s, self._say = ills, rng, seconds, mean_gap_s, say
        self._thread = threading.Thread(target=self._run, name="torment")
        self.rewards: Callable[[], list[str]] = list
        self.journal: list[tuple[float, str]] = []
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> "Torment":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._ills.rail_back()
        self._ills.rail_well()

    def lasts(self) -> bool:
        """False once the last ill has come."""
        return self._thread.is_alive()

    def _choices(self) -> dict[str, tuple[int, Ill]]:
        ills = self._ills
        return {
            "kill": (6, ills.kill_worker),
            "messages again": (3, ills.messages_again),
            "old messages": (2, lambda: ills.rewards_again(self.rewards())),
            "records again": (3, ills.records_again),
            "rail fault": (3, ills.rail_fault),
            "rail slow": (1, ills.rail_slow),
            "rail well": (1, ills.rail_well),
            "rail frozen": (1, ills.rail_frozen),
            "rail dead": (1, ills.rail_dead),
            "storm": (3, ills.storm),
            "sweep": (3, ills.sweep),
            "reconcile": (1, ills.reconcile),
        }

    def _run(self) -> None:
        choices = self._choices()
        # Each once in a random order, then by weight: a short run has met everything too.
        first = self._random.sample(sorted(choices), len(choices))
        began = time.monotonic()
        while first or time.monotonic() - began < self._seconds:
            time.sleep(self._random.expovariate(1 / self._gap_s))
            weights = [weight for weight, _ in choices.values()]
            name = first.pop() if first else self._random.choices(list(choices), weights)[0]
            try:
                done = choices[name][1]()
            except (ClientError, BotoCoreError) as cause:
                done = f"{name} did not come about: {cause}"
            self.counts[name] += 1
            self.journal.append((time.time(), done))
            self._say(done)


def _as_event(records: list[dict[str, Any]]) -> bytes:
    """Records as Lambda hands them over: times as numbers of seconds."""

    def number(value: Any) -> float:
        return float(value.timestamp())

    return json.dumps({"Records": records}, default=number).encode()
