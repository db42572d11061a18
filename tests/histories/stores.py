"""The tables and queues of the harness: one lock's worth of atomicity, DynamoDB's conditions, SQS's habits."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from tests.histories.world import World
from uncap.adapters.ledger_items import accrual_of, checked, checked_move, waiting_of, waiting_prefix
from uncap.adapters.reward_lists import RewardPage
from uncap.adapters.reward_queue import RewardMessage
from uncap.domain.books.accounts import Account
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.ledger import JournalEntry, Posting, balanced
from uncap.domain.rewards.holds import HoldPlace, HoldRefusedError, lets_go
from uncap.domain.rewards.ports import Message
from uncap.domain.rewards.reward import Case, Reward, State

ValueT = TypeVar("ValueT")
VISIBILITY_MS = 180_000
MAX_RECEIVES = 8


class FakeLedger:
    """LedgerStore in memory. It also watches: an entry that is rewritten is a violation, whoever allowed it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.items: dict[str, Reward] = {}
        self.before: dict[str, Reward] = {}
        """Each as it was one write ago: what an eventually consistent read may still see."""
        self.born: dict[str, Reward] = {}
        """Each as it was first created."""
        self.counts: Counter[str] = Counter()
        """How many drawn rewards are in each place of their budget lines."""
        self.entries: dict[str, JournalEntry] = {}
        self.cases: dict[str, Case] = {}
        self.cursors: dict[str, str] = {}
        self.writers: list[object] = []
        """Whose turn it was at each move of a reward."""
        self.accounts: dict[str, Account] = {}
        self.booked_ms: dict[str, int] = {}
        """When each accrual was written: an index shows it a little later."""
        self.begun: list[Reward] = []
        """Each reward as an attempt of it was written."""

    def create(self, reward: Reward) -> Reward:
        checked(reward)
        self._open_account(reward)
        return self.world.call(lambda: self._born(reward), "create", reward.reward_id, reward.state)

    def get(self, reward_id: str) -> Reward | None:
        return self.world.call(lambda: self.items.get(reward_id), "get", reward_id)

    def get_many(self, reward_ids: Sequence[str], *, consistent: bool = True) -> Mapping[str, Reward]:
        late = not consistent and self.world.chance(self.world.rates.stale)
        return self.world.call(lambda: those(reward_ids, self.before if late else self.items), "get many")

    def replace(self, old: Reward, new: Reward) -> None:
        checked_move(old, new)
        self._open_account(new)
        self.world.call(
            lambda: self._replace(old, new), "replace", new.reward_id, old.state, "by", new.state, new.reason
        )

    def allows(self, stored: Reward, old: Reward, new: Reward) -> bool:
        """The condition of the real adapter's update; mutants weaken it."""
        same_attempt = (stored.attempt.no if stored.attempt else 0) == (old.attempt.no if old.attempt else 0)
        writes_entry = bool(new.settled and not old.settled)
        return stored.rev == old.rev and same_attempt and not (writes_entry and stored.settled)

    def due(self, now_ms: int, limit: int) -> Sequence[str]:
        waiting = sorted((one.due_at_ms, key) for key, one in self.items.items() if 0 < one.due_at_ms <= now_ms)
        return self.world.call(lambda: [key for _, key in waiting[:limit]], "due")

    def page(self, *, state: str, campaign_id: str, limit: int, after: str = "") -> RewardPage:
        """The index `waiting`, as `RewardLists` reads it."""
        found = [one for one in self.items.values() if waiting_of(one).startswith(waiting_prefix(state, campaign_id))]
        keys = sorted((key for key in map(waiting_of, found) if not after or key < after), reverse=True)[:limit]
        by_key = {waiting_of(one): one for one in found}
        page = RewardPage([by_key[key] for key in keys], keys[-1] if len(keys) == limit else "")
        return self.world.call(lambda: page, "list", state)

    def put_entry(self, entry: JournalEntry) -> bool:
        balanced(entry.postings)
        return self.world.call(lambda: put_once(self.entries, entry.entry_id, entry), "enter", entry.entry_id)

    def has_entry(self, entry_id: str) -> bool:
        return self.world.call(lambda: entry_id in self.entries)

    def open_case(self, case: Case) -> bool:
        return self.world.call(lambda: put_once(self.cases, case.case_id, case), "open case", case.case_id)

    def postings(self, segment: int, segments: int) -> Iterator[tuple[Posting, ...]]:
        if segment:
            return
        yield from (entry.postings for entry in self.entries.values())
        for reward in self.items.values():
            yield from (entry for entry in (reward.granted, reward.settled) if entry)

    def rewards(self, segment: int, segments: int) -> Iterator[Reward]:
        yield from () if segment else tuple(self.items.values())

    def read_cursor(self, name: str) -> str:
        return self.world.call(lambda: self.cursors.get(name, ""))

    def save_cursor(self, name: str, text: str) -> None:
        self.world.call(lambda: self.cursors.update({name: text}))

    def _born(self, reward: Reward) -> Reward:
        self.born.setdefault(reward.reward_id, reward)
        return self.put_new(reward)

    def create_held(self, reward: Reward, places: Sequence[HoldPlace]) -> Reward:
        if self.world.chance(self.world.rates.before):
            raise TransientError("hold_contended", "another claim draws in this moment")
        return self.world.call(lambda: self._take(reward, places), "draw", reward.reward_id, reward.prize_id)

    def held(self, keys: Sequence[str]) -> Mapping[str, int]:
        return self.world.call(lambda: {key: self.counts[key] for key in keys}, "count places")

    def has_room(self, place: HoldPlace) -> bool:
        """The condition on a counter; mutants weaken it."""
        return self.counts[place.key] < place.limit

    def _take(self, reward: Reward, places: Sequence[HoldPlace]) -> Reward:
        if reward.reward_id in self.items:
            return self.items[reward.reward_id]
        if full := [at for at, place in enumerate(places) if not self.has_room(place)]:
            raise HoldRefusedError(full)
        self.counts.update(place.key for place in places)
        return self._born(reward)

    def give_back(self, reward: Reward) -> None:
        """A released reward leaves its places, in the same write."""
        self.counts.subtract(reward.holds)

    def put_new(self, reward: Reward) -> Reward:
        """The real adapter's put on condition that there is none; mutants weaken it."""
        return self.items.setdefault(reward.reward_id, reward)

    def _open_account(self, reward: Reward) -> None:
        """As the real adapter: a put of its own, before the first accrual."""
        holder = accrual_of(reward)
        if holder is None:
            return
        self.booked_ms.setdefault(reward.reward_id, self.world.now_ms)
        if holder.name not in self.accounts:
            account = Account(holder.party, holder.currency, reward.paid_at_ms)
            self.world.call(lambda: put_once(self.accounts, holder.name, account), "open", holder.name)

    def _replace(self, old: Reward, new: Reward) -> None:
        stored = self.items[old.reward_id]
        if not self.allows(stored, old, new):
            raise ConflictError("reward_moved", "the fake's condition failed")
        if stored.settled and stored.rev != old.rev:
            self.world.violated(f"a settled reward {new.reward_id} was overwritten blindly")
        if stored.granted != new.granted:
            self.world.violated(f"the grant of {new.reward_id} was rewritten")
        if (
            old.state is State.CLAIMABLE
            and new.state is State.SUBMITTING
            and self.world.now_ms > new.claimable_until_ms + 60
        ):
            self.world.violated(f"{new.reward_id} was taken up again after its deadline")
        if new.attempt and (old.attempt is None or old.attempt.no < new.attempt.no):
            self.begun.append(new)
        elif old.attempt and new.attempt and old.attempt.account != new.attempt.account:
            self.world.violated(f"a bill of {new.reward_id} was taken to another account")
        if lets_go(old, new):
            self.give_back(old)
        self.writers.append(self.world.turn)
        self.before[new.reward_id] = stored
        self.items[new.reward_id] = new


