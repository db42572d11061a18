"""Where a parent's children may be: for each stored item of a run, the range of parents in it. Pure.

The way back from a case to its bottles costs a few bytes per item instead of a row per child (docs/adr/0010).
"""

import msgspec

from uncap.domain.association.columns import read_column, unpacked

WHOLE_PART = -1
NO_PARENT = -1
"""Parent batch of an item that puts nothing into anything: its things were only taken out."""
_COLUMNS = 5


class Zone(msgspec.Struct, frozen=True, order=True):
    """One item: partition and block of the child batch (`WHOLE_PART`: algebraic), least and greatest parent in it."""

    part: int
    block: int
    parent_batch: int
    low: int
    high: int


class RunDoc(msgspec.Struct, frozen=True):
    """The `doc` of a `z#` item: how many zones its body holds, the ends of their parents by parent batch."""

    zones: int
    parents: dict[int, tuple[int, int]]

    def may_hold(self, parent_batch: int, parent: int) -> bool:
        """Whether the body is worth unpacking."""
        low, high = self.parents.get(parent_batch, (0, -1))
        return low <= parent <= high


def summary(zones: list[Zone]) -> RunDoc:
    """The document that goes with these."""
    parents: dict[int, tuple[int, int]] = {}
    for zone in zones:
        low, high = parents.get(zone.parent_batch, (zone.low, zone.high))
        parents[zone.parent_batch] = min(low, zone.low), max(high, zone.high)
    return RunDoc(len(zones), parents)


def read_zones(count: int, body: bytes) -> list[Zone]:
    """The zones of one `z#` item. Raises ValueError if the body is not one."""
    data, at, columns = unpacked(body), 0, []
    for _ in range(_COLUMNS):
        values, at = read_column(data, at, count)
        columns.append(values)
    return [Zone(*row) for row in zip(*columns, strict=True)]
