"""What one relay container remembers of people, cases, outlets, devices and batches, and what it tells the others.

Used by `judge_risk.py`. Windows are lists of short entries ("ms|field|…"); what looks like more than a purchase is
shared and read back in one request (ADR 0026). Entries name their claim, so a repeated one counts once.
"""

from collections import OrderedDict, deque
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Protocol, TypeVar

from uncap.domain.risk import RiskRules
from uncap.domain.scans import CodeRef

DAY_MS = 86_400_000
OWN, FOREIGN, BEYOND = "own", "foreign", "beyond"
"""Where the paper of goods that an outlet opened sent them: to it, to another, to no outlet."""

_SUBJECTS = 50_000
"""Subjects remembered at most of all kinds; the longest unseen goes first."""
_EACH = 256
_KEPT_BATCH = 1_000
_ONE_TABLE_MS = 30 * 60_000
_MANY = 6
"""Caps of one person in a day in one container: at four containers some twenty, a case."""
ValueT = TypeVar("ValueT")


class SharedWindows(Protocol):
    """What containers tell each other; see adapters/risk_wire.py. Raises TransientError."""

    def add(self, key: str, entries: Sequence[str], expires_at_s: int) -> Collection[str]:
        """All entries under the key, these included. Adding one twice adds it once."""
        ...


class Remembered(OrderedDict[str, ValueT]):
    """Values by key; the one set longest ago goes once there are too many."""

    def keep(self, key: str, value: ValueT) -> ValueT:
        """Set it; the value."""
        self[key] = value
        self.move_to_end(key)
        if len(self) > _SUBJECTS:
            self.popitem(last=False)
        return value


class RiskWindows:
    """Not safe to share between threads: the gate holds its lock."""

    def __init__(self, shared: SharedWindows | None) -> None:
        self._shared = shared
        self._entries: Remembered[list[str]] = Remembered()
        self._runs: Remembered[tuple[int, int]] = Remembered()
        self._batches: Remembered[deque[int]] = Remembered()

    def seen(self, kind: str, who: str, entry: str, within_ms: int, rules: RiskRules) -> list[list[str]]:
        """What was seen of a subject around this claim, this claim included, each entry split into its fields."""
        at_ms, key = int(entry.partition("|")[0]), f"risk#{kind}#{who}"
        before = [one for one in self._entries.get(key, ()) if _near(one, at_ms, within_ms)]
        known = [*before, entry] if entry not in before else before
        if self._shared is not None and is_telling(kind, known, rules):
            news = [entry] if is_telling(kind, before, rules) else known
            told = self._shared.add(f"{key}#{at_ms // DAY_MS}", news, at_ms // 1000 + 2 * DAY_MS // 1000)
            known = sorted({*known, *told})
        known = [one for one in known if _near(one, at_ms, within_ms)][-_EACH:]
        return [one.split("|") for one in self._entries.keep(key, known)]

    def run_up_to(self, ref: CodeRef, at_ms: int, within_ms: int) -> int:
        """How many codes in a row, up to this one, were claimed in the order they were printed."""
        when, length = self._runs.get(f"{ref.batch_no}.{ref.index - 1}", (0, 0))
        run = length + 1 if length and 0 <= at_ms - when <= within_ms else 1
        self._runs.keep(f"{ref.batch_no}.{ref.index}", (at_ms, run))
        return run

    def of_batch(self, batch_no: int, at_ms: int, within_ms: int) -> int:
        """Claims of the batch that this container saw within the window. Never shared: a batch has too many."""
        times = self._batches.get(str(batch_no)) or deque(maxlen=_KEPT_BATCH)
        times.append(at_ms)
        while at_ms - times[0] > within_ms:
            times.popleft()
        return len(self._batches.keep(str(batch_no), times))


def is_telling(kind: str, entries: Sequence[str], rules: RiskRules) -> bool:
    """Whether what one container sees is worth a write. Most buyers open what they bought: a few out of one case, and
    out of another one some other day; most shops what they were sent, but for a late paper."""
    if len(entries) < rules.share_from or rules.share_from == 1:
        return rules.share_from == 1
    fields = [one.split("|") for one in entries]
    if kind == "outlet":
        return sum(one[2] != OWN or "1" in one[3:] for one in fields) >= rules.share_from
    if kind != "person":
        return len({one[1] for one in fields}) >= rules.share_from
    if len(fields) >= _MANY or sum(one[3] == "1" for one in fields) >= rules.share_from:
        return True
    times = sorted((int(one[0]), one[2]) for one in fields)
    if any(third[0] - first[0] <= rules.fast_ms for first, third in zip(times, times[2:], strict=False)):
        return True
    return any(later[0] - sooner[0] <= _ONE_TABLE_MS and later[1] != sooner[1] for sooner, later in pairwise(times))


def _near(entry: str, at_ms: int, within_ms: int) -> bool:
    return abs(at_ms - int(entry.partition("|")[0])) <= within_ms
