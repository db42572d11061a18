"""Operators of the harness: they release held rewards by the console's own services, which ask for two of them."""

from types import SimpleNamespace
from typing import Any, TypeVar, cast

import msgspec

from tests.histories.world import World
from uncap.adapters.audited_writes import DocWrite
from uncap.domain.approvals import Proposal
from uncap.domain.errors import ConflictError, UncapError
from uncap.domain.rewards.ports import LedgerStore, RewardQueue
from uncap.services.desk import Actor, Desk
from uncap.services.release_reward import KIND, Asked, approve_release, request_release

ValueT = TypeVar("ValueT")
OPERATORS = ("ada", "bo")


class Office:
    """The Parties table's proposals, and two people in front of it."""

    def __init__(self, world: World, ledger: LedgerStore, queue: RewardQueue) -> None:
        self.world = world
        self.documents: dict[tuple[str, str], tuple[int, str]] = {}
        self.released: set[str] = set()
        """Rewards whose release two people have approved, at any time."""
        self._held: dict[str, Any] = {"ledger": ledger, "clock_ms": world.clock_ms, "reward_queue": lambda: queue}
        self._desk = self.desk()

    def desk(self, **more: object) -> Desk:
        """The console's services' desk, with what else a wing keeps there."""
        return cast("Desk", SimpleNamespace(parties=self, writes=self, audit=self.audit, **self._held, **more))

    def audit(self, actor: Actor, action: str, target: str, **_: object) -> None:
        """As `Desk.audit`: a write of its own before the act."""
        self.world.call(lambda: None, "audit", action, target, actor.login)

    def decide(self, reward_id: str, login: str) -> None:
        """Approves what somebody asked for, or asks for it. UncapError where the services refuse."""
        actor = Actor(login, "finance")
        open_one = self.value("proposals", f"{KIND}#{reward_id}", Proposal)
        if open_one is None or open_one.state != "open":
            request_release(self._desk, actor, reward_id, Asked("looked into it"))
            return
        approve_release(self._desk, actor, reward_id)
        self.world.note("  released", reward_id, "asked by", open_one.requested_by, "approved by", login)
        if open_one.requested_by == login:
            self.world.violated(f"{reward_id} was released by one person")

    def has_released(self, reward_id: str) -> bool:
        """Whether two people have approved this reward's release, whatever became of the process that did it."""
        stored = self.value("proposals", f"{KIND}#{reward_id}", Proposal)
        return stored is not None and stored.state == "approved"

    def release(self, reward_id: str) -> None:
        """Both do their part."""
        for login in (*OPERATORS, OPERATORS[0]):  # the first may find another's request and approve it at once
            try:
                self.decide(reward_id, login)
            except UncapError as cause:
                self.world.note("  not released:", cause.code)

    def value(self, pk: str, sk: str, kind: type[ValueT]) -> ValueT | None:
        """As `DocumentTable` reads."""
        found = self.documents.get((pk, sk))
        return msgspec.json.decode(found[1], type=kind) if found else None

    def commit(self, writes: list[DocWrite], _entry: object) -> None:
        """As `AuditedWrites` writes: every condition holds, or nothing is written."""
        self.world.call(lambda: self._commit(writes), "console writes", *(one.sk for one in writes))

    def _commit(self, writes: list[DocWrite]) -> None:
        for one in writes:
            if self.documents.get((one.pk, one.sk), (0, ""))[0] != one.version - 1:
                raise ConflictError(one.conflict, "someone else was faster")
        self.documents |= {(one.pk, one.sk): (one.version, one.doc) for one in writes}
        approved = [one for one in writes if msgspec.json.decode(one.doc, type=Proposal).state == "approved"]
        self.released |= {one.sk.removeprefix(f"{KIND}#") for one in approved}
