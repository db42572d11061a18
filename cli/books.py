"""`uncap books`: the month's end. Trial balance, a party's statement, withheld tax, the month's entries as files.

For people on duty (docs/operations.md). Reads the reconcile job's settings (`uncap env reconcile_job`); walks the
Ledger table, except for a statement.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.books_export import check_exports, export_month
from uncap.adapters.account_books import AccountBooks
from uncap.adapters.journal_scan import every_entry, every_reward
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.models import LedgerItem, open_tables
from uncap.adapters.tax_payments import TaxPayments
from uncap.domain.books.journal import filing_csv, withheld
from uncap.domain.books.taxes import paid_in_full
from uncap.domain.errors import ConflictError, UncapError
from uncap.domain.rewards.accruing import checked_month, month_start_ms, next_month
from uncap.runtime.clock import clock_ms
from uncap.runtime.settings import RelaySettings, read
from uncap.services.list_entries import MAX_PAGE
from uncap.services.read_statement import StatementQuery, read_statement, statement_csv
from uncap.services.trial_balance import trial_balance

app = typer.Typer(help="The books: trial balance, statements, tax, the month's end.", no_args_is_help=True)
Month = Annotated[str, typer.Option(help="The month, yyyy-mm, Beijing time.")]
ResultT = TypeVar("ResultT")


@app.command("trial-balance")
def show_trial_balance() -> None:
    """The sum of every account; fails if a currency does not come to zero or a budget is overdrawn."""
    balance = _done(lambda: trial_balance(DynamoLedger()))
    for name, amount in sorted(balance.accounts.items()):
        typer.echo(f"{amount:>20} {name}")
    for unit, amount in sorted(balance.totals.items()):
        typer.echo(f"{amount:>20} all {unit}, {balance.entries} entries")
    if not balance.is_balanced or balance.overdrawn():
        typer.echo(f"the books are wrong: {balance.totals} {balance.overdrawn()}", err=True)
        raise typer.Exit(1)


@app.command()
def statement(
    party: Annotated[str, typer.Argument(help="The party's id.")],
    month: Annotated[str, typer.Option(help="yyyy-mm; this month if none is given.")] = "",
    currency: Annotated[str, typer.Option(help="The account's currency.")] = "CNY",
) -> None:
    """A party's account in a month, as CSV."""

    def whole() -> str:
        books, cursor = AccountBooks(), ""
        found = read_statement(books, party, StatementQuery(MAX_PAGE, cursor, month, currency), clock_ms())
        entries, cursor = list(found.entries), found.next
        while cursor:
            page = read_statement(books, party, StatementQuery(MAX_PAGE, cursor, found.month, currency), clock_ms())
            entries, cursor = entries + page.entries, page.next
        return statement_csv(msgspec.structs.replace(found, entries=entries))

    typer.echo(_done(whole), nl=False)


@app.command()
def tax(month: Month) -> None:
    """What was withheld per person in a month: the filing's table, persons by key, as CSV; paid months are marked."""

    def filed() -> str:
        people = withheld(every_reward(), checked_month(month))
        return filing_csv(people, paid_in_full(people, lambda currency: TaxPayments().month(month, currency)))

    typer.echo(_done(filed), nl=False)


@app.command()
def export(
    month: Month, out: Annotated[Path, typer.Option(help="Where the closed months are kept; one folder each.")]
) -> None:
    """Close a month: its entries as CSV and Parquet with running totals, and a manifest that seals them."""

    def closed() -> str:
        start_ms, end_ms = month_start_ms(checked_month(month)), month_start_ms(next_month(month))
        if clock_ms() < end_ms:
            raise ConflictError("month_not_over", f"{month} is exported once it is over")
        made = export_month(every_entry(), month, start_ms, out)
        totals = ", ".join(f"{amount} {unit}" for unit, amount in made.debit_minor.items())
        return f"{made.entries} entries, {made.late} of them late, debits = credits = {totals or 0}: {out / month}"

    typer.echo(_done(closed))


@app.command()
def verify(out: Annotated[Path, typer.Argument(help="Where the closed months are kept.")]) -> None:
    """Check the closed months' files against their manifests, and the manifests against each other."""
    wrong = check_exports(out)
    for line in wrong:
        typer.echo(line, err=True)
    if wrong:
        raise typer.Exit(1)
    typer.echo("as they were closed")


def _done(act: Callable[[], ResultT]) -> ResultT:
    try:
        open_tables({LedgerItem: read(RelaySettings).ledger_table})
        return act()
    except msgspec.ValidationError as error:
        typer.echo(f'not begun: {error}; set by eval "$(uncap env reconcile_job --stage STAGE)"', err=True)
        raise typer.Exit(1) from error
    except (UncapError, BotoCoreError, ClientError) as error:
        typer.echo(f"not done: {error}", err=True)
        raise typer.Exit(1) from error
