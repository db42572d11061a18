"""Accounts of holders in memory, as adapters/account_books.py keeps them, and a crash at any write."""

from collections.abc import Iterator

from tests.unit.domain.rewards.rewards import reward
from uncap.adapters.account_books import AccountPage, Move
from uncap.domain import ledger
from uncap.domain.books.accounts import Account, Holder, Period, Row, on_account
from uncap.domain.books.notes import Clawed, CreditNote, Numbers
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.ledger import JournalEntry, balanced
from uncap.domain.rewards.accruing import ACCRUAL, month_of, month_start_ms
from uncap.domain.rewards.reward import Reward, State

FIRST = month_start_ms("2026-09")
DAY = 86_400_000


def accrual(number: int, amount_minor: int, at_ms: int, party: str = "d-1", withheld_minor: int = 0) -> Reward:
    """A paid accrual."""
    return reward(
        reward_id=f"{number:026d}",
        beneficiary="distributor",
        party=party,
        kind=ACCRUAL,
        amount_minor=amount_minor,
        withheld_minor=withheld_minor,
        currency="CNY",
        state=State.PAID,
        paid_at_ms=at_ms,
        granted=ledger.granted("rel-1", "distributor", "CNY", amount_minor),
        settled=ledger.accrued("distributor", party, "CNY", amount_minor, withheld_minor),
    )


class MemoryBooks:
    """`crash` fails the next write: "before" it is stored, or "after"."""

    def __init__(self) -> None:
        self.open: dict[Holder, Account] = {}
        self.rewards: list[Reward] = []
        self.journal: dict[str, tuple[Holder, JournalEntry]] = {}
        self.notes: dict[tuple[str, int], CreditNote] = {}
        self.last: dict[str, int] = {}
        self.taken: dict[str, Clawed] = {}
        self.months: dict[tuple[Holder, str], Period] = {}
        self.crash = ""

    def accrue(self, one: Reward) -> None:
        holder = Holder(one.party, one.currency)
        self.open.setdefault(holder, Account(one.party, one.currency, one.paid_at_ms))
        self.rewards.append(one)

    def account(self, holder: Holder) -> Account | None:
        return self.open.get(holder)

    def accounts(self, limit: int, after: str = "") -> AccountPage:
        names = sorted(self.open)
        start = next((at + 1 for at, one in enumerate(names) if one.name == after), 0)
        page = names[start : start + limit]
        return AccountPage([self.open[one] for one in page], page[-1].name if len(page) == limit else "")

    def rows(self, holder: Holder, month: str) -> Iterator[Row]:
        yield from sorted(
            (row for row in self.every_row(holder) if month_of(row.at_ms) == month),
            key=lambda row: (row.at_ms, row.ref),
        )

    def every_row(self, holder: Holder) -> list[Row]:
        rows = [
            Row(one.paid_at_ms, ACCRUAL, one.reward_id, on_account(one.settled, holder))
            for one in self.rewards
            if one.party == holder.party
        ]
        return rows + [
            Row(entry.at_ms, entry.kind, entry.entry_id, on_account(entry.postings, holder), entry.note)
            for whose, entry in self.journal.values()
            if whose == holder
        ]

    def entries(self, holder: Holder, month: str) -> int:
        return len(list(self.rows(holder, month)))

    def balance(self, account: Account, now_ms: int) -> int:
        since = account.open_months(month_of(now_ms))
        rows = (row for month in since for row in self.rows(account.holder, month))
        return account.carried_minor + sum(row.amount_minor for row in rows if row.kind == ACCRUAL)

    def period(self, holder: Holder, month: str) -> Period | None:
        return self.months.get((holder, month))

    def numbers(self, issuer: str, month: str) -> Numbers:
        return Numbers(issuer, month, self.last.get(month, 0))

    def note(self, issuer: str, month: str, number: int) -> CreditNote | None:
        assert issuer
        return self.notes.get((month, number))

    def clawed(self, reward_id: str) -> Clawed | None:
        return self.taken.get(reward_id)

    def write(self, move: Move) -> None:
        crash, self.crash = self.crash, ""
        if crash == "before":
            raise TransientError("table_unavailable", "nothing was written")
        self._write(move)
        if crash == "after":
            raise TransientError("table_unavailable", "written, and the reply lost")

    def _write(self, move: Move) -> None:
        holder = move.new.holder
        refused = self.open[holder].rev != move.old.rev or move.new.rev != move.old.rev + 1
        entries = (*move.weighed, *([move.entry] if move.entry else []))
        for entry in entries:
            balanced(entry.postings)
            refused |= entry.entry_id in self.journal
        if move.note is not None and move.numbers is not None:
            refused |= self.last.get(move.note.month, 0) != move.numbers.last - 1
        refused |= any((holder, one.month) in self.months for one in move.periods)
        if refused:
            raise ConflictError("account_moved", "the account has changed meanwhile")
        self.open[holder] = move.new
        self.journal |= {entry.entry_id: (holder, entry) for entry in entries}
        if move.note is not None and move.numbers is not None:
            self.notes[move.note.month, move.note.number] = move.note
            self.last[move.note.month] = move.numbers.last
        if move.clawed is not None:
            self.taken[move.clawed.reward_id] = move.clawed
        for one in move.periods:
            self.months[holder, one.month] = one
