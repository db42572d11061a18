"""The accounts of holders in the harness: adapters/account_books.py's one write of all or nothing, its late index."""

from collections.abc import Iterator
from typing import cast

from tests.histories.stores import FakeLedger
from tests.histories.world import World
from uncap.adapters.account_books import AccountBooks, AccountPage, Move
from uncap.domain.books.accounts import Account, Holder, Period, Row, on_account
from uncap.domain.books.notes import Clawed, CreditNote, Numbers
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import JournalEntry, balanced
from uncap.domain.rewards.accruing import ACCRUAL, month_of
from uncap.domain.rewards.reward import State
from uncap.services.claw_back import LIMIT_MINOR

INDEX_LAG_MS = 1_000


class FakeBooks:
    """`AccountBooks`. It also watches: what one person may do alone, and that a return counts once."""

    def __init__(self, world: World, ledger: FakeLedger) -> None:
        self.world, self.ledger = world, ledger
        self.notes: dict[tuple[str, int], CreditNote] = {}
        self.last_number: dict[str, Numbers] = {}
        self.taken: dict[str, Clawed] = {}
        self.periods: dict[tuple[str, str], Period] = {}

    def account(self, holder: Holder) -> Account | None:
        return self.world.call(lambda: self.ledger.accounts.get(holder.name), "account", holder.name)

    def accounts(self, limit: int, after: str = "") -> AccountPage:
        """Two a page, so that a run can stop between them."""
        names = sorted(self.ledger.accounts)
        page = [name for name in names if name > after][: min(limit, 2)]
        last = page[-1] if page and page[-1] != names[-1] else ""
        return self.world.call(lambda: AccountPage([self.ledger.accounts[name] for name in page], last), "accounts")

    def rows(self, holder: Holder, month: str) -> Iterator[Row]:
        """Through the index: what was written a moment ago may be missing."""
        lag = INDEX_LAG_MS if self.world.chance(self.world.rates.stale) else 0
        yield from self.world.call(lambda: self.all_rows(holder, month, self.world.now_ms - lag), "rows of", month)

    def entries(self, holder: Holder, month: str) -> int:
        return sum(1 for _ in self.rows(holder, month))

    def balance(self, account: Account, now_ms: int) -> int:
        """The real adapter's sum, over these rows."""
        return AccountBooks.balance(cast("AccountBooks", self), account, now_ms)

    def period(self, holder: Holder, month: str) -> Period | None:
        return self.world.call(lambda: self.periods.get((holder.name, month)), "period", month)

    def note(self, issuer: str, month: str, number: int) -> CreditNote | None:
        return self.notes.get((month, number))

    def numbers(self, issuer: str, month: str) -> Numbers:
        return self.world.call(lambda: self.last_number.get(month, Numbers(issuer, month)), "numbers of", month)

    def clawed(self, reward_id: str) -> Clawed | None:
        return self.world.call(lambda: self.taken.get(reward_id), "clawed of", reward_id)

    def write(self, move: Move) -> None:
        what = move.entry.kind if move.entry else "count" if move.clawed else "close"
        self.world.call(lambda: self._write(move), what, move.new.holder.name, move.new.carried_minor)

    def all_rows(self, holder: Holder, month: str, until_ms: int) -> list[Row]:
        """The account's entries dated into a month, "" for all, that were written up to then."""
        found = [
            Row(one.paid_at_ms, ACCRUAL, one.reward_id, on_account(one.settled, holder), one.campaign)
            for one in self.ledger.items.values()
            if one.kind == ACCRUAL and one.state is State.PAID and (one.party, one.currency) == holder
            and self.ledger.booked_ms[one.reward_id] <= until_ms
        ]  # fmt: skip
        others = [(one, on_account(one.postings, holder)) for one in self.ledger.entries.values()]
        found += [Row(one.at_ms, one.kind, one.entry_id, amount, one.note) for one, amount in others if amount]
        dated = [one for one in found if month in ("", month_of(one.at_ms))]
        return sorted(dated, key=lambda one: (one.at_ms, one.ref))

    def fits(self, move: Move) -> bool:
        """All conditions of the real adapter's transaction; mutants weaken them."""
        stored = self.ledger.accounts[move.new.holder.name]
        clean = all(one.entry_id not in self.ledger.entries for one in _entries(move))
        clean &= all((move.new.holder.name, one.month) not in self.periods for one in move.periods)
        if move.clawed is not None:
            counted = self.taken.get(move.clawed.reward_id)
            clean &= (counted.rev if counted else 0) == move.clawed.rev - 1
        return clean and self.is_current(stored, move) and self.numbered(move)

    def is_current(self, stored: Account, move: Move) -> bool:
        """The condition on the account's own item."""
        return stored.rev == move.old.rev

    def numbered(self, move: Move) -> bool:
        """The conditions on a credit note's number."""
        if move.note is None or move.numbers is None:
            return True
        last = self.last_number.get(move.note.month)
        free = (move.note.month, move.note.number) not in self.notes
        return free and (last.last if last else 0) == move.numbers.last - 1

    def _write(self, move: Move) -> None:
        if not self.fits(move):
            raise ConflictError("account_moved", "the fake's condition failed")
        for one in _entries(move):
            balanced(one.postings)
            self.ledger.entries[one.entry_id] = one
        if move.note is not None and move.numbers is not None:
            self.notes[move.note.month, move.note.number] = move.note
            self.last_number[move.note.month] = move.numbers
        if move.clawed is not None:
            self.taken[move.clawed.reward_id] = move.clawed
        self.periods |= {(move.new.holder.name, one.month): one for one in move.periods}
        self.ledger.accounts[move.new.holder.name] = move.new
        self._watch(move)

    def _watch(self, move: Move) -> None:
        """What one person alone may never do, and what never happens twice."""
        holder, entry = move.new.holder, move.entry
        if move.clawed is not None and len(set(move.clawed.returns)) < len(move.clawed.returns):
            self.world.violated(f"a return was counted twice on {move.clawed.reward_id}")
        if entry is None or len(set(entry.by)) > 1:
            return
        if entry.kind != "clawback":
            self.world.violated(f"a {entry.kind} of {holder.name} by one person")
        owed = sum(row.amount_minor for row in self.all_rows(holder, "", self.world.now_ms))
        if owed < -LIMIT_MINOR:
            self.world.violated(f"one person took {holder.name} down to {owed}")


def _entries(move: Move) -> tuple[JournalEntry, ...]:
    return (*move.weighed, *((move.entry,) if move.entry else ()))
