"""A month's books as files: entries.csv, entries.parquet, manifest.json. Used by `cli/books.py`.

A month is closed by its manifest, which names every file by its SHA-256 and carries the control totals. Later exports
leave out what the closed months have, found by the marks in their Parquet files: whatever comes late is in the next.
"""

import csv
import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from uncap.domain.books.journal import Booked, belongs
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import balanced, currency_of, totals_by_currency

COLUMNS = ("no", "entry_id", "kind", "at_ms", "account", "currency", "amount_minor", "running_debit_minor", "ref")
_WHOLE = ("no", "at_ms", "amount_minor", "running_debit_minor")
_FIELDS = [pa.field(name, pa.int64() if name in _WHOLE else pa.string()) for name in COLUMNS]
_SCHEMA = pa.schema([*_FIELDS, pa.field("mark", pa.binary(8))])
_MANIFEST = "manifest.json"


class Manifest(msgspec.Struct, frozen=True):
    """The month as it was closed. `debit_minor`: by currency, equal to the credits; `accounts`: what each moved by."""

    month: str
    entries: int
    lines: int
    late: int  # entries dated into months that were closed before they were seen
    debit_minor: dict[str, int]
    accounts: dict[str, int]
    files: dict[str, str]
    previous: str = ""  # SHA-256 of the manifest before: the months are a chain


def export_month(entries: Iterable[Booked], month: str, start_ms: int, out: Path) -> Manifest:
    """Write and close the month under `out/month`. ConflictError (`month_closed`, `month_out_of_order`,
    `entry_unbalanced`); nothing is left behind then."""
    earlier = sorted(path.parent.name for path in out.glob(f"*/{_MANIFEST}"))
    if month in earlier:
        raise ConflictError("month_closed", f"{month} was exported; what came later is in the next month")
    if earlier and month < earlier[-1]:
        raise ConflictError("month_out_of_order", f"{earlier[-1]} is closed already", where="month")
    closed = frozenset(mark for one in earlier for mark in _marks(out / one / "entries.parquet"))
    taken = sorted((one for one in entries if belongs(one, month, closed)), key=lambda one: (one.at_ms, one.entry_id))
    rows, debits, accounts = _rows(taken)
    if any(totals_by_currency(accounts).values()):
        raise ConflictError("entry_unbalanced", "the month's entries do not sum to zero")
    folder = out / month
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(folder / "entries.csv", rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), folder / "entries.parquet", compression="zstd")
    manifest = Manifest(
        month=month,
        entries=len(taken),
        lines=len(rows),
        late=sum(one.at_ms < start_ms for one in taken) if earlier else 0,
        debit_minor=debits,
        accounts=accounts,
        files={name: _sha256(folder / name) for name in ("entries.csv", "entries.parquet")},
        previous=_sha256(out / earlier[-1] / _MANIFEST) if earlier else "",
    )
    _close(folder, manifest)
    return manifest


def check_exports(out: Path) -> list[str]:
    """What is wrong with the closed months: a file that is not as it was closed, a broken chain. Empty: nothing."""
    wrong, previous = [], ""
    for path in sorted(out.glob(f"*/{_MANIFEST}")):
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        changed = [name for name, known in manifest.files.items() if _sha256(path.parent / name) != known]
        wrong += [f"{manifest.month}/{name} has changed" for name in changed]
        if manifest.previous != previous:
            wrong.append(f"{manifest.month} does not follow the month before it")
        previous = _sha256(path)
    return wrong


def _rows(taken: Iterable[Booked]) -> tuple[list[dict[str, object]], dict[str, int], dict[str, int]]:
    rows: list[dict[str, object]] = []
    debits: dict[str, int] = {}
    accounts: dict[str, int] = {}
    for one in taken:
        for side in balanced(one.postings):
            unit = currency_of(side.account)
            debits[unit] = debits.get(unit, 0) + max(0, side.amount_minor)
            accounts[side.account] = accounts.get(side.account, 0) + side.amount_minor
            values = (len(rows) + 1, one.entry_id, one.kind, one.at_ms, side.account, unit, side.amount_minor)
            rows.append(dict(zip(COLUMNS, (*values, debits[unit], one.ref), strict=True)) | {"mark": one.mark})
    return rows, dict(sorted(debits.items())), dict(sorted(accounts.items()))


def _write_csv(path: Path, rows: Iterable[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def _close(folder: Path, manifest: Manifest) -> None:
    """The manifest comes last and whole: a month without one is not closed, and is exported again."""
    draft = folder / "manifest.tmp"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    draft.replace(folder / _MANIFEST)


def _marks(path: Path) -> set[bytes]:
    found = pq.read_table(path, columns=["mark"]).column("mark").to_pylist()
    return {mark for mark in found if mark is not None}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
