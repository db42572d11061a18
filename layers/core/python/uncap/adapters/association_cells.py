"""The association's items in the Flow table (`CellStore` on PynamoDB). Every write is conditional; see docs/adr/0010.

Used by the intake job, the console and whoever reads through `adapters/association.py`.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist, PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import FlowItem
from uncap.domain.association.store import Cell
from uncap.domain.errors import ConflictError, TransientError

MAX_CELLS = 90
WORKERS = 16
"""Puts under way at once: a run is some 250 items, and each waits about 5 ms for its answer."""

_WAVE = 512
_ATTEMPTS = 8
_BACKOFF_S, _BACKOFF_CAP_S = 0.05, 3.0
T = TypeVar("T")


class DynamoCells:
    """`CellStore` on the Flow table. `workers` 1 writes one by one, in order (moto is only exact serially).

    A run's items go to one partition, which takes 1,000 write units a second: being throttled is a matter of course,
    and waited for. `sleep` is for tests.
    """

    def __init__(
        self, connection: Connection, workers: int = WORKERS, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._connection = connection
        self._workers = workers
        self._sleep = sleep

    def get(self, pk: str, sk: str) -> Cell | None:
        """See `CellStore`."""
        try:
            with translated():
                return _cell(FlowItem.get(pk, sk, consistent_read=True))
        except DoesNotExist:
            return None

    def query(self, pk: str, low: str, high: str, *, consistent: bool = True) -> Iterator[Cell]:
        """See `CellStore`."""
        with translated():
            for item in FlowItem.query(pk, FlowItem.sk.between(low, high), consistent_read=consistent):
                yield _cell(item)

    def save(self, cells: Sequence[Cell], conflict: str) -> None:
        """See `CellStore`."""
        if len(cells) > MAX_CELLS:
            raise ValueError(f"{len(cells)} cells do not fit one transaction")
        if len(cells) == 1:
            with translated(conflict):
                _item(cells[0]).save(condition=_follows(cells[0].v))
            return
        try:
            with TransactWrite(connection=self._connection) as transaction:
                for cell in cells:
                    transaction.save(_item(cell), condition=_follows(cell.v))
        except TransactWriteError as cause:
            if any(reason and reason.code == "ConditionalCheckFailed" for reason in cause.cancellation_reasons):
                raise ConflictError(conflict, "one of the items is not in the state this expects") from cause
            raise TransientError("table_unavailable", "the table did not take the change") from cause
        except PynamoDBException as cause:
            raise TransientError("table_unavailable", "the table did not take the change") from cause

    def put_all(self, cells: Iterable[Cell]) -> None:
        """See `CellStore`."""
        self._each(_put, cells)

    def remove_all(self, keys: Iterable[tuple[str, str]], v: int) -> None:
        """See `CellStore`."""
        self._each(lambda key: _remove(*key, v), keys)

    def _each(self, work: Callable[[T], None], wanted: Iterable[T]) -> None:
        """In waves, so that neither memory nor the pool's queue grows with the file; the first error ends it."""

        def patiently(one: T) -> None:
            for attempt in range(_ATTEMPTS - 1):
                try:
                    return work(one)
                except TransientError:
                    self._sleep(random.uniform(0.5, 1) * min(_BACKOFF_CAP_S, _BACKOFF_S * 2**attempt))
            return work(one)

        if self._workers == 1:
            for one in wanted:
                patiently(one)
            return
        source = iter(wanted)
        with ThreadPoolExecutor(self._workers) as pool:
            while wave := list(islice(source, _WAVE)):
                list(pool.map(patiently, wave))


def _put(cell: Cell) -> None:
    with translated("file_moved"):
        _item(cell).save(condition=FlowItem.pk.does_not_exist() | (FlowItem.v <= cell.v))


def _remove(pk: str, sk: str, v: int) -> None:
    with translated("file_moved"):
        FlowItem(pk, sk, doc="").delete(condition=FlowItem.pk.does_not_exist() | (FlowItem.v <= v))


def _follows(version: int) -> Condition:
    return FlowItem.pk.does_not_exist() if version == 1 else FlowItem.v == version - 1


def _item(cell: Cell) -> FlowItem:
    return FlowItem(cell.pk, cell.sk, doc=cell.doc, v=cell.v, body=cell.body or None)


def _cell(item: FlowItem) -> Cell:
    return Cell(item.pk, item.sk, item.doc, item.body or b"", item.v or 0)
