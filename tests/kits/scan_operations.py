"""Generated operations on the Scans table and the limits' counters; all implementations must answer alike."""

import random
from typing import Protocol

import msgspec

from uncap.domain.catalog import Role
from uncap.domain.scans import CodeRef, Mark, ScanImage

Operation = tuple[str, int, int]
NAMES = ("claim", "claim", "observe", "look", "take", "take", "take", "give_back")
_CODES, _COUNTERS, _SLOTS, _EXPIRES_S = 3, 2, 4, 1_900_000_000


class Scans(Protocol):
    def claim(self, ref: CodeRef, mark: Mark) -> ScanImage: ...

    def observe(self, ref: CodeRef, mark: Mark) -> ScanImage: ...

    def get(self, ref: CodeRef) -> ScanImage | None: ...


class Limits(Protocol):
    def take(self, counter: str, slot: str, limit: int, expires_at_s: int) -> bool: ...

    def give_back(self, counter: str, slot: str) -> None: ...


def operations(seed: int, count: int) -> list[Operation]:
    """`count` operations, decided by the seed."""
    rng = random.Random(seed)
    return [(rng.choice(NAMES), rng.randrange(1_000), rng.randrange(1_000)) for _ in range(count)]


def play(scans: Scans, limits: Limits, asked: list[Operation], batch_no: int) -> list[str]:
    """What each operation answered. `batch_no` keeps players in one table apart."""
    return [
        f"{name} {which} {number} → {_one(scans, limits, name, which, number, batch_no)}"
        for name, which, number in asked
    ]


def _one(scans: Scans, limits: Limits, name: str, which: int, number: int, batch_no: int) -> str:
    ref = CodeRef(batch_no, which % _CODES, Role.CAP_INNER)
    counter, slot = f"{batch_no}-p{which % _COUNTERS}", f"slot{number % _SLOTS}"
    if name == "look":
        return _text(scans.get(ref))
    if name == "take":
        return str(limits.take(counter, slot, 2, _EXPIRES_S))
    if name == "give_back":
        limits.give_back(counter, slot)
        return "done"
    mark = Mark(f"c{number}", 1_790_000_000_000 + number, name, f"p{number % 3}", "sealed" if name == "claim" else "")
    return _text(scans.claim(ref, mark) if name == "claim" else scans.observe(ref, mark))


def _text(image: ScanImage | None) -> str:
    return msgspec.json.encode(image).decode().split(".", 1)[1] if image else "none"