class FakeQueue:
    """RewardQueue: at least once, in any order, invisible while someone has the message, dead after eight receives."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.messages: dict[int, list[Any]] = {}  # id → [body, visible at, receives]
        self.dead: dict[int, str] = {}
        self._next = 0

    def send(self, reward_ids: Sequence[str]) -> None:
        self.world.call(lambda: self._add([RewardMessage(1, one) for one in reward_ids], 0), "send", *reward_ids)

    def look(self, reward_ids: Sequence[str], delay_s: int) -> None:
        self.world.call(
            lambda: self._add([RewardMessage(1, look=tuple(reward_ids))], delay_s),
            "look at",
            *reward_ids,
            "in",
            delay_s,
        )

    def later(self, reward_ids: Sequence[str], delay_s: int) -> None:
        self.world.call(lambda: self._add([RewardMessage(1, one) for one in reward_ids], delay_s), "later", *reward_ids)

    def take(self) -> tuple[int, str] | None:
        """Some visible message's body, hidden from now on."""
        visible = [key for key, (_, at, _) in self.messages.items() if at <= self.world.now_ms]
        if not visible:
            return None
        key = self.world.random.choice(visible)
        message = self.messages[key]
        message[2] += 1
        if message[2] > MAX_RECEIVES:
            self.dead[key] = self.messages.pop(key)[0]
            self.world.note("dead letter", self.dead[key])
            return None
        # Now and then visibility ends while the worker is still busy: then two have it.
        message[1] = self.world.now_ms + (0 if self.world.chance(self.world.rates.unhidden) else VISIBILITY_MS)
        self.world.note("  received", message[0], "for the", message[2], "th time")
        return key, message[0]

    def delete_message(self, key: int) -> None:
        self.messages.pop(key, None)

    def receive(self) -> Sequence[Message]:
        """As an Inbox: the dead letters."""
        return [Message(str(key), body) for key, body in list(self.dead.items())[:10]]

    def delete(self, receipt: str) -> None:
        self.dead.pop(int(receipt), None)

    def _add(self, messages: Sequence[RewardMessage], delay_s: int) -> None:
        for message in messages:
            body = msgspec.json.encode(message).decode()
            for _ in range(2 if self.world.chance(self.world.rates.doubled) else 1):
                self._next += 1
                self.messages[self._next] = [body, self.world.now_ms + 1_000 * delay_s, 0]


def those(keys: Sequence[str], table: Mapping[str, ValueT]) -> dict[str, ValueT]:
    return {key: table[key] for key in keys if key in table}


def put_once(table: dict[str, ValueT], key: str, value: ValueT) -> bool:
    if key in table:
        return False
    table[key] = value
    return True
