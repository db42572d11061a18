"""A month's accounts settled by credit notes, once two people have agreed: repeated, resumed or raced, each once.

`settle_month` is called by reconcile_job until it is complete; `services/books_desk.py` keeps the two people's word.
Every account is one transaction: its entries, the note with its number, the closed months and the account itself. What
the holder's coefficient withholds of the year's rebates is taken before the note (`domain/books/coefficients.py`).
"""

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from uncap.adapters.account_books import AccountPage, Move
from uncap.domain.books.accounts import (
    ARRIVES_WITHIN_MS,
    Account,
    Holder,
    Period,
    Row,
    after_close,
    after_entry,
    closed,
    noted,
)
from uncap.domain.books.coefficients import earned_in, weighed
from uncap.domain.books.notes import CreditNote, Numbers
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.ledger import JournalEntry
from uncap.domain.rewards.accruing import ACCRUAL, checked_month, month_start_ms, next_month
from uncap.domain.rewards.ports import LedgerStore
from uncap.domain.rewards.reward import Case

SETTLES_AFTER_MS = ARRIVES_WITHIN_MS
"""How long after a month's end it is closed: every write that was dated into it has arrived and is in the index."""
ISSUER = "brand"
_CURSOR = "settlement"
_PAGE = 50
_RACES = 8
_MONTHS = 24  # of an account that was left alone, closed in one transaction


class Books(Protocol):
    """See adapters/account_books.py."""

    def account(self, holder: Holder) -> Account | None: ...

    def accounts(self, limit: int, after: str = "") -> AccountPage: ...

    def rows(self, holder: Holder, month: str) -> Iterable[Row]: ...

    def entries(self, holder: Holder, month: str) -> int: ...

    def period(self, holder: Holder, month: str) -> Period | None: ...

    def numbers(self, issuer: str, month: str) -> Numbers: ...

    def write(self, move: Move) -> None: ...


PpmOf = Callable[[str, int], int]
"""(party, year) → its coefficient, millionths."""


class Settling(msgspec.Struct, frozen=True, omit_defaults=True):
    """A month that two people released. `after`: the accounts up to here are done; `notes` issued so far."""

    month: str
    by: tuple[str, ...]
    after: str = ""
    done: bool = False
    accounts: int = 0
    notes: int = 0
    amount_minor: int = 0


def check_settleable(month: str, now_ms: int) -> None:
    """InputError (`month_malformed`), ConflictError (`month_not_over`)."""
    ends_at_ms = month_start_ms(next_month(checked_month(month)))
    if now_ms < ends_at_ms + SETTLES_AFTER_MS:
        raise ConflictError("month_not_over", f"{month} can be settled six hours after its end", where="month")


def settle_month(
    settling: Settling,
    books: Books,
    ppm_of: PpmOf,
    now_ms: int,
    time_is_up: Callable[[], bool],
    save: Callable[[Settling], None],
    differs: Callable[[Case], object],
) -> Settling:
    """Go on until every account is settled or time is up; saved after every page. Safe to repeat from anywhere.

    An account that disagrees with its entries is left alone: `differs` is given the case.
    """
    check_settleable(settling.month, now_ms)
    while not settling.done and not time_is_up():
        page = books.accounts(_PAGE, settling.after)
        for account in page.accounts:
            settling = _settled(settling, account, books, ppm_of, now_ms, differs)
        settling = msgspec.structs.replace(settling, after=page.after, done=not page.after)
        save(settling)
    return settling


def _settled(
    settling: Settling,
    account: Account,
    books: Books,
    ppm_of: PpmOf,
    now_ms: int,
    differs: Callable[[Case], object],
) -> Settling:
    note = None
    try:
        note = settle_account(account.holder, settling.month, settling.by, books, ppm_of, now_ms)
    except ConflictError as cause:
        if cause.code != "account_differs":
            raise
        name = f"account_differs-{account.party}-{account.currency}-{settling.month}"
        differs(Case(name, "account_differs", now_ms, detail=cause.message))
    return msgspec.structs.replace(
        settling,
        accounts=settling.accounts + 1,
        notes=settling.notes + (note is not None),
        amount_minor=settling.amount_minor + (note.amount_minor if note else 0),
    )


