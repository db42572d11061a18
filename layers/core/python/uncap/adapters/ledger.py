"""The Ledger table: rewards with their entries, journal entries, money cases and cursors (LedgerStore on PynamoDB).

Used by relay, worker, callback, sweeper, reconcile and the console. Every write is conditional: a reward moves only
from the revision that was read, and an entry is written once (docs/adr/0001).
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.ledger_items import (
    DUE_SHARDS,
    REWARD,
    due_shard,
    postings_of,
    postings_text,
    reward_doc,
    reward_key,
    reward_of,
)
from uncap.adapters.models import LedgerItem
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import JournalEntry, Posting, balanced
from uncap.domain.rewards.reward import Case, Reward

ENTRY, CASE, CURSOR = "entry#", "case#", "cursor#"
_BATCH_GET = 100


class DynamoLedger:
    """`domain.rewards.ports.LedgerStore` on the Ledger table. Safe to share between threads."""

    def create(self, reward: Reward) -> Reward:
        """See `LedgerStore`."""
        if reward.granted:
            balanced(reward.granted)
        item = LedgerItem(
            reward_key(reward.reward_id),
            doc=reward_doc(reward),
            st=reward.state.value,
            rev=reward.rev,
            att=reward.attempt.no if reward.attempt else 0,
            granted=postings_text(reward.granted),
            settled=postings_text(reward.settled),
        )
        if reward.due_at_ms:
            item.due_shard, item.due_at = due_shard(reward.reward_id), reward.due_at_ms
        if self._put_once(item):
            return reward
        stored = self.get(reward.reward_id)
        if stored is None:
            raise ConflictError("reward_vanished", f"reward {reward.reward_id} was refused and is not there")
        return stored

    def get(self, reward_id: str) -> Reward | None:
        """See `LedgerStore`."""
        try:
            with translated():
                return _reward(LedgerItem.get(reward_key(reward_id), consistent_read=True))
        except DoesNotExist:
            return None

    def get_many(self, reward_ids: Sequence[str]) -> Mapping[str, Reward]:
        """See `LedgerStore`."""
        keys = [reward_key(one) for one in dict.fromkeys(reward_ids)]
        found: dict[str, Reward] = {}
        with translated():
            for at in range(0, len(keys), _BATCH_GET):
                for item in LedgerItem.batch_get(keys[at : at + _BATCH_GET], consistent_read=True):
                    found[item.pk[len(REWARD) :]] = _reward(item)
        return found

    def replace(self, old: Reward, new: Reward) -> None:
        """See `LedgerStore`."""
        if new.rev != old.rev + 1 or new.reward_id != old.reward_id:
            raise ConflictError("reward_moved", f"reward {old.reward_id} moves one revision at a time")
        condition = (LedgerItem.rev == old.rev) & (LedgerItem.att == (old.attempt.no if old.attempt else 0))
        if new.settled and not old.settled:
            balanced(new.settled)
            condition &= LedgerItem.settled.does_not_exist()
        with translated("reward_moved"):
            LedgerItem(reward_key(new.reward_id)).update(_changes(old, new), condition=condition)

    def due(self, now_ms: int, limit: int) -> Sequence[str]:
        """See `LedgerStore`. Takes the longest overdue of every shard."""
        each = max(1, limit // DUE_SHARDS)
        found: list[str] = []
        with translated():
            for shard in range(DUE_SHARDS):
                rows = LedgerItem.due.query(str(shard), LedgerItem.due_at <= now_ms, limit=each, page_size=each)
                found += [item.pk[len(REWARD) :] for item in rows]
        return found

    def put_entry(self, entry: JournalEntry) -> bool:
        """See `LedgerStore`."""
        balanced(entry.postings)
        text = msgspec.json.encode(entry).decode()
        return self._put_once(LedgerItem(ENTRY + entry.entry_id, doc=text))

    def has_entry(self, entry_id: str) -> bool:
        """See `LedgerStore`."""
        try:
            with translated():
                LedgerItem.get(ENTRY + entry_id, consistent_read=True)
        except DoesNotExist:
            return False
        return True

    def open_case(self, case: Case) -> bool:
        """See `LedgerStore`."""
        text = msgspec.json.encode(case).decode()
        return self._put_once(LedgerItem(CASE + case.case_id, doc=text, st=case.state))

    def postings(self, segment: int, segments: int) -> Iterator[tuple[Posting, ...]]:
        """See `LedgerStore`."""
        wanted = ["pk", "doc", "granted", "settled"]
        with translated():
            for item in LedgerItem.scan(segment=segment, total_segments=segments, attributes_to_get=wanted):
                if item.pk.startswith(ENTRY):
                    yield msgspec.json.decode(item.doc, type=JournalEntry).postings
                for text in (item.granted, item.settled):
                    if text:
                        yield postings_of(text)

    def rewards(self, segment: int, segments: int) -> Iterator[Reward]:
        """See `LedgerStore`."""
        with translated():
            for item in LedgerItem.scan(LedgerItem.pk.startswith(REWARD), segment=segment, total_segments=segments):
                yield _reward(item)

    def read_cursor(self, name: str) -> str:
        """See `LedgerStore`."""
        try:
            with translated():
                return LedgerItem.get(CURSOR + name, consistent_read=True).doc
        except DoesNotExist:
            return ""

    def save_cursor(self, name: str, text: str) -> None:
        """See `LedgerStore`."""
        with translated():
            LedgerItem(CURSOR + name, doc=text).save()

    def _put_once(self, item: LedgerItem) -> bool:
        try:
            with translated():
                item.save(condition=LedgerItem.pk.does_not_exist())
        except ConflictError:
            return False
        return True


def _reward(item: LedgerItem) -> Reward:
    return reward_of(item.doc, item.granted, item.settled)


def _changes(old: Reward, new: Reward) -> list[Action]:
    actions: list[Action] = [
        LedgerItem.doc.set(reward_doc(new)),
        LedgerItem.st.set(new.state.value),
        LedgerItem.rev.set(new.rev),
        LedgerItem.att.set(new.attempt.no if new.attempt else 0),
    ]
    settled = postings_text(new.settled)
    if settled and not old.settled:
        actions.append(LedgerItem.settled.set(settled))
    if new.due_at_ms:
        actions += [LedgerItem.due_shard.set(due_shard(new.reward_id)), LedgerItem.due_at.set(new.due_at_ms)]
    elif old.due_at_ms:
        actions += [LedgerItem.due_shard.remove(), LedgerItem.due_at.remove()]
    return actions
