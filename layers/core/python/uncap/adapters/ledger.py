"""The Ledger table: rewards with their entries, journal entries, money cases and cursors (LedgerStore on PynamoDB).

Used by relay, worker, callback, sweeper, reconcile and the console. Every write is conditional: a reward moves only
from the revision that was read, and an entry is written once (docs/adr/0001).
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from pynamodb.exceptions import DoesNotExist, PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.ledger_holds import HOLD, Reason, raise_unmoved
from uncap.adapters.ledger_items import (
    DUE_SHARDS,
    REWARD,
    accrual_of,
    attempt_no,
    changes_of,
    checked,
    checked_move,
    postings_of,
    reward_key,
    reward_of,
    values_of,
)
from uncap.adapters.models import LedgerItem
from uncap.domain.books.accounts import Account, Holder
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.ledger import JournalEntry, Posting, balanced
from uncap.domain.rewards.holds import lets_go
from uncap.domain.rewards.reward import Case, Reward

ENTRY, CASE, CURSOR = "entry#", "case#", "cursor#"
ACCOUNT = "account#"
CASES = "money-cases"  # under which the index `owner` lists every money case
ACCOUNTS = "accounts"  # under which the index `owner` lists every account
_BATCH_GET = 100


class DynamoLedger:
    """`domain.rewards.ports.LedgerStore` on the Ledger table. Safe to share between threads."""

    def __init__(self) -> None:
        self._opened: set[Holder] = set()  # accounts this process has seen open: they are never closed

    def create(self, reward: Reward) -> Reward:
        """See `LedgerStore`."""
        checked(reward)
        self._open_account(reward)
        item = LedgerItem(reward_key(reward.reward_id))
        for name, value in values_of(reward).items():
            setattr(item, name, value)
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

    def get_many(self, reward_ids: Sequence[str], *, consistent: bool = True) -> Mapping[str, Reward]:
        """See `LedgerStore`."""
        keys = [reward_key(one) for one in dict.fromkeys(reward_ids)]
        found: dict[str, Reward] = {}
        with translated():
            for at in range(0, len(keys), _BATCH_GET):
                for item in LedgerItem.batch_get(keys[at : at + _BATCH_GET], consistent_read=consistent):
                    found[item.pk[len(REWARD) :]] = _reward(item)
        return found

    def replace(self, old: Reward, new: Reward) -> None:
        """See `LedgerStore`."""
        settles = checked_move(old, new)
        self._open_account(new)
        condition = (LedgerItem.rev == old.rev) & (LedgerItem.att == attempt_no(old))
        if settles:
            condition &= LedgerItem.settled.does_not_exist()
        if lets_go(old, new):
            _let_go(old, new, condition)
            return
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
        return self._put_once(
            LedgerItem(CASE + case.case_id, doc=text, st=case.state, owner=CASES, owner_at=case.at_ms)
        )

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

    def _open_account(self, reward: Reward) -> None:
        """Before the first accrual on it: whoever settles a month asks the accounts, and must find this one."""
        holder = accrual_of(reward)
        if holder is None or holder in self._opened:
            return
        account = Account(holder.party, holder.currency, reward.paid_at_ms)
        text = msgspec.json.encode(account).decode()
        key = ACCOUNT + holder.name
        self._put_once(LedgerItem(key, doc=text, rev=account.rev, owner=ACCOUNTS, owner_at=account.opened_at_ms))
        self._opened.add(holder)

    def _put_once(self, item: LedgerItem) -> bool:
        try:
            with translated():
                item.save(condition=LedgerItem.pk.does_not_exist())
        except ConflictError:
            return False
        return True


def _reward(item: LedgerItem) -> Reward:
    return reward_of(item.doc, item.granted, item.settled)


def _let_go(old: Reward, new: Reward, condition: Condition) -> None:
    """The move and its places given back, all or nothing."""
    try:
        with TransactWrite(connection=LedgerItem._get_connection().connection) as transaction:
            transaction.update(LedgerItem(reward_key(new.reward_id)), _changes(old, new), condition=condition)
            for key in old.holds:
                transaction.update(LedgerItem(HOLD + key), [LedgerItem.n.add(-1)], condition=LedgerItem.n >= 1)
    except TransactWriteError as cause:
        reasons = [Reason(one.code if one else "None") for one in cause.cancellation_reasons]
        raise_unmoved(reasons or [Reason("Unknown")])
    except PynamoDBException as cause:
        raise TransientError("table_unavailable", "the table did not answer") from cause


def _changes(old: Reward, new: Reward) -> list[Action]:
    values, removed = changes_of(old, new)
    actions: list[Action] = [getattr(LedgerItem, name).set(value) for name, value in values.items()]
    return actions + [getattr(LedgerItem, name).remove() for name in removed]
