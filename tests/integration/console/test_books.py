"""Operators read accounts, release a month, take back what returned goods earned, and correct: two people each."""

from typing import Any

import pytest

from tests.integration.console.conftest import NOW_MS, Api, Bench
from tests.kits.account_kit import DAY, accrual
from uncap.adapters.coefficients import coefficient_of
from uncap.domain.rewards.accruing import month_of, month_start_ms, next_month
from uncap.domain.rewards.reward import Case
from uncap.services.settle_accounts import continue_settling
from uncap.services.trial_balance import trial_balance

MONTH = month_of(NOW_MS)
AFTER = month_start_ms(next_month(MONTH)) + DAY
ONE = f"{1:026d}"
BACK = {"return_id": "back-1", "units": 6, "total": 12, "reason": "half a case came back"}


@pytest.fixture
def rewards(bench: Bench) -> None:
    for number in range(4):
        bench.desk.ledger.create(accrual(number, 100, NOW_MS + number, party="dist-a"))


def run(bench: Bench) -> int:
    def ppm_of(party_id: str, year: int) -> int:
        return coefficient_of(bench.desk.parties, party_id, year).ppm

    return continue_settling(bench.desk.ledger, bench.desk.accounts, ppm_of, bench.clock(), lambda: False)


def test_a_statement_page_by_page(rewards: None, admin: Api) -> None:
    first: Any = admin.ok("GET", "/parties/dist-a/statement?count=3")
    assert (first["opening_minor"], first["closing_minor"], first["closed"], len(first["entries"])) == (
        0,
        400,
        False,
        3,
    )
    rest = admin.ok("GET", f"/parties/dist-a/statement?count=3&cursor={first['next']}")
    assert ([row["amount_minor"] for row in rest["entries"]], rest["next"]) == ([100], "")
    table = admin.call("GET", "/parties/dist-a/statement/table").body
    assert table.splitlines()[0] == "at_ms,kind,ref,amount_minor,note"
    assert table.splitlines()[-1] == f",closing,{MONTH},400,CNY"
    assert [one["party"] for one in admin.ok("GET", "/accounts")["items"]] == ["dist-a"]
    assert admin.refused("GET", "/parties/dist-b/statement") == (404, "account_unknown")
    assert admin.refused("GET", "/parties/dist-a/statement?month=2026-99") == (400, "month_malformed")
    other = admin.refused("GET", f"/parties/dist-a/statement?month=2026-01&cursor={first['next']}")
    assert other == (400, "cursor_malformed")
    assert admin.ok("GET", "/parties/dist-a/statement?month=2026-01")["closing_minor"] == 0


def test_a_month_is_settled_by_two_people_once(rewards: None, admin: Api, bench: Bench) -> None:
    why = {"reason": "month end"}
    assert admin.refused("POST", f"/settlements/{MONTH}", why) == (409, "month_not_over")
    assert admin.refused("GET", "/settlement") == (404, "settlement_unknown")
    bench.clock.now_ms = AFTER
    admin, second = bench.sign_in("ann", "admin"), bench.sign_in("bob", "admin")
    assert admin.refused("POST", f"/settlements/{MONTH}/approve") == (409, "proposal_missing")
    admin.ok("POST", f"/settlements/{MONTH}", why)
    assert admin.refused("POST", f"/settlements/{MONTH}/approve") == (403, "second_person_needed")
    assert run(bench) == 0
    second.ok("POST", f"/settlements/{MONTH}/approve")
    assert (run(bench), run(bench)) == (1, 0)
    (note,) = admin.ok("GET", f"/settlements/{MONTH}/notes")["items"]
    assert (note["amount_minor"], note["number"], note["by"]) == (400, 1, ["ann", "bob"])
    table = admin.call("GET", f"/settlements/{MONTH}/notes/table").body
    assert table.splitlines()[1].startswith(f"brand-{MONTH.replace('-', '')}-000001,dist-a,")
    assert admin.ok("GET", "/settlement")["done"] is True
    assert admin.ok("GET", f"/parties/dist-a/statement?month={MONTH}")["closed"] is True
    after = admin.ok("GET", "/parties/dist-a/statement")
    assert (after["opening_minor"], after["closing_minor"]) == (400, 0)
    assert trial_balance(bench.desk.ledger).is_balanced


def test_returned_goods_take_back_their_share(rewards: None, admin: Api, bench: Bench) -> None:
    for _ in range(2):
        assert admin.ok("POST", f"/rewards/{ONE}/clawback", BACK)["clawed_minor"] == 50
    assert admin.ok("GET", "/parties/dist-a/statement")["closing_minor"] == 350
    assert admin.refused("POST", f"/rewards/{'0' * 25}9/clawback", BACK) == (404, "reward_unknown")
    too_many = BACK | {"return_id": "back-2", "units": 7}
    assert admin.refused("POST", f"/rewards/{ONE}/clawback", too_many) == (400, "units_invalid")


def test_below_the_limit_two_people_agree_on_the_same_return(admin: Api, bench: Bench) -> None:
    bench.desk.ledger.create(accrual(1, 200_002, NOW_MS, party="dist-a"))
    bench.clock.now_ms = AFTER
    ann, bob = bench.sign_in("ann", "admin"), bench.sign_in("bob", "admin")
    ann.ok("POST", f"/settlements/{MONTH}", {"reason": "month end"})
    bob.ok("POST", f"/settlements/{MONTH}/approve")
    assert run(bench) == 1
    path = f"/rewards/{ONE}/clawback"
    assert ann.refused("POST", path, BACK) == (409, "clawback_below_limit")
    ann.ok("POST", f"{path}/request", BACK)
    assert bob.refused("POST", f"{path}/approve", BACK | {"units": 12}) == (409, "proposal_missing")
    assert bob.ok("POST", f"{path}/approve", BACK)["clawed_minor"] == 100_001
    assert ann.ok("GET", "/parties/dist-a/statement")["closing_minor"] == -100_001


