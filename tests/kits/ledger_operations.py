"""Generated operations on a ledger store, and what each of them answers: all stores must answer alike.

Each player keeps every reading it ever made of a reward and moves from any of them, old ones too; so lost updates,
skipped revisions and second settlements are tried as often as honest moves.
"""

import random
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from uncap.domain import ledger as books
from uncap.domain.codes import crockford
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import JournalEntry
from uncap.domain.rails import Accepted, Paid
from uncap.domain.rewards import states
from uncap.domain.rewards.outcomes import apply_outcome
from uncap.domain.rewards.ports import LedgerStore
from uncap.domain.rewards.reward import Attempt, Case, Reward, State

NOW = 1_790_000_000_000
REWARDS = 3
Operation = tuple[str, int, int]
"""What, on which reward, entry, case or cursor, and a number that the operation makes of what it needs."""
NAMES = (
    *("move",) * 6,
    *("create", "get", "get") * 2,
    "get_many", "due", "due", "enter", "entered", "open_case", "save_cursor", "read_cursor", "skip", "unbalanced",
)  # fmt: skip


def operations(seed: int, count: int) -> list[Operation]:
    """`count` operations, decided by the seed."""
    rng = random.Random(seed)
    return [(rng.choice(NAMES), rng.randrange(REWARDS), rng.randrange(1_000)) for _ in range(count)]


class Player:
    """Plays operations on one store. `prefix` keeps its names apart from other players' in a shared table."""

    def __init__(self, store: LedgerStore, prefix: str) -> None:
        self.store = store
        self.prefix = prefix
        self.seen: dict[int, list[Reward]] = {one: [] for one in range(REWARDS)}

    def play(self, asked: Iterable[Operation]) -> list[str]:
        """What each operation answered; in the end, everything there is."""
        told = [f"{name} {which} {number} → {self._tried(name, which, number)}" for name, which, number in asked]
        entries = [entry for segment in range(2) for entry in self.store.postings(segment, 2)]
        told.append(str(sorted(str([(one.account, one.amount_minor) for one in entry]) for entry in entries)))
        found = [self._text(one) for segment in range(2) for one in self.store.rewards(segment, 2)]
        return [*told, *sorted(found)]

    def _tried(self, name: str, which: int, number: int) -> str:
        act: Callable[[int, int], Any] = getattr(self, f"_{name}")
        try:
            return str(act(which, number))
        except ConflictError as cause:
            return cause.code

    def _id(self, which: int) -> str:
        return crockford.digest(f"{self.prefix}{which}".encode().ljust(32, b"."), 26)

    def _text(self, reward: Reward) -> str:
        text = msgspec.json.encode(reward).decode()
        for which in range(REWARDS):
            text = text.replace(self._id(which), f"<{which}>")
        return text

    def _saw(self, which: int, reward: Reward | None) -> str:
        if reward is None:
            return "none"
        self.seen[which].append(reward)
        return self._text(reward)

    def _create(self, which: int, number: int) -> str:
        state = State.HELD if number % 3 == 0 else State.PENDING
        fresh = Reward(
            reward_id=self._id(which),
            ref=f"7.{which}.1",
            campaign="spring@1",
            release_id="rel-1",
            effect_no=1,
            beneficiary="consumer",
            state=state,
            claimed_at_ms=NOW,
            claimable_until_ms=NOW + 1_000_000,
            party=f"p{number % 2}",
            kind="cash",
            amount_minor=188,
            currency="CNY",
            reason=states.AWAITING_SHIPMENT if state is State.HELD else "",
            due_at_ms=NOW + number if state is State.HELD else 0,
            granted=books.granted("rel-1", "consumer", "CNY", 188),
        )
        return self._saw(which, self.store.create(fresh))

    def _get(self, which: int, _: int) -> str:
        return self._saw(which, self.store.get(self._id(which)))

    def _get_many(self, which: int, number: int) -> str:
        asked = [self._id(one % REWARDS) for one in range(which, which + number % 5)]
        found = self.store.get_many([*asked, "0" * 26])
        return str(sorted(self._text(one) for one in found.values()))

    def _due(self, _: int, number: int) -> str:
        return str(sorted(self._text_id(one) for one in self.store.due(NOW + number * 1_000, 800)))

    def _text_id(self, reward_id: str) -> str:
        return str([which for which in range(REWARDS) if self._id(which) == reward_id])

    def _move(self, which: int, number: int) -> str:
        """From some reading of it, a move that was right then; if the table has moved on, it must be refused."""
        known = self.seen[which]
        if not known:
            return "unknown"
        old = known[-1] if number % 4 else known[number % len(known)]
        new = _next(old, number)
        if new is None:
            return "final"
        self.store.replace(old, new)
        return self._saw(which, new)

    def _skip(self, which: int, number: int) -> str:
        old = self.seen[which][-1] if self.seen[which] else None
        if old is None:
            return "unknown"
        self.store.replace(old, msgspec.structs.replace(old, rev=old.rev + 2 + number % 2))
        return "written"

    def _unbalanced(self, which: int, _: int) -> str:
        self.store.put_entry(JournalEntry(f"{self.prefix}x{which}", "x", NOW, _entry(which)[:1]))
        return "written"

    def _enter(self, which: int, number: int) -> bool:
        return self.store.put_entry(JournalEntry(f"{self.prefix}{which}", "reserve", NOW + number, _entry(which)))

    def _entered(self, which: int, _: int) -> bool:
        return self.store.has_entry(f"{self.prefix}{which}")

    def _open_case(self, which: int, number: int) -> bool:
        return self.store.open_case(Case(f"{self.prefix}{which}", "late_success", NOW + number))

    def _save_cursor(self, which: int, number: int) -> None:
        self.store.save_cursor(f"{self.prefix}{which % 2}", str(number))

    def _read_cursor(self, which: int, _: int) -> str:
        return self.store.read_cursor(f"{self.prefix}{which % 2}")


def _entry(which: int) -> tuple[books.Posting, ...]:
    return books.reserved("spring", f"rel-{which}", {"CNY": 5})


def _next(old: Reward, number: int) -> Reward | None:
    """One of the moves that the state machine has for it."""
    if old.state is State.HELD:
        return states.resume(old, NOW + number) if number % 2 else states.wait_longer(old, NOW + number)
    if old.state is State.PENDING:
        return states.begin_attempt(old, _attempt(1)) if number % 4 else states.hold(old, "recalled", NOW)
    if old.attempt is None or old.state is State.PAID:
        return None
    if number % 2:
        return apply_outcome(old, 1, Paid(rail_id="r", amount_minor=188), NOW).reward
    return apply_outcome(old, 1, Accepted(rail_id="r", state="ACCEPTED"), NOW + number).reward


def _attempt(number: int) -> Attempt:
    return Attempt(no=number, rail="wechat_transfer", at_ms=NOW, amount_minor=188, campaign_name="c", reward_note="r")
