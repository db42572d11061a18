"""Programs die at the worst moment; nobody is paid twice and nobody is forgotten."""

import time
from typing import Any

from dev.stack.config import StackConfig
from tests.conftest import run_stack
from tests.kits.market import Market, eventually
from tests.kits.workers import kill, worker_pids
from uncap.domain.rewards.ids import bill_no


def test_a_worker_killed_between_attempt_and_reply_pays_once(market: Market, stack_config: StackConfig) -> None:
    market.calm()
    phone = market.phone()
    # The rail answers only after a while: the attempt is written, the bill accepted, and the worker still waits.
    market.fault("slow", next=1, on="submit", delay_ms=4_000)
    answer = market.claim(phone, market.next("cash"))
    market.reward_when(phone, answer.rewards[0], "SUBMITTING")
    killed = worker_pids(stack_config, market.outputs.functions["payout_worker"])
    assert killed, "no worker process was found to kill"
    for pid in killed:
        kill(pid)
    reward = market.pay_out(phone, answer.rewards[0], timeout_s=150)
    ours = {bill_no(answer.rewards[0], attempt) for attempt in range(1, 6)}
    paid = [line["amount_minor"] for line in market.bills() if line["bill_no"] in ours]
    assert paid == [reward["amount_minor"]]


def stream_mapping(functions: Any, name: str) -> dict[str, Any]:
    """The one event source mapping of a function that reads a stream."""
    pages = functions.get_paginator("list_event_source_mappings").paginate(FunctionName=name)
    [found] = [one for page in pages for one in page["EventSourceMappings"] if ":dynamodb:" in one["EventSourceArn"]]
    return dict(found)


def test_claims_the_stream_forgot_are_reconciled(market: Market) -> None:
    """The relay is away for longer than the stream remembers: what it missed comes from the Scans table, once."""
    functions, relay = market.aws("lambda"), market.outputs.functions["reward_relay"]
    mapping = stream_mapping(functions, relay)
    functions.delete_event_source_mapping(UUID=mapping["UUID"])
    phone = market.phone()
    answers = [market.claim(phone, market.next("points")) for _ in range(3)]
    time.sleep(3)
    assert [phone.reward(answer.rewards[0]) for answer in answers] == [None] * 3
    kept = ("BatchSize", "MaximumBatchingWindowInSeconds", "FilterCriteria")
    functions.create_event_source_mapping(
        EventSourceArn=mapping["EventSourceArn"],
        FunctionName=relay,
        StartingPosition="LATEST",
        **{name: mapping[name] for name in kept if mapping.get(name)},
    )

    def reconciled() -> bool:
        market.invoke("reconcile_job")
        rewards = [phone.reward(answer.rewards[0]) for answer in answers]
        return all(reward and reward["state"] == "PAID" for reward in rewards)

    eventually(reconciled, "every missed claim is rewarded and paid", timeout_s=120)
    later = market.claim(phone, market.next("points"))
    assert market.reward_when(phone, later.rewards[0], "PAID")["amount_minor"] == 50


def test_a_scan_after_a_restart_is_paid(market: Market) -> None:
    before_phone = market.phone("comes-back")
    before = market.claim(before_phone, market.next("points"))
    market.reward_when(before_phone, before.rewards[0], "PAID")
    run_stack("down")
    run_stack("up")
    assert market.phone("comes-back").reward(before.rewards[0]) is not None, "data was lost"
    phone = market.phone()
    answer = market.claim(phone, market.next("cash"))
    assert market.pay_out(phone, answer.rewards[0], timeout_s=120)["state"] == "PAID"
