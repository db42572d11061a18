"""What `uncap associate` prints about an uploaded file, and the exit status that says the same to a script."""

from typing import Any

import msgspec
import typer
from rich.console import Console as Terminal
from rich.markup import escape
from rich.table import Table

from uncap.domain.movements import FINDINGS

_WHOLE, _NOTHING, _PART = 0, 2, 3
_NOTES = frozenset({"repeat", "case_short", "already_recorded"}) | FINDINGS
_SHOWN = 20


def exit_status(report: dict[str, Any]) -> int:
    """0 taken whole, 2 nothing taken, 3 rows left out."""
    if report["state"] != "done":
        return _NOTHING
    return _PART if set(report["counts"]) - _NOTES else _WHOLE


def print_report(report: dict[str, Any], *, as_json: bool) -> None:
    """The report on standard output."""
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
        return
    terminal = Terminal(highlight=False, soft_wrap=True)
    terminal.print(_headline(report), markup=False)
    for name, figure in report["result"].items():
        if figure:
            terminal.print(f"  {name.replace('_', ' ')}: {figure:,}", markup=False)
    if report["counts"]:
        terminal.print(_counts(report["counts"]))
    if report["faults"]:
        terminal.print(_faults(report["faults"]))
    if report["counts"] or report["reason"]:
        terminal.print(f"all of them as CSV: GET /uploads/{report['upload_id']}/errors", markup=False)


def _headline(report: dict[str, Any]) -> str:
    name, rows = report["name"], f"{report['rows_done']:,} rows"
    if report["state"] == "done":
        return f"{name}: {rows} read, taken" + (", rows left out" if exit_status(report) == _PART else "")
    if report["reason"]:
        reason = report["reason"]
        place = f" ({reason['field']})" if reason.get("field") else ""
        return f"{name}: nothing of it was taken: {reason['words']}{place} [{reason['code']}]"
    return f"{name}: {rows} read, nothing of it was taken, because some are wrong (--mode proceed leaves those out)"


def _counts(counts: dict[str, int]) -> Table:
    table = Table("rows", "reason", box=None)
    for reason, count in sorted(counts.items(), key=lambda one: -one[1]):
        table.add_row(f"{count:,}", reason + (" (note)" if reason in _NOTES else ""))
    return table


def _faults(faults: list[dict[str, Any]]) -> Table:
    table = Table("line", "field", "reason", "what", box=None)
    for fault in faults[:_SHOWN]:
        table.add_row(str(fault["line"]), fault.get("field", ""), fault["code"], escape(fault["words"]))
    if len(faults) > _SHOWN:
        table.add_row("…", "", "", f"and more: {len(faults)} of them in the answer")
    return table
