"""Accounts of holders in the Ledger table: their entries by month, their own items, credit notes, closed months.

Used by `services/settle_accounts.py`, `claw_back.py` and `read_statement.py`. What moves an account is one transaction
with the account's item, conditional on its revision (docs/adr/0024); accruals are found through the index `owner`.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import msgspec
from pynamodb.exceptions import DoesNotExist, PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.ledger import ACCOUNT, ACCOUNTS, ENTRY
from uncap.adapters.ledger_items import REWARD, postings_of, reward_of
from uncap.adapters.models import LedgerItem
from uncap.domain.books.accounts import Account, Holder, Period, Row, on_account
from uncap.domain.books.notes import Clawed, CreditNote, Numbers
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.ledger import JournalEntry, balanced
from uncap.domain.rewards.accruing import ACCRUAL, month_of

NOTE, NUMBERS, PERIOD, CLAWED = "note#", "numbers#", "period#", "clawed#"
_BATCH_GET = 100
ValueT = TypeVar("ValueT")


class Move(msgspec.Struct, frozen=True):
    """All of one change to an account; what is None or empty is left alone. `numbers` is written with the note.

    `weighed`: what the coefficient withholds or gives back at a month's end.
    """

    old: Account
    new: Account
    entry: JournalEntry | None = None
    note: CreditNote | None = None
    numbers: Numbers | None = None
    clawed: Clawed | None = None
    periods: tuple[Period, ...] = ()
    weighed: tuple[JournalEntry, ...] = ()


class AccountPage(NamedTuple):
    """`after` is what to continue from, "" at the end."""

    accounts: list[Account]
    after: str


class AccountBooks:
    """Needs `open_tables` to have bound LedgerItem. Raises TransientError where nothing was decided."""

    def account(self, holder: Holder) -> Account | None:
        """The account as of now; None if nothing ever accrued."""
        return _value(ACCOUNT + holder.name, Account)

    def accounts(self, limit: int, after: str = "") -> AccountPage:
        """Every account, in the order they were opened; `after` is what the page before said."""
        key = None
        if after:
            opened, _, name = after.partition("#")
            key = {"pk": {"S": ACCOUNT + name}, "owner": {"S": ACCOUNTS}, "owner_at": {"N": opened}}
        with translated():
            found = LedgerItem.by_owner.query(ACCOUNTS, limit=limit, page_size=limit, last_evaluated_key=key)
            keys = [(item.pk, item.owner_at) for item in found]
        items = _items([pk for pk, _ in keys])
        accounts = [msgspec.json.decode(items[pk].doc, type=Account) for pk, _ in keys if pk in items]
        last = f"{keys[-1][1]}#{keys[-1][0][len(ACCOUNT) :]}" if len(keys) == limit else ""
        return AccountPage(accounts, last)

    def rows(self, holder: Holder, month: str) -> Iterator[Row]:
        """The account's entries of one month in order of time, then of key; a second behind the table at most times."""
        with translated():
            found = [item.pk for item in LedgerItem.by_owner.query(holder.owner(month))]
        for at in range(0, len(found), _BATCH_GET):
            keys = found[at : at + _BATCH_GET]
            items = _items(keys)
            yield from (_row(items[pk], holder) for pk in keys if pk in items)

    def page(self, holder: Holder, month: str, limit: int, after: str = "") -> tuple[list[Row], str]:
        """Up to `limit` of the month's entries following `after`, and what to continue from ("" at the end)."""
        owner, key = holder.owner(month), None
        if after:
            at_ms, _, pk = after.partition("#")
            key = {"pk": {"S": pk}, "owner": {"S": owner}, "owner_at": {"N": at_ms}}
        with translated():
            found = LedgerItem.by_owner.query(owner, limit=limit, page_size=limit, last_evaluated_key=key)
            keys = [(item.pk, item.owner_at) for item in found]
        items = _items([pk for pk, _ in keys])
        rows = [_row(items[pk], holder) for pk, _ in keys if pk in items]
        return rows, f"{keys[-1][1]}#{keys[-1][0]}" if len(keys) == limit else ""

    def balance(self, account: Account, now_ms: int) -> int:
        """What is owed to the holder: carried, and what accrued since. Accruals of the last second may be missing."""
        since = account.open_months(month_of(now_ms))
        rows = (row for month in since for row in self.rows(account.holder, month))
        return account.carried_minor + sum(row.amount_minor for row in rows if row.kind == ACCRUAL)

    def entries(self, holder: Holder, month: str) -> int:
        """How many entries the account has in a month: keys only."""
        with translated():
            return sum(1 for _ in LedgerItem.by_owner.query(holder.owner(month)))

    def period(self, holder: Holder, month: str) -> Period | None:
        """A closed month, None while it is open or before the account was."""
        return _value(f"{PERIOD}{holder.name}#{month}", Period)

    def note(self, issuer: str, month: str, number: int) -> CreditNote | None:
        """A credit note by its place in the month."""
        return _value(f"{NOTE}{issuer}#{month}#{number:06d}", CreditNote)

    def numbers(self, issuer: str, month: str) -> Numbers:
        """How many credit notes the month has."""
        return _value(f"{NUMBERS}{issuer}#{month}", Numbers) or Numbers(issuer, month)

    def clawed(self, reward_id: str) -> Clawed | None:
        """What of a reward was taken back."""
        return _value(CLAWED + reward_id, Clawed)

    def write(self, move: Move) -> None:
        """All of it or nothing. ConflictError (`account_moved`): read again and judge anew."""
        try:
            with TransactWrite(connection=LedgerItem._get_connection().connection) as transaction:
                for item, condition in _puts(move):
                    transaction.save(item, condition=condition)
        except TransactWriteError as cause:
            codes = {reason.code for reason in cause.cancellation_reasons if reason}
            if codes & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise ConflictError("account_moved", "the account has changed meanwhile") from cause
            raise TransientError("table_unavailable", "the table did not answer") from cause
        except PynamoDBException as cause:
            raise TransientError("table_unavailable", "the table did not answer") from cause


