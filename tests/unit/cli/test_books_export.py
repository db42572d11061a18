"""A month's books as files: each entry in one month, whatever comes late; sealed, chained, and told when changed."""

import csv
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.books_export import Manifest, check_exports, export_month
from tests.kits.account_kit import DAY, FIRST, accrual
from tests.unit.domain.rewards.rewards import reward
from uncap.domain import ledger
from uncap.domain.books.journal import Booked, filing_csv, of_entry, of_reward, withheld, yuan
from uncap.domain.books.taxes import TaxMonth, TaxPayment, paid_in_full
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import JournalEntry, Posting, balances
from uncap.domain.rewards.accruing import month_start_ms
from uncap.domain.rewards.reward import State

MONTHS = ("2026-09", "2026-10", "2026-11")


def entry(number: int, at_ms: int, amount: int) -> Booked:
    postings = ledger.moved(f"expense:c{number % 3}:CNY", "budget:r:CNY", amount)
    return of_entry(JournalEntry(f"e-{number}", "reserve", at_ms, postings))


def close(entries: list[Booked], month: str, out: Path) -> Manifest:
    return export_month(entries, month, month_start_ms(month), out)


def test_a_month_is_sealed_with_running_totals(tmp_path: Path) -> None:
    entries = [entry(2, FIRST + DAY, 30), entry(1, FIRST, 12), entry(3, month_start_ms("2026-10"), 99)]
    made = close(entries, "2026-09", tmp_path)
    assert (made.entries, made.lines, made.debit_minor, made.late) == (2, 4, {"CNY": 42}, 0)
    with (tmp_path / "2026-09/entries.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["entry_id"], row["running_debit_minor"]) for row in rows] == [
        ("e-1", "12"),
        ("e-1", "12"),
        ("e-2", "42"),
        ("e-2", "42"),
    ]
    table = pq.read_table(tmp_path / "2026-09/entries.parquet")
    assert table.column("amount_minor").to_pylist() == [12, -12, 30, -30]
    assert check_exports(tmp_path) == []


def test_a_closed_month_stays_closed(tmp_path: Path) -> None:
    entries = [entry(1, FIRST, 12)]
    close(entries, "2026-09", tmp_path)
    with pytest.raises(ConflictError, match="month_closed"):
        close(entries, "2026-09", tmp_path)
    with pytest.raises(ConflictError, match="month_out_of_order"):
        close(entries, "2026-08", tmp_path)
    late = close([*entries, entry(2, FIRST, 7)], "2026-10", tmp_path)
    assert (late.entries, late.late, late.debit_minor) == (1, 1, {"CNY": 7})


def test_what_was_changed_afterwards_is_told(tmp_path: Path) -> None:
    close([entry(1, FIRST, 12)], "2026-09", tmp_path)
    close([entry(1, FIRST, 12), entry(2, FIRST, 1)], "2026-10", tmp_path)
    path = tmp_path / "2026-09/entries.csv"
    path.write_text(path.read_text().replace("12", "13"))
    assert check_exports(tmp_path) == ["2026-09/entries.csv has changed"]
    manifest = tmp_path / "2026-09/manifest.json"
    manifest.write_text(manifest.read_text().replace('"late": 0', '"late": 1'))
    assert check_exports(tmp_path)[-1] == "2026-10 does not follow the month before it"


def test_an_export_that_died_before_its_manifest_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "2026-09").mkdir()
    (tmp_path / "2026-09/entries.csv").write_text("half a li")
    assert close([entry(1, FIRST, 12)], "2026-09", tmp_path).entries == 1


def test_an_entry_that_does_not_balance_closes_nothing(tmp_path: Path) -> None:
    wrong = Booked("e", "reserve", FIRST, (Posting("expense:c:CNY", 1),))
    with pytest.raises(ConflictError, match="entry_unbalanced"):
        close([wrong], "2026-09", tmp_path)
    assert not (tmp_path / "2026-09/manifest.json").exists()


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 999), st.integers(0, 2)), max_size=25))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_entry_is_in_one_month(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, int, int]]
) -> None:
    """`seen`: by which of the three exports the entry is in the table."""
    out = tmp_path_factory.mktemp("books")
    entries = [(entry(number, FIRST + day * DAY, amount), seen) for number, (day, amount, seen) in enumerate(drawn)]
    made = [close([one for one, seen in entries if seen <= at], month, out) for at, month in enumerate(MONTHS)]
    dated = [one for one, _ in entries if one.at_ms < month_start_ms("2026-12")]
    assert sum(one.entries for one in made) == len(dated)
    sums: dict[str, int] = {}
    for one in made:
        for name, amount in one.accounts.items():
            sums[name] = sums.get(name, 0) + amount
    assert sums == balances(one.postings for one in dated)
    assert check_exports(out) == []


def test_a_reward_is_two_entries_and_a_release_is_dated_no_earlier_than_it_was() -> None:
    one = accrual(1, 100, FIRST)
    assert [booked.kind for booked in of_reward(one)] == ["grant", "settle"]
    gone = reward(
        state=State.RELEASED,
        reason="deadline_passed",
        granted=ledger.granted("r", "consumer", "CNY", 188),
        settled=ledger.released("consumer", "spring", "CNY", 188),
    )
    assert [booked.at_ms for booked in of_reward(gone)] == [gone.claimed_at_ms, gone.claimable_until_ms]
    refused = msgspec.structs.replace(gone, reason="abuse")
    assert [booked.at_ms for booked in of_reward(refused)][1] == refused.claimed_at_ms


def test_tax_is_summed_per_person_and_not_rounded_again() -> None:
    taxed = [accrual(number, 10_003, FIRST + number, party="p_1", withheld_minor=2_001) for number in range(3)]
    others = [accrual(9, 500, FIRST, party="p_2"), accrual(8, 100, FIRST - DAY, party="p_1", withheld_minor=20)]
    (person,) = withheld([*taxed, *others], "2026-09")
    assert (person.person, person.income_minor, person.tax_minor, person.rewards) == ("p_1", 30_009, 6_003, 3)
    head, line = filing_csv([person]).splitlines()
    assert head.startswith("工号,姓名,证件类型,证件号码,所得项目,收入")
    assert head.endswith("币种,笔数,缴款日期,完税凭证")
    assert line == "p_1,,,,偶然所得,300.09,0.00,300.09,20%,60.03,60.03,CNY,3,,"
    paid = paid_in_full(
        [person], lambda _: TaxMonth("2026-09", "CNY", (TaxPayment("r-1", "2026-10-14", 6_003, 1, ("ann",)),))
    )
    assert filing_csv([person], paid).splitlines()[1].endswith("CNY,3,2026-10-14,r-1")
    part = TaxMonth("2026-09", "CNY", (TaxPayment("r-1", "2026-10-14", 6_002, 1, ("ann",)),))
    assert paid_in_full([person], lambda _: part) == {}, "a part of it marks nothing"


def test_money_is_written_without_floats() -> None:
    assert [yuan(one) for one in (0, 5, 100, -5, 123_456)] == ["0.00", "0.05", "1.00", "-0.05", "1234.56"]
