"""Any account's statement, as the last pass over the books kept it; a month's withheld tax recorded as paid."""

from typing import Any

import pytest

from tests.integration.console.conftest import NOW_MS, Api, Bench
from tests.kits.account_kit import DAY, accrual
from uncap.adapters.journal_scan import every_entry
from uncap.domain.rewards.accruing import month_of, month_start_ms, next_month
from uncap.services.keep_months import EVERY_MS, keep_months
from uncap.services.trial_balance import TrialBalance, trial_balance

MONTH = month_of(NOW_MS)
AFTER = month_start_ms(next_month(MONTH)) + DAY
TAX: Any = {"reference": "cert-1", "paid_on": "2026-12-14", "amount_minor": 40, "reason": "paid at the counter"}


def read_through(bench: Bench) -> TrialBalance | None:
    return keep_months(every_entry(), bench.desk.months, bench.clock(), lambda: False)


@pytest.fixture
def rewards(bench: Bench) -> None:
    for number in range(4):
        bench.desk.ledger.create(accrual(number, 100, NOW_MS + number, party="dist-a", withheld_minor=20))
    bench.desk.ledger.create(accrual(9, 7, NOW_MS, party="dist-b"))


def test_every_account_has_a_statement(rewards: None, bench: Bench, admin: Api) -> None:
    assert admin.refused("GET", "/ledger/statement?account=tax:withheld:CNY") == (404, "account_unknown")
    proved = read_through(bench)
    assert proved == trial_balance(bench.desk.ledger)
    found: list[dict[str, Any]] = []
    cursor = ""
    while cursor or not found:
        page: Any = admin.ok("GET", f"/ledger/accounts?count=2&cursor={cursor}")
        found += page["items"]
        cursor = page["next"]
    assert proved is not None
    assert {one["account"]: one["balance_minor"] for one in found} == proved.accounts
    tax: Any = admin.ok("GET", f"/ledger/statement?account=tax:withheld:CNY&month={MONTH}")
    assert (tax["opening_minor"], tax["closing_minor"], tax["as_of_ms"]) == (0, -80, NOW_MS)
    assert [(one["kind"], one["credit_minor"], one["entries"]) for one in tax["turns"]] == [("settle", 80, 4)]
    later: Any = admin.ok("GET", "/ledger/statement?account=tax:withheld:CNY&month=2027-05")
    assert (later["opening_minor"], later["closing_minor"], later["turns"]) == (-80, -80, [])
    before: Any = admin.ok("GET", "/ledger/statement?account=tax:withheld:CNY&month=2026-01")
    assert before["closing_minor"] == 0
    (own,) = admin.ok("GET", f"/parties/dist-a/accounts?month={MONTH}")["items"]
    assert (own["account"], own["closing_minor"]) == ("accrual:dist-a:CNY", -320)


def test_what_is_no_account_or_month(rewards: None, bench: Bench, admin: Api) -> None:
    read_through(bench)
    for query, status in (("account=tax", 400), ("account=tax:withheld:CNY&month=2026-13", 400), ("account=", 400)):
        assert admin.refused("GET", f"/ledger/statement?{query}")[0] == status
    assert admin.refused("GET", "/ledger/statement?account=tax:nobody:CNY") == (404, "account_unknown")
    assert admin.refused("GET", "/parties/nobody/accounts") == (404, "account_unknown")
    assert admin.refused("GET", "/ledger/accounts?cursor=AAAA")[1] == "cursor_malformed"


def test_a_pass_is_due_every_six_hours_and_writes_what_changed(rewards: None, bench: Bench) -> None:
    assert read_through(bench) is not None
    assert read_through(bench) is None
    bench.clock.now_ms += EVERY_MS
    assert keep_months(every_entry(), bench.desk.months, bench.clock(), lambda: True) is None, "out of time"
    kept: list[int] = []
    months = bench.desk.months

    class Counting:
        state = staticmethod(months.state)

        @staticmethod
        def keep(*given: Any) -> int:
            kept.append(months.keep(*given))
            return kept[-1]

    assert keep_months(every_entry(), Counting(), bench.clock(), lambda: False) is not None
    assert kept == [0], "nothing moved, nothing is written but the time"