def _puts(move: Move) -> Iterator[tuple[LedgerItem, Condition]]:
    absent = LedgerItem.pk.does_not_exist()
    new, holder = move.new, move.new.holder
    account = _item(ACCOUNT + holder.name, new, rev=new.rev, owner=ACCOUNTS, owner_at=new.opened_at_ms)
    yield account, LedgerItem.rev == move.old.rev
    for entry in (*move.weighed, *([move.entry] if move.entry else [])):
        balanced(entry.postings)
        owner = holder.owner(month_of(entry.at_ms))
        yield _item(ENTRY + entry.entry_id, entry, owner=owner, owner_at=entry.at_ms), absent
    if move.note is not None and move.numbers is not None:
        note, numbers = move.note, move.numbers
        yield _item(f"{NOTE}{note.issuer}#{note.month}#{note.number:06d}", note), absent
        before = absent if numbers.last == 1 else LedgerItem.rev == numbers.last - 1
        yield _item(f"{NUMBERS}{note.issuer}#{note.month}", numbers, rev=numbers.last), before
    if move.clawed is not None:
        before = absent if move.clawed.rev == 1 else LedgerItem.rev == move.clawed.rev - 1
        yield _item(CLAWED + move.clawed.reward_id, move.clawed, rev=move.clawed.rev), before
    for one in move.periods:
        yield _item(f"{PERIOD}{holder.name}#{one.month}", one), absent


def _item(
    pk: str, value: object, rev: int | None = None, owner: str | None = None, owner_at: int | None = None
) -> LedgerItem:
    return LedgerItem(pk, doc=msgspec.json.encode(value).decode(), rev=rev, owner=owner, owner_at=owner_at)


def _row(item: LedgerItem, holder: Holder) -> Row:
    if item.pk.startswith(REWARD):
        reward = reward_of(item.doc)
        amount = on_account(postings_of(item.settled), holder)
        return Row(reward.paid_at_ms, ACCRUAL, reward.reward_id, amount, reward.campaign)
    entry = msgspec.json.decode(item.doc, type=JournalEntry)
    return Row(entry.at_ms, entry.kind, entry.entry_id, on_account(entry.postings, holder), entry.note)


def _items(pks: Sequence[str]) -> dict[str, LedgerItem]:
    found: dict[str, LedgerItem] = {}
    with translated():
        for at in range(0, len(pks), _BATCH_GET):
            for item in LedgerItem.batch_get(pks[at : at + _BATCH_GET], consistent_read=True):
                found[item.pk] = item
    return found


def _value(pk: str, kind: type[ValueT]) -> ValueT | None:
    try:
        with translated():
            return msgspec.json.decode(LedgerItem.get(pk, consistent_read=True).doc, type=kind)
    except DoesNotExist:
        return None
