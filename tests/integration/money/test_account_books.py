"""The accounts of holders on moto's table: found by month, moved once, numbered without gaps."""

import msgspec
import pytest

from tests.kits.account_kit import DAY, FIRST, accrual
from tests.kits.moto_bridge import MotoCaller
from uncap.adapters.account_books import AccountBooks, Move
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.ledger_hot import HotLedger
from uncap.adapters.models import LedgerItem, open_tables
from uncap.domain.books.accounts import Holder, after_close
from uncap.domain.errors import ConflictError
from uncap.domain.rewards.accruing import month_start_ms
from uncap.domain.rewards.reward import Case
from uncap.runtime.settings import RelaySettings
from uncap.services.claw_back import Return, claw_back
from uncap.services.settle_accounts import Settling, settle_month
from uncap.services.trial_balance import trial_balance

HOLDER = Holder("d-1", "CNY")
OCTOBER = month_start_ms("2026-10")


@pytest.fixture
def books(settings: RelaySettings) -> AccountBooks:
    open_tables({LedgerItem: settings.ledger_table})
    return AccountBooks()


def settle(books: AccountBooks, month: str, now_ms: int) -> Settling:
    cases: list[Case] = []

    def ppm_of(party: str, year: int) -> int:
        return 900_000 if (party, year) == ("d-2", 2026) else 1_000_000

    done = settle_month(
        Settling(month, ("ann", "bob")), books, ppm_of, now_ms, lambda: False, lambda _: None, cases.append
    )
    assert cases == []
    return done


def test_a_year_of_it_adds_up(books: AccountBooks, settings: RelaySettings) -> None:
    ledger = HotLedger(MotoCaller(), settings.ledger_table)
    rewards = [accrual(number, 7 + number, FIRST + number * DAY) for number in range(5)]
    rewards.append(accrual(7, 90, FIRST, party="d-2"))
    for one in rewards:
        ledger.create(one)
    assert [row.amount_minor for row in books.rows(HOLDER, "2026-09")] == [7, 8, 9, 10, 11]
    claw_back(rewards[0], Return("back-1", 6, 12, ("ann",)), books, FIRST + 9 * DAY)
    assert claw_back(rewards[0], Return("back-1", 6, 12), books, FIRST + 9 * DAY).rev == 1
    done = settle(books, "2026-09", OCTOBER + DAY)
    assert (done.accounts, done.notes, done.amount_minor) == (2, 2, 123)
    assert settle(books, "2026-09", OCTOBER + DAY).notes == 0
    notes = [books.note("brand", "2026-09", number) for number in (1, 2, 3)]
    assert sorted(one.amount_minor for one in notes if one) == [42, 81]
    assert notes[2] is None
    sums = trial_balance(ledger)
    assert sums.is_balanced
    assert sums.of("accrual", "d-1", "CNY") == sums.of("accrual", "d-2", "CNY") == 0
    assert sums.of("clearing", "credit_note", "CNY") == -123
    assert [row.kind for row in books.rows(HOLDER, "2026-10")] == ["credit_note"]
    assert sums.of("breakage", "coefficient@2026", "CNY") == -9
    other = {row.kind: row.amount_minor for row in books.rows(Holder("d-2", "CNY"), "2026-10")}
    assert other == {"coefficient": -9, "credit_note": -81}
    period = books.period(HOLDER, "2026-09")
    assert period is not None
    assert (period.opening_minor, period.closing_minor, period.entries) == (0, 42, 6)


def test_pages_of_accounts_have_each_once(books: AccountBooks) -> None:
    ledger = DynamoLedger()
    for number in range(7):
        ledger.create(accrual(number, 10, FIRST + number, party=f"d-{number}"))
    seen, after = [], ""
    while True:
        page = books.accounts(3, after)
        seen += [one.party for one in page.accounts]
        after = page.after
        if not after:
            break
    assert seen == [f"d-{number}" for number in range(7)]


def test_an_account_moves_only_from_what_was_read(books: AccountBooks) -> None:
    DynamoLedger().create(accrual(1, 10, FIRST))
    old = books.account(HOLDER)
    assert old is not None
    new = after_close(old, "2026-09", 10)
    books.write(Move(old, new))
    with pytest.raises(ConflictError, match="account_moved"):
        books.write(Move(old, msgspec.structs.replace(new, carried_minor=999)))
    assert books.account(HOLDER) == new


def test_who_never_accrued_has_no_account(books: AccountBooks) -> None:
    assert books.account(Holder("nobody", "CNY")) is None
    assert list(books.rows(Holder("nobody", "CNY"), "2026-09")) == []
    assert books.accounts(5).accounts == []


def test_a_page_of_entries_continues_where_the_last_one_ended(books: AccountBooks) -> None:
    ledger = DynamoLedger()
    for number in range(5):
        ledger.create(accrual(number, 10 + number, FIRST + number // 2))
    first, after = books.page(HOLDER, "2026-09", 3)
    rest, end = books.page(HOLDER, "2026-09", 3, after)
    assert sorted(row.amount_minor for row in first + rest) == [10, 11, 12, 13, 14]
    assert (len(first), end) == (3, "")
