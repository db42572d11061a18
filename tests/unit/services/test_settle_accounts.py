"""How far a settlement is: kept by whoever runs it, never over what people have released meanwhile."""

from tests.histories.stores import FakeLedger
from tests.histories.world import Rates, World
from tests.kits.account_kit import FIRST, MemoryBooks, accrual
from uncap.domain.rewards.accruing import month_start_ms
from uncap.services.settle_accounts import Settling, continue_settling, load_settling, save_settling

NOVEMBER = month_start_ms("2026-11") + 86_400_000
PEOPLE = ("ann", "bob")
NEXT = Settling("2026-10", PEOPLE)


def begun() -> tuple[FakeLedger, MemoryBooks]:
    ledger, books = FakeLedger(World(0, Rates())), MemoryBooks()
    books.accrue(accrual(1, 40, FIRST))
    save_settling(ledger, Settling("2026-09", PEOPLE))
    return ledger, books


def run(ledger: FakeLedger, books: MemoryBooks) -> int:
    return continue_settling(ledger, books, lambda *_: 1_000_000, NOVEMBER, lambda: False)


def test_a_run_that_is_late_does_not_forget_the_next_months_release() -> None:
    ledger, books = begun()

    def overtaken() -> bool:
        # Another invocation finishes the month, and two people release the next one, while this one reads a page.
        save_settling(ledger, NEXT)
        return False

    assert continue_settling(ledger, books, lambda *_: 1_000_000, NOVEMBER, overtaken) == 1
    assert load_settling(ledger) == NEXT
    run(ledger, books)
    settled = load_settling(ledger)
    assert settled is not None
    assert (settled.month, settled.done) == ("2026-10", True)


def test_a_finished_month_stays_finished() -> None:
    ledger, books = begun()
    assert run(ledger, books) == 1
    done = load_settling(ledger)
    assert done is not None
    assert done.done
    assert run(ledger, books) == 0
    assert load_settling(ledger) == done