def settle_account(
    holder: Holder, month: str, by: tuple[str, ...], books: Books, ppm_of: PpmOf, now_ms: int
) -> CreditNote | None:
    """The note issued now; None if the month was settled before, or nothing is owed: that is carried forward.

    ConflictError (`account_differs`): a closed month has other entries than when it was closed.
    """
    for _ in range(_RACES):
        account = books.account(holder)
        if account is None or account.closed_month >= month or not account.open_months(month):
            return None
        move = _settlement(account, account.open_months(month)[:_MONTHS], month, by, books, ppm_of, now_ms)
        try:
            books.write(move)
        except ConflictError as cause:
            if cause.code != "account_moved":
                raise
            continue
        if move.new.closed_month == month:
            return move.note
    raise TransientError("account_contended", f"account {holder.name} keeps moving")


def _settlement(
    account: Account,
    months: list[str],
    month: str,
    by: tuple[str, ...],
    books: Books,
    ppm_of: PpmOf,
    now_ms: int,
) -> Move:
    closing = _periods(account, months, books)
    shut = after_close(account, months[-1], closing.accrued_minor)
    shut, taken = weighed(shut, months[-1], closing.earned, lambda year: ppm_of(account.party, year), now_ms, by)
    last = months[-1] == month  # an account left alone for years is closed in several steps, the note comes last
    if not last or shut.carried_minor <= 0:
        return Move(account, shut, periods=closing.periods, weighed=taken)
    holder, amount = account.holder, shut.carried_minor
    numbers = books.numbers(ISSUER, month)
    numbers = msgspec.structs.replace(numbers, last=numbers.last + 1)
    note = CreditNote(ISSUER, month, numbers.last, holder.party, holder.currency, amount, now_ms, by)
    entry = JournalEntry(f"note-{holder.name}-{month}", "credit_note", now_ms, noted(holder, amount), note.name, by=by)
    paid = msgspec.structs.replace(after_entry(shut, entry.postings, now_ms), rev=account.rev + 1)
    return Move(account, paid, entry, note, numbers, periods=closing.periods, weighed=taken)


class _Closing(msgspec.Struct, frozen=True):
    """The months as their entries make them, what accrued in them, and what each year earned."""

    periods: tuple[Period, ...]
    accrued_minor: int
    earned: dict[int, int]


def _periods(account: Account, months: list[str], books: Books) -> _Closing:
    before = books.period(account.holder, account.closed_month) if account.closed_month else None
    if before is not None and books.entries(account.holder, before.month) != before.entries:
        # Something was dated into a month after it was closed: it is in no sum, and a person must correct it.
        raise ConflictError("account_differs", f"{before.month} has other entries than when it was closed")
    opening, accrued = before.closing_minor if before else 0, 0
    periods = []
    earned: dict[int, int] = {}
    for month in months:
        rows = list(books.rows(account.holder, month))
        earned[int(month[:4])] = earned.get(int(month[:4]), 0) + earned_in(rows)
        accrued += sum(row.amount_minor for row in rows if row.kind == ACCRUAL)
        periods.append(closed(account.holder, month, opening, rows))
        opening = periods[-1].closing_minor
    return _Closing(tuple(periods), accrued, earned)


def load_settling(ledger: LedgerStore) -> Settling | None:
    """The settlement that runs, or ran last."""
    text = ledger.read_cursor(_CURSOR)
    return msgspec.json.decode(text, type=Settling) if text else None


def save_settling(ledger: LedgerStore, settling: Settling) -> None:
    """Remember how far it is."""
    ledger.save_cursor(_CURSOR, msgspec.json.encode(settling).decode())


def continue_settling(
    ledger: LedgerStore, books: Books, ppm_of: PpmOf, now_ms: int, time_is_up: Callable[[], bool]
) -> int:
    """A released month goes on; the credit notes issued by this call."""
    settling = load_settling(ledger)
    if settling is None or settling.done:
        return 0
    done = settle_month(settling, books, ppm_of, now_ms, time_is_up, lambda one: _keep(ledger, one), ledger.open_case)
    return done.notes - settling.notes


def _keep(ledger: LedgerStore, settling: Settling) -> None:
    """Unless another run has finished the month: people may have released the next one, which must not be lost."""
    stored = load_settling(ledger)
    if stored is not None and stored.month == settling.month and not stored.done:
        save_settling(ledger, settling)
