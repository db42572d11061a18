"""Faults on demand: armed over `/_sim/faults`, taken by the API and the machine. Seeded, and kept in the state file.

A fault applies to the next N matching calls, or to each with a probability drawn from its seed and a persistent
counter, so that a run repeats exactly.
"""

import random

import msgspec

from dev.rail_simulator.store import Store

REPLY_FAULTS = frozenset(
    {
        "timeout_before_accept",
        "timeout_after_accept",
        "http_500",
        "429",
        "not_enough",
        "system_error",
        "unheard_code",
        "bad_signature",
        "skewed_clock",
        "slow",
    }
)
BILL_FAULTS = frozenset({"final_fail", "processing"})
CALLBACK_FAULTS = frozenset({"duplicate_callback", "drop_callback", "late_callback"})
_OPS = frozenset({"submit", "query", "cancel", "any"})


class FaultOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `/_sim/faults` takes. `on` is for reply faults only, `delay_ms` for slow, time-out and late callback."""

    kind: str
    next: int | None = None
    probability: float | None = None
    seed: int = 0
    on: str = "submit"
    reason: str = "ACCOUNT_FROZEN"
    delay_ms: int = 0

    def problem(self) -> str:
        if self.kind not in REPLY_FAULTS | BILL_FAULTS | CALLBACK_FAULTS:
            return "unknown kind"
        if self.on not in _OPS:
            return "on is submit, query, cancel or any"
        if self.next is not None and self.next < 1:
            return "next is at least 1"
        if self.probability is not None and not 0 <= self.probability <= 1:
            return "probability is between 0 and 1"
        return ""


class Fault(msgspec.Struct, frozen=True):
    """A fault that struck."""

    kind: str
    reason: str
    delay_ms: int


def arm(store: Store, order: FaultOrder) -> None:
    """Arm a fault; without `next` and `probability` it strikes once."""
    remaining = order.next if order.probability is None else None
    if remaining is None and order.probability is None:
        remaining = 1
    store.db.execute(
        "INSERT INTO faults (kind, op, remaining, probability, seed, reason, delay_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (order.kind, order.on, remaining, order.probability, order.seed, order.reason, order.delay_ms),
    )


def armed(store: Store) -> list[dict[str, object]]:
    """What is armed, oldest first."""
    rows = store.db.execute("SELECT kind, op, remaining, probability, drawn, reason FROM faults ORDER BY id").fetchall()
    return [dict(zip(("kind", "on", "remaining", "probability", "drawn", "reason"), row, strict=True)) for row in rows]


def clear(store: Store) -> None:
    store.db.execute("DELETE FROM faults")


def take(store: Store, kinds: frozenset[str], op: str = "any") -> Fault | None:
    """The oldest armed fault of these kinds that strikes now, or None."""
    rows = store.db.execute(
        "SELECT id, kind, op, remaining, probability, seed, drawn, reason, delay_ms FROM faults ORDER BY id"
    ).fetchall()
    for number, kind, on, remaining, probability, seed, drawn, reason, delay_ms in rows:
        if kind not in kinds or (kind in REPLY_FAULTS and on not in {op, "any"}):
            continue
        if probability is not None:
            store.db.execute("UPDATE faults SET drawn = drawn + 1 WHERE id = ?", (number,))
            if random.Random(f"{seed}:{drawn}").random() >= probability:
                continue
        elif remaining == 1:
            store.db.execute("DELETE FROM faults WHERE id = ?", (number,))
        else:
            store.db.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (number,))
        return Fault(kind, reason, delay_ms)
    return None
