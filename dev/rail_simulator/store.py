"""The simulator's memory: one SQLite file that survives restarts and kills. Used by every other module here.

All access is from the server's event loop, so the single connection needs no lock; SQLite's journal makes it durable.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS bills (
  out_bill_no TEXT PRIMARY KEY, transfer_bill_no TEXT UNIQUE NOT NULL, package TEXT UNIQUE NOT NULL,
  fingerprint TEXT NOT NULL, openid TEXT NOT NULL, amount INTEGER NOT NULL, remark TEXT NOT NULL,
  notify_url TEXT NOT NULL, state TEXT NOT NULL, fail_reason TEXT NOT NULL, planned_fail TEXT NOT NULL,
  created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, due_ms INTEGER);
CREATE INDEX IF NOT EXISTS bills_due ON bills (due_ms) WHERE due_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS callbacks (
  id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, url TEXT NOT NULL, resource TEXT NOT NULL,
  created_ms INTEGER NOT NULL, due_ms INTEGER, tries INTEGER NOT NULL DEFAULT 0, last_status INTEGER);
CREATE TABLE IF NOT EXISTS faults (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, op TEXT NOT NULL, remaining INTEGER, probability REAL,
  seed INTEGER NOT NULL, drawn INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL, delay_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS receipts (out_bill_no TEXT PRIMARY KEY, created_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS downloads (token TEXT PRIMARY KEY, body BLOB NOT NULL, created_ms INTEGER NOT NULL);
"""
_BILL_FIELDS = (
    "out_bill_no, transfer_bill_no, package, fingerprint, openid, amount, remark, notify_url, state, fail_reason, "
    "planned_fail, created_ms, updated_ms, due_ms"
)


class Bill(msgspec.Struct, frozen=True):
    """One transfer as the rail holds it; `due_ms` is when it moves on by itself, on the simulator's business clock."""

    out_bill_no: str
    transfer_bill_no: str
    package: str
    fingerprint: str
    openid: str
    amount: int
    remark: str
    notify_url: str
    state: str
    fail_reason: str
    planned_fail: str
    created_ms: int
    updated_ms: int
    due_ms: int | None


class Store:
    """Bills, the merchant's balance, outgoing notices, armed faults."""

    def __init__(self, path: Path, *, balance_minor: int) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)
        self.db.execute("INSERT OR IGNORE INTO meta VALUES ('balance', ?)", (balance_minor,))
        self.db.execute("INSERT OR IGNORE INTO meta VALUES ('clock_offset_ms', 0)")
        self.db.execute("INSERT OR IGNORE INTO meta VALUES ('sequence', 0)")

    def close(self) -> None:
        self.db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, also across a kill."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def meta(self, key: str) -> int:
        (value,) = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return int(value)

    def add_meta(self, key: str, amount: int) -> int:
        self.db.execute("UPDATE meta SET value = value + ? WHERE key = ?", (amount, key))
        return self.meta(key)

    def now_ms(self) -> int:
        """The business clock: real time plus what tests and demos advanced. Signatures never use it."""
        return time.time_ns() // 1_000_000 + self.meta("clock_offset_ms")

    def put(self, bill: Bill) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO bills VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            msgspec.structs.astuple(bill),
        )

    def bill(self, column: str, value: str) -> Bill | None:
        """The bill whose `out_bill_no`, `transfer_bill_no` or `package` is `value`."""
        if column not in {"out_bill_no", "transfer_bill_no", "package"}:
            raise ValueError(column)
        row = self.db.execute(f"SELECT {_BILL_FIELDS} FROM bills WHERE {column} = ?", (value,)).fetchone()  # noqa: S608
        return Bill(*row) if row else None

    def due(self, now_ms: int) -> list[Bill]:
        rows = self.db.execute(f"SELECT {_BILL_FIELDS} FROM bills WHERE due_ms <= ? ORDER BY due_ms", (now_ms,))  # noqa: S608
        return [Bill(*row) for row in rows.fetchall()]

    def successes(self, from_ms: int = 0, to_ms: int = 1 << 62) -> list[Bill]:
        rows = self.db.execute(
            f"SELECT {_BILL_FIELDS} FROM bills WHERE state = 'SUCCESS' AND updated_ms >= ? AND updated_ms < ?"  # noqa: S608
            " ORDER BY updated_ms, out_bill_no",
            (from_ms, to_ms),
        )
        return [Bill(*row) for row in rows.fetchall()]
