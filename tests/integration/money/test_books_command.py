"""`uncap books` on moto's table: trial balance, statement, tax and the month's files."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli.books
from cli.main import app
from tests.kits.account_kit import FIRST, accrual
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.models import LedgerItem, open_tables
from uncap.domain.ledger import JournalEntry, Posting
from uncap.domain.rewards.accruing import month_start_ms
from uncap.runtime.settings import RelaySettings


@pytest.fixture
def ledger(settings: RelaySettings, monkeypatch: pytest.MonkeyPatch) -> DynamoLedger:
    open_tables({LedgerItem: settings.ledger_table})
    monkeypatch.setattr(cli.books, "read", lambda _: settings)
    monkeypatch.setattr(cli.books, "clock_ms", lambda: month_start_ms("2026-10") + 1)
    store = DynamoLedger()
    store.put_entry(
        JournalEntry("reserve-1", "reserve", FIRST, (Posting("expense:c:CNY", 9), Posting("budget:rel-1:CNY", -9)))
    )
    for number in range(3):
        store.create(accrual(number, 3, FIRST + number))
    return store


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["books", *words])
    return result.exit_code, result.output


def test_the_months_end(ledger: DynamoLedger, tmp_path: Path) -> None:
    code, text = run("trial-balance")
    assert code == 0
    assert "-9 accrual:d-1:CNY" in text
    code, text = run("statement", "d-1", "--month", "2026-09")
    assert (code, text.splitlines()[-1]) == (0, ",closing,2026-09,9,CNY")
    assert run("statement", "nobody")[0] == 1
    assert run("tax", "--month", "2026-09")[0] == 0
    code, text = run("export", "--month", "2026-09", "--out", str(tmp_path))
    assert code == 0, text
    assert text.startswith("7 entries, 0 of them late, debits = credits = 27 CNY")
    assert run("export", "--month", "2026-09", "--out", str(tmp_path))[0] == 1
    assert run("export", "--month", "2026-10", "--out", str(tmp_path))[0] == 1
    assert run("verify", str(tmp_path)) == (0, "as they were closed\n")
    (tmp_path / "2026-09/entries.csv").write_text("")
    assert run("verify", str(tmp_path))[0] == 1


def test_an_overdrawn_budget_fails_the_command(ledger: DynamoLedger) -> None:
    ledger.create(accrual(9, 500, FIRST))
    code, text = run("trial-balance")
    assert code == 1
    assert "the books are wrong" in text
