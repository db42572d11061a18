"""The wing of the books: rewards accrue over a month's end, goods come back, months are settled, entries corrected.

The console's services with two people, the reconcile job's settling; `accrued.py` is what they write to.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tests.histories.accrued import FakeBooks
from tests.histories.campaigns import BOOKS_DAYS, DAY_MS
from tests.histories.office import OPERATORS
from tests.histories.wings import Wing
from uncap.domain.books.accounts import Holder, Row
from uncap.domain.books.coefficients import COEFFICIENT
from uncap.domain.books.notes import CreditNote
from uncap.domain.errors import ConflictError, InputError, TransientError, UncapError
from uncap.domain.rewards.accruing import ACCRUAL, month_of, month_start_ms, next_month
from uncap.domain.rewards.reward import Reward, State
from uncap.services.books_desk import (
    CorrectionForm,
    PostingForm,
    ReturnForm,
    Why,
    approve_correction,
    approve_settlement,
    approve_take_back,
    request_correction,
    request_settlement,
    request_take_back,
    take_back,
)
from uncap.services.desk import Actor
from uncap.services.settle_accounts import SETTLES_AFTER_MS, continue_settling, load_settling
from uncap.services.trial_balance import trial_balance

if TYPE_CHECKING:
    from tests.histories.history import History

PACKED = 3
"""Units each reward was given for: a rebate does not divide by it."""
HOUR_MS = 3_600_000
NOBODY_ASKS = ("proposal_missing", "proposal_expired")


class Back(NamedTuple):
    """Goods that came back, as whoever received them says so, however often."""

    reward_id: str
    form: ReturnForm


class BooksWing(Wing):
    """Accounts, what is taken back of them, and the papers that settle them."""

    def __init__(self, history: "History") -> None:
        super().__init__(history)
        self.world.now_ms += BOOKS_DAYS * DAY_MS + self.world.random.randrange(8, 25) * HOUR_MS
        self.books = FakeBooks(self.world, history.ledger)
        self.desk = history.office.desk(accounts=self.books)
        self.first_month = month_of(self.world.now_ms)
        self.unanswered: list[Back] = []
        self.counted: dict[str, Back] = {}
        """Returns that were answered as counted, by id."""
        self.ppm: dict[tuple[str, int], int] = {}
        self._number = 0

    def happenings(self) -> list[Callable[[], object]]:
        claiming = [self.history._claim, self.history._relay] * 4
        acting = [self._return, self._settle, self._settle, self._correct]
        return [*claiming, *acting * 3, *[self._continue] * 14]

    def later(self, at_ms: int) -> int:
        """Most months end while people are at work."""
        ends_ms = month_start_ms(next_month(self.first_month))
        over = self.world.now_ms < ends_ms < at_ms and self.world.chance(0.7)
        return ends_ms - self.world.random.randrange(50, 800) if over else at_ms

    def calm(self) -> None:
        self._answer_all()

    def finish(self) -> None:
        """The next month passes too; then all is settled, and what came back late is taken from what is left."""
        for month in (self.first_month, next_month(self.first_month)):
            ends_ms = month_start_ms(next_month(month)) + SETTLES_AFTER_MS
            self.world.now_ms = max(self.world.now_ms, ends_ms)
            while not self._is_settled(month):
                self._by_two(partial(self._settlement, month))
                self._continue()
            for _ in range(self.world.random.randrange(4)):
                self._return()
        self._answer_all()

    def _answer_all(self) -> None:
        while self.unanswered:
            self._send(self.unanswered[0])

    def _accrued(self) -> list[Reward]:
        return [one for one in self.history.ledger.items.values() if one.kind == ACCRUAL and one.state is State.PAID]

    def _return(self) -> None:
        if self.unanswered and self.world.chance(0.4):
            self._send(self.world.random.choice(self.unanswered))
        elif accrued := self._accrued():
            self._number += 1
            units = self.world.random.choice([1, 1, 2])
            form = ReturnForm(f"r{self._number}", units, PACKED, "came back")
            self._send(Back(self.world.random.choice(accrued).reward_id, form))

    def _send(self, one: Back) -> None:
        """One person says so; where that takes the account too low, two."""
        if one not in self.unanswered:
            self.unanswered.append(one)
        try:
            take_back(self.desk, Actor(OPERATORS[0], "finance"), one.reward_id, one.form)
        except TransientError:
            raise
        except UncapError as refused:
            if refused.code == "clawback_below_limit":
                self._by_two(lambda actor: self._take_back(actor, one))
            else:
                self._answered(one, refused.code)
            return
        self._answered(one)

    def _take_back(self, actor: Actor, one: Back) -> None:
        try:
            approve_take_back(self.desk, actor, one.reward_id, one.form)
        except (ConflictError, InputError) as refused:
            if refused.code in NOBODY_ASKS:
                request_take_back(self.desk, actor, one.reward_id, one.form)
            else:
                self._answered(one, refused.code)
            return
        self._answered(one)

    def _answered(self, one: Back, refused: str = "") -> None:
        if one in self.unanswered:  # two may be under way at once
            self.unanswered.remove(one)
        if not refused:
            self.counted[one.form.return_id] = one
        elif one.form.return_id in self.counted:
            self.world.violated(f"a return was taken back on a retry: {refused}")

    def _settle(self) -> None:
        """Two people want a month settled, one after the other; or one does, and another agrees later."""
        month = self.world.random.choice([self.first_month, self.first_month, month_of(self.world.now_ms)])
        if self.world.chance(0.5):
            self._by_two(partial(self._settlement, month))
        else:
            self._settlement(month, Actor(self.world.random.choice(OPERATORS), "finance"))

    def _settlement(self, month: str, actor: Actor) -> None:
        try:
            approve_settlement(self.desk, actor, month)
        except ConflictError as refused:
            if refused.code not in NOBODY_ASKS:
                raise
            request_settlement(self.desk, actor, month, Why("the month is over"))

    def _continue(self) -> None:
        """The reconcile job goes on with it, perhaps not to the end."""
        ledger, now_ms = self.history.ledger, self.world.now_ms
        continue_settling(ledger, self.books, self._ppm, now_ms, lambda: self.world.chance(0.2))

    def _ppm(self, party: str, year: int) -> int:
        """The party's coefficient, which cases of diversion move from time to time."""
        if self.world.chance(0.2):
            self.ppm[party, year] = self.world.random.choice([0, 333_333, 900_000, 1_000_000])
        return self.ppm.get((party, year), 1_000_000)

    def _is_settled(self, month: str) -> bool:
        settling = load_settling(self.history.ledger)
        return settling is not None and settling.month == month and settling.done

    def _correct(self) -> None:
        """An entry is answered by another, up or down by some fen."""
        if not (accrued := self._accrued()):
            return
        reward = self.world.random.choice(accrued)
        self._number += 1
        amount = self.world.random.choice([-9, 5])
        mine = PostingForm("accrual", reward.party, reward.currency, amount)
        other = PostingForm("expense", "spring", reward.currency, -amount)
        form = CorrectionForm(reward.reward_id, [mine, other], "wrong by some fen")
        one, two = (Actor(login, "finance") for login in OPERATORS)
        request_correction(self.desk, one, f"c{self._number}", form)
        approve_correction(self.desk, two, f"c{self._number}", form)

    def _by_two(self, act: Callable[[Actor], None]) -> None:
        """One asks, the other agrees; a request that an earlier try left behind is agreed to at once."""
        for login in OPERATORS:
            try:
                act(Actor(login, "finance"))
            except UncapError as refused:
                if refused.code not in ("second_person_needed", "settlement_running"):
                    raise

    def problems(self) -> list[str]:
        holders = [one.holder for one in self.history.ledger.accounts.values()]
        wrong = [problem for one in holders for problem in self._account_wrong(one)]
        return wrong + self._notes_wrong() + self._returns_wrong()

    def _account_wrong(self, holder: Holder) -> list[str]:
        """Carried and what accrued since is the ledger's balance; closed months are what their entries make them."""
        rows = self.books.all_rows(holder, "", self.world.now_ms)
        owed, account = sum(row.amount_minor for row in rows), self.history.ledger.accounts[holder.name]
        stated = self.books.balance(account, self.world.now_ms)
        balance = -trial_balance(self.history.ledger).of("accrual", holder.party, holder.currency)
        wrong = []
        if not owed == balance == stated:
            wrong.append(f"{holder.name} says {stated}, the ledger {balance}, its entries make {owed}")
        months = account.open_months(month_of(self.world.now_ms))
        wrong += [f"{holder.name} was not settled for {month}" for month in months[:-1]]
        for (name, month), period in self.books.periods.items():
            dated = sum(row.amount_minor for row in rows if month_of(row.at_ms) <= month)
            if name == holder.name and dated != period.closing_minor:
                wrong.append(f"{name} closed {month} with {period.closing_minor}, its entries make {dated}")
        for share in account.years:
            mine = [row for row in rows if month_of(row.at_ms).startswith(str(share.year))]
            earned = sum(
                one.amount_minor for one in mine if _earns(one) and month_of(one.at_ms) <= account.closed_month
            )
            kept = -sum(one.amount_minor for one in mine if one.kind == COEFFICIENT)
            if (share.earned_minor, share.withheld_minor) != (earned, kept):
                wrong.append(f"{holder.name} counts {share}, earned were {earned}, withheld {kept}")
        later = [row for row in rows if months and month_of(row.at_ms) >= months[0]]
        before = owed - sum(row.amount_minor for row in later if row.kind not in ("credit_note", COEFFICIENT))
        if before > 0:
            wrong.append(f"{holder.name} is owed {before} of settled months")
        return wrong

    def _notes_wrong(self) -> list[str]:
        """One note per holder and month, numbered without gaps, by two people; together what left the accounts."""
        wrong, notes = [], self.books.notes
        months: dict[str, list[CreditNote]] = defaultdict(list)
        for (month, number), note in notes.items():
            months[month].append(note)
            if note.number != number or note.amount_minor <= 0 or len(set(note.by)) != 2:  # two people
                wrong.append(f"note {note.name} of {note.amount_minor} by {note.by}")
        for month, found in months.items():
            if sorted(one.number for one in found) != list(range(1, len(found) + 1)):
                wrong.append(f"notes of {month} are numbered {sorted(one.number for one in found)}")
            twice = [who for who, n in Counter((one.party, one.currency) for one in found).items() if n > 1]
            wrong += [f"{who} has two notes of {month}" for who in twice]
        paid = -trial_balance(self.history.ledger).of("clearing", "credit_note", "CNY")
        noted = sum(one.amount_minor for one in notes.values())
        return wrong if paid == noted else [*wrong, f"notes say {noted}, the ledger {paid}"]

    def _returns_wrong(self) -> list[str]:
        """Each return counted once, and what was taken back is the part of the reward it had earned."""
        wrong = []
        said: dict[str, list[Back]] = defaultdict(list)
        for one in self.counted.values():
            said[one.reward_id].append(one)
        for reward_id in said.keys() | self.books.taken.keys():
            taken, reward = self.books.taken.get(reward_id), self.history.ledger.items[reward_id]
            units = sum(one.form.units for one in said[reward_id])
            if taken is None or taken.returned != units:
                wrong.append(f"{units} of {reward_id} came back, counted were {taken and taken.returned}")
                continue
            entries = [one for one in self.history.ledger.entries.values() if one.kind == "clawback"]
            booked = sum(one.postings[0].amount_minor for one in entries if one.corrects == reward_id)
            if not booked == taken.clawed_minor == reward.net_minor * units // PACKED:
                wrong.append(f"{booked} of {reward.net_minor} was taken for {units} of {PACKED}")
        return wrong


def _earns(row: Row) -> bool:
    return row.kind in (ACCRUAL, "clawback")
