"""The association's store in a dictionary, with DynamoDB's conditions; and one that dies at a chosen write."""

from collections.abc import Iterable, Iterator, Sequence

from uncap.domain.association.store import Cell
from uncap.domain.errors import ConflictError


class KilledError(BaseException):
    """kill -9: nothing in between may catch it."""


class MemoryCells:
    """`CellStore`. `die_at`: how many more single writes happen before the process is gone."""

    def __init__(self) -> None:
        self.cells: dict[tuple[str, str], Cell] = {}
        self.writes = 0
        self.reads = 0
        self.read_bytes = 0
        self.die_at: int | None = None

    def get(self, pk: str, sk: str) -> Cell | None:
        self.reads += 1
        return self.cells.get((pk, sk))

    def query(self, pk: str, low: str, high: str, *, consistent: bool = True) -> Iterator[Cell]:
        self.reads += 1
        found = sorted(sk for one, sk in self.cells if one == pk and low <= sk <= high)
        for sk in found:
            self.read_bytes += self.cells[pk, sk].size
            yield self.cells[pk, sk]

    def save(self, cells: Sequence[Cell], conflict: str) -> None:
        for cell in cells:
            stored = self.cells.get((cell.pk, cell.sk))
            if (stored.v if stored else 0) != cell.v - 1:
                raise ConflictError(conflict, "the item is not in the state this write expects")
        self._count()
        for cell in cells:
            self.cells[cell.pk, cell.sk] = cell

    def put_all(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            stored = self.cells.get((cell.pk, cell.sk))
            if stored is not None and stored.v > cell.v:
                raise ConflictError("file_moved", "a later generation has written here")
            self._count()
            self.cells[cell.pk, cell.sk] = cell

    def remove_all(self, keys: Iterable[tuple[str, str]], v: int) -> None:
        for key in keys:
            stored = self.cells.get(key)
            if stored is not None and stored.v > v:
                raise ConflictError("file_moved", "a later generation has written here")
            self._count()
            self.cells.pop(key, None)

    def _count(self) -> None:
        self.writes += 1
        if self.die_at is not None and self.writes > self.die_at:
            raise KilledError