def side(kind: str, owner: str, amount_minor: int) -> dict[str, object]:
    return {"kind": kind, "owner": owner, "currency": "CNY", "amount_minor": amount_minor}


def test_a_correction_is_an_entry_of_its_own(rewards: None, admin: Api, bench: Bench) -> None:
    form: dict[str, Any] = {
        "corrects": ONE,
        "postings": [side("accrual", "dist-a", 30), side("expense", "spring", -30)],
        "reason": "booked for the wrong case",
    }
    before = bench.desk.ledger.get(ONE)
    admin.ok("POST", "/corrections/c-1", form)
    assert admin.refused("POST", "/corrections/c-1/approve", form) == (403, "second_person_needed")
    changed = form | {"postings": [side("accrual", "dist-a", 31), side("expense", "spring", -31)]}
    assert admin.second().refused("POST", "/corrections/c-1/approve", changed) == (409, "proposal_missing")
    entry = admin.second().ok("POST", "/corrections/c-1/approve", form)
    assert (entry["kind"], entry["corrects"], len(entry["by"])) == ("correction", ONE, 2)
    assert bench.desk.ledger.get(ONE) == before
    assert admin.ok("GET", "/parties/dist-a/statement")["closing_minor"] == 370
    assert trial_balance(bench.desk.ledger).is_balanced
    assert admin.refused("POST", "/corrections/c-1", form) == (409, "entry_exists")


@pytest.mark.parametrize(
    ("postings", "refusal"),
    [
        ([side("expense", "a", 5), side("budget", "b", -4)], (409, "entry_unbalanced")),
        ([side("expense", "a", 5), side("pocket", "b", -5)], (400, "account_malformed")),
        ([side("accrual", "dist-a", 5), side("accrual", "dist-b", -5)], (400, "correction_too_wide")),
        ([side("accrual", "nobody", 5), side("expense", "b", -5)], (404, "account_unknown")),
    ],
)
def test_what_is_no_entry(
    rewards: None, admin: Api, postings: list[dict[str, object]], refusal: tuple[int, str]
) -> None:
    form = {"corrects": ONE, "postings": postings, "reason": "wrong"}
    assert admin.refused("POST", "/corrections/c-9", form) == refusal
    fine = [side("expense", "a", 5), side("budget", "b", -5)]
    unknown = form | {"corrects": "nothing", "postings": fine}
    assert admin.refused("POST", "/corrections/c-9", unknown) == (404, "entry_unknown")


def test_an_entry_that_touches_no_account_of_the_channel(rewards: None, admin: Api, bench: Bench) -> None:
    form = {
        "corrects": ONE,
        "postings": [side("expense", "autumn", 5), side("expense", "spring", -5)],
        "reason": "the other campaign's",
    }
    admin.ok("POST", "/corrections/c-2", form)
    assert admin.second().ok("POST", "/corrections/c-2/approve", form)["entry_id"] == "correction-c-2"
    assert trial_balance(bench.desk.ledger).of("expense", "autumn", "CNY") == 5


def test_a_difference_is_explained_or_resolved_by_a_correction(rewards: None, admin: Api, bench: Bench) -> None:
    for number, kind in enumerate(("statement_extra", "statement_missing", "late_success")):
        assert bench.desk.ledger.open_case(Case(f"{kind}-b{number}", kind, NOW_MS - 3 * DAY + number, reward_id=ONE))
    page = admin.ok("GET", "/money-cases?count=2")
    assert [one["kind"] for one in page["items"]] == ["late_success", "statement_missing"]
    rest = admin.ok("GET", f"/money-cases?count=2&cursor={page['next']}")
    assert [(one["kind"], one["age_days"], one["state"]) for one in rest["items"]] == [("statement_extra", 3, "open")]
    path = "/money-cases/statement_extra-b0"
    explained = admin.ok("POST", path, {"state": "explained", "reason": "a test transfer of ours"})
    assert (explained["state"], explained["steps"][0]["by"]) == ("explained", explained["steps"][-1]["by"])
    assert admin.refused("POST", path, {"state": "explained", "reason": "again"}) == (409, "case_state")
    assert admin.ok("POST", path, {"state": "open", "reason": "it was not"})["state"] == "open"
    assert not bench.desk.ledger.open_case(Case("statement_extra-b0", "statement_extra", NOW_MS + DAY))
    assert [one["case_id"] for one in admin.ok("GET", "/money-cases?state=explained")["items"]] == []
    by_entry = {"state": "resolved", "reason": "booked", "entry_id": "correction-c-3"}
    assert admin.refused("POST", path, by_entry) == (404, "entry_unknown")
    assert admin.refused("POST", path, {"state": "resolved", "reason": "booked"}) == (400, "entry_missing")
    form = {"corrects": ONE, "postings": [side("expense", "a", 5), side("budget", "b", -5)], "reason": "booked"}
    admin.ok("POST", "/corrections/c-3", form)
    admin.second().ok("POST", "/corrections/c-3/approve", form)
    assert admin.ok("POST", path, by_entry)["state"] == "resolved"
    assert len(admin.ok("GET", path)["steps"]) == 3
    assert admin.refused("GET", "/money-cases/nothing") == (404, "case_unknown")
