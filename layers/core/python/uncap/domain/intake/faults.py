"""A fault in one row of an uploaded file, told so that a person finds it and no spreadsheet runs it.

Readers (`adapters/intake`) and the services that apply rows make these; the console and `uncap associate` print them.
Words never quote a code: line and field say where it is.
"""

import csv
import io
import re
from collections.abc import Iterable

import msgspec

ECHO_CHARACTERS = 40
CSV_HEAD = ("line", "field", "severity", "reason", "words")
_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters at which Excel, LibreOffice or WPS may take a cell for a formula (OWASP, CSV injection).

Full-width signs count: spreadsheets of the region fold them.
"""
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)


class RowFault(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """`line` is the line of the file, the header being line 1 (Parquet: the row from 1; EPCIS: the event from 1).

    Where it is not `grave` the row was taken, and people may want to look.
    """

    line: int
    code: str
    words: str
    field: str = ""
    grave: bool = True


def starts_formula(text: str) -> bool:
    """Whether a spreadsheet might run this cell; a plain signed number is none."""
    return text.startswith(_TRIGGERS) and not _NUMBER.fullmatch(text)


def echo(text: str, limit: int = ECHO_CHARACTERS) -> str:
    """A short piece of the file as it may be shown: one line, printable, cut at `limit` characters, never a formula."""
    shown = "".join(char if char.isprintable() else "�" for char in text[:limit])
    shown += "…" if len(text) > limit else ""
    return f"'{shown}" if starts_formula(shown) else shown


def faults_csv(faults: Iterable[RowFault]) -> str:
    """The faults as CSV (UTF-8 BOM, CRLF) with every cell safe to open: line, field, severity, reason, words."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(CSV_HEAD)
    for fault in faults:
        severity = "error" if fault.grave else "note"
        writer.writerow((fault.line, _cell(fault.field), severity, _cell(fault.code), _cell(fault.words)))
    return out.getvalue()


def _cell(text: str) -> str:
    flat = "".join(char if char.isprintable() else " " for char in text)
    return f"'{flat}" if starts_formula(flat) else flat
