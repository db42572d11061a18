"""One stream record that nobody foresaw must not stop the others: the batch is halved until it stands alone.

Used by reward_relay and scan_projector. Streams repeat a failed batch whole, and the local stack knows neither partial
responses nor bisection; so it is done here, the same everywhere. Work that is repeated must change nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from uncap.domain.errors import TransientError, UncapError

Record = Mapping[str, Any]
ResultT = TypeVar("ResultT")
ALONE_FOR_MS = 900_000
"""A record that came alone is given this long to be the fault of something else."""


class Unforeseen(NamedTuple):
    """A record that cannot be worked on, and how that showed: the kind of error and where, never what it says."""

    record: Record
    reason: str
    detail: str


def isolate(
    records: Sequence[Record], work: Callable[[Sequence[Record]], ResultT], now_ms: int
) -> tuple[list[ResultT], list[Unforeseen]]:
    """What the work on the parts gave, and the records that are to be parked.

    TransientError is raised at once: the stream repeats the batch. So is an error that all records of a batch share,
    which then is not theirs; a batch of one is believed to be its record's fault once that is ALONE_FOR_MS old.
    """
    results: list[ResultT] = []
    failed: list[tuple[Record, Exception]] = []
    for found in _halved(records, work):
        if isinstance(found, _Failure):
            failed.append((found.record, found.cause))
        else:
            results.append(found.value)
    young = len(records) == 1 and now_ms - _created_ms(records[0]) < ALONE_FOR_MS
    if failed and not results and (len(records) > 1 or young):
        raise failed[0][1]
    return results, [
        Unforeseen(record, f"unforeseen_{type(cause).__name__}", _place(cause)) for record, cause in failed
    ]


class _Failure(NamedTuple):
    record: Record
    cause: Exception


class _Done(NamedTuple):
    value: Any


def _halved(records: Sequence[Record], work: Callable[[Sequence[Record]], Any]) -> Iterator[_Done | _Failure]:
    try:
        done = _Done(work(records))
    except TransientError:
        raise
    except Exception as cause:  # noqa: BLE001  # the boundary: whatever else it is, it is this record's until proven
        if len(records) == 1:
            yield _Failure(records[0], cause)
            return
    else:
        yield done
        return
    middle = len(records) // 2
    yield from _halved(records[:middle], work)
    yield from _halved(records[middle:], work)


def _reason(cause: Exception) -> str:
    return cause.code if isinstance(cause, UncapError) else f"unforeseen_{type(cause).__name__}"


def _created_ms(record: Record) -> int:
    body = record.get("dynamodb")
    at_s = body.get("ApproximateCreationDateTime") if isinstance(body, Mapping) else None
    return int(at_s * 1000) if isinstance(at_s, int | float) else 0


def _place(cause: Exception) -> str:
    trace = cause.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    code = trace.tb_frame.f_code
    return f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}"
