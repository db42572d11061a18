"""`uncap move`: a file of shipments, receipts or returns, checked as a whole and recorded paper by paper."""

from typing import Annotated

import typer

from cli.batches import Base, Login, Password
from cli.intake import AsJson, File, Mode, Order, run_order

KINDS = ("shipments", "receipts", "returns")


def move(
    file: File,
    base: Base,
    login: Login,
    password: Password,
    kind: Annotated[str, typer.Option(help="shipments, receipts or returns.")],
    mode: Mode = "rollback",
    gtin: Annotated[str, typer.Option(help="Whose codes serials without a link are.")] = "",
    as_json: AsJson = False,
) -> None:
    """Records the movements in a CSV file (columns and examples: docs/goods.md) and prints a report.

    Exit status as of `uncap associate`: 0 all taken, 2 nothing taken, 3 rows left out, 1 not reached.
    """
    if kind not in KINDS:
        raise typer.BadParameter(f"one of {', '.join(KINDS)}", param_hint="--kind")
    run_order(Order(file, kind, mode, "csv", gtin), base, login, password, as_json=as_json)
