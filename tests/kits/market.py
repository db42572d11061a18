"""Goods on the market of a deployed local stack, for end-to-end and browser tests: codes, phones, rewards, the rail.

Each Market has a product, a campaign and an activated, shipped batch of its own, so tests share a stack, not codes.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import boto3

from cli import brand
from cli.clients import Phone, ScanAnswer
from dev.seed.keys import BrandKeys
from dev.seed.main import DISTRIBUTORS, declare_channel, read_batch
from dev.seed.operators import console, ensure_operators
from dev.stack import http
from dev.stack.outputs import StackOutputs
from uncap.domain.catalog import Role

FoundT = TypeVar("FoundT")
UNITS_PER_CASE = 24
CATALOG_AGE_S = 5.5
NAME = {"zh-CN": "测试汽水", "en": "Test soda"}
FINAL = frozenset({"NONE", "PAID", "RELEASED"})


def eventually(look: Callable[[], FoundT | None], what: str, timeout_s: float = 60.0) -> FoundT:
    """The first truthy result of `look`; AssertionError naming `what` if there is none in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(0.25)


class Market:
    """`units` bottles, the first half shipped to the first distributor, the rest to the second, all activated."""

    def __init__(self, outputs: StackOutputs, units: int = 480, name: str = "test") -> None:
        ensure_operators(outputs)
        self.outputs = outputs
        self.desk = console(outputs)
        declare_channel(self.desk)
        run = uuid.uuid4().int
        self.gtin, case_gtin = brand.product(self.desk, f"9520{run % 10**8:08d}", NAME, UNITS_PER_CASE)
        self.campaign_id = f"{name}-{run % 10**8:08d}"
        brand.campaign(self.desk, self.campaign_id, [self.gtin], int(time.time() * 1000))
        self.batch_no, _ = brand.batch(self.desk, self.gtin, case_gtin, units)
        half = units // 2
        for party, start, stop in zip(DISTRIBUTORS, (0, half), (half, units), strict=True):
            brand.ship(self.desk, f"{self.campaign_id}-{party}", self.batch_no, start, stop, party)
        brand.release(self.desk, self.batch_no, self.campaign_id, 0, units)
        self.view = read_batch(self.desk, self.batch_no)
        self.keys = BrandKeys(outputs)
        self._unused = {kind: self._carrying(kind) for kind in ("cash", "points", "")}
        self.rail = http.client(outputs.sim_base)
        self._phones = http.client(connections=128)
        self._aws: dict[str, Any] = {}

    def close(self) -> None:
        """Gives every connection back."""
        for client in (self.desk.client, self.rail, self._phones, self.keys, *self._aws.values()):
            client.close()

    def next(self, kind: str = "cash") -> int:
        """The index of a bottle no test has used that carries this kind of prize ("" for none)."""
        return next(self._unused[kind])

    def serial(self, index: int, role: Role = Role.CAP_INNER) -> str:
        return self.keys.serial(self.view, index, role)

    def link(self, index: int, role: Role = Role.CAP_INNER) -> str:
        return self.keys.link(self.view, index, role)

    def phone(self, name: str = "") -> Phone:
        """A new person, or the one of this name."""
        return Phone(self.outputs.scan_base, name or f"person-{uuid.uuid4()}", client=self._phones)

    def claim(self, phone: Phone, index: int, *, claim_id: str = "") -> ScanAnswer:
        return phone.scan(self.gtin, self.serial(index), claim_id=claim_id)

    def reward_when(self, phone: Phone, reward_id: str, *states: str, timeout_s: float = 60.0) -> dict[str, Any]:
        """The reward once it is in one of these states."""

        def look() -> dict[str, Any] | None:
            reward = phone.reward(reward_id)
            return reward if reward and reward["state"] in states else None

        return eventually(look, f"reward {reward_id} in {states}", timeout_s)

    def confirm(self, phone: Phone, reward_id: str) -> None:
        """The person's tap on the rail's sheet."""
        reward = self.reward_when(phone, reward_id, "WAIT_USER")
        package = parse_qs(urlsplit(reward["action"]["url"]).query)["package"][0]
        self.rail.post("/_sim/confirm", json={"package": package}).raise_for_status()

    def pay_out(self, phone: Phone, reward_id: str, *, timeout_s: float = 60.0) -> dict[str, Any]:
        """Confirms if asked to, and waits until the reward is paid."""
        reward = self.reward_when(phone, reward_id, "WAIT_USER", "PAID", timeout_s=timeout_s)
        if reward["state"] == "WAIT_USER":
            self.confirm(phone, reward_id)
        return self.reward_when(phone, reward_id, "PAID", timeout_s=timeout_s)

    def rewards_of(self, index: int) -> list[dict[str, Any]]:
        """All rewards of a bottle's winning code, as the console lists them; none before they are decided."""
        return brand.rewards_of(self.desk, f"{self.batch_no}.{index}.{int(Role.CAP_INNER)}")

    def bills(self) -> list[dict[str, Any]]:
        """The rail's statement, all of it."""
        lines: list[dict[str, Any]] = self.rail.get("/_sim/statement").raise_for_status().json()["lines"]
        return lines

    def fault(self, kind: str, **order: object) -> None:
        """Arms a fault at the rail."""
        self.rail.post("/_sim/faults", json={"kind": kind, **order}).raise_for_status()

    def armed(self) -> list[dict[str, Any]]:
        """Faults that are still to happen."""
        faults: list[dict[str, Any]] = self.rail.get("/_sim/faults").raise_for_status().json()["faults"]
        return [fault for fault in faults if fault["remaining"] != 0]

    def calm(self) -> None:
        """Disarms every fault."""
        self.rail.delete("/_sim/faults").raise_for_status()

    def aws(self, service: str) -> Any:
        """A client as the stack's root caller, closed with the market."""
        if service not in self._aws:
            self._aws[service] = boto3.client(service, **self.outputs.client_arguments)  # type: ignore[call-overload]
        return self._aws[service]

    def invoke(self, function: str) -> dict[str, Any]:
        """Runs a scheduled function now. AssertionError with its error if it failed."""
        answer = self.aws("lambda").invoke(FunctionName=self.outputs.functions[function], Payload=b"{}")
        body = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise AssertionError(f"{function} failed: {body}")
        return {"body": body}

    def _carrying(self, kind: str) -> Iterator[int]:
        for index in range(self.view.batch.size):
            prize = self.keys.prize(self.view, index)
            if prize.startswith(kind) if kind else not prize:
                yield index