def test_tax_is_paid_once_and_never_beyond_what_was_withheld(rewards: None, bench: Bench, admin: Api) -> None:
    path = f"/taxes/{MONTH}"
    assert admin.refused("POST", path, TAX) == (409, "month_not_over")
    bench.clock.now_ms = AFTER
    admin = bench.sign_in("ann", "admin")
    assert admin.refused("POST", path, TAX) == (409, "books_not_read")
    read_through(bench)
    assert admin.ok("GET", path)["open_minor"] == 80
    assert admin.refused("POST", path, TAX | {"amount_minor": 81}) == (409, "tax_exceeds_withheld")
    assert admin.refused("POST", path, TAX | {"paid_on": "2026-02-30"}) == (400, "day_malformed")
    for _ in range(2):
        assert admin.ok("POST", path, TAX)["rev"] == 1
    assert admin.refused("POST", path, TAX | {"amount_minor": 41}) == (409, "tax_differs")
    assert admin.ok("POST", path, TAX | {"reference": "cert-2"})["rev"] == 2
    told: Any = admin.ok("GET", path)
    assert (told["withheld_minor"], told["paid_minor"], told["open_minor"]) == (80, 80, 0)
    assert [one["by"] for one in told["payments"]] == [["ann"], ["ann"]]
    assert admin.refused("POST", path, TAX | {"reference": "cert-3", "amount_minor": 1}) == (
        409,
        "tax_exceeds_withheld",
    )
    balance = trial_balance(bench.desk.ledger)
    assert balance.is_balanced
    assert (balance.of("tax", "withheld", "CNY"), balance.of("clearing", "tax_office", "CNY")) == (0, -80)
    bench.clock.now_ms += EVERY_MS
    assert read_through(bench) == balance
    admin = bench.sign_in("ann", "admin")
    assert admin.ok("GET", path)["withheld_minor"] == 80, "a payment is not what was withheld"
    page: Any = admin.ok("GET", "/taxes?count=1")
    assert [one["month"] for one in page["items"]] == [MONTH]
    assert admin.ok("GET", f"/taxes?count=1&cursor={page['next']}")["items"] == []


def test_above_the_limit_two_people_record_it(bench: Bench) -> None:
    bench.desk.ledger.create(accrual(1, 9_000_000, NOW_MS, party="dist-a", withheld_minor=1_800_000))
    bench.clock.now_ms = AFTER
    admin, second = bench.sign_in("ann", "admin"), bench.sign_in("bob", "admin")
    read_through(bench)
    path, form = f"/taxes/{MONTH}", TAX | {"amount_minor": 1_000_001}
    assert admin.refused("POST", path, form) == (409, "tax_above_limit")
    assert admin.ok("POST", path, TAX | {"amount_minor": 999_999})["rev"] == 1
    split = TAX | {"reference": "cert-2", "amount_minor": 2}
    assert admin.refused("POST", path, split) == (409, "tax_above_limit"), "the limit is the month's, not the receipt's"
    assert second.refused("POST", f"{path}/approve", split) == (409, "proposal_missing")
    assert admin.ok("POST", f"{path}/request", split)["state"] == "open"
    assert admin.refused("POST", f"{path}/approve", split) == (403, "second_person_needed")
    assert second.refused("POST", f"{path}/approve", split | {"amount_minor": 3}) == (409, "proposal_missing")
    assert second.ok("POST", f"{path}/approve", split)["payments"][1]["by"] == ["ann", "bob"]
    assert second.refused("POST", f"{path}/approve", split)[0] == 409
    assert trial_balance(bench.desk.ledger).is_balanced
