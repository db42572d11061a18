"""Association: printed codes to stored bytes, unit to case to shipment, and what a billion units cost in each form.

The production services over a store in memory; the forms' worst cases are made up here, from a seed.
"""

import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.report import Row, median_seconds, row
from tests.kits.cells import MemoryCells
from uncap.adapters.association import StoredAssociation
from uncap.domain.association.costs import per_billion, row_per_child
from uncap.domain.association.files import FileRecord, FileStart, sha256_of
from uncap.domain.association.ports import UnitRef, UnitSpan, chain_of
from uncap.domain.association.rows import Refs, Rows
from uncap.domain.association.store import BatchFacts
from uncap.domain.catalog import Role
from uncap.domain.codes import bulk, links
from uncap.domain.codes.reading import CodeReader, Codes, ReadCodes
from uncap.domain.codes.scheme import Keyring
from uncap.services.associate_units import open_file

_UNITS, _CASES, _PALLETS, _PACK = 7, 8, 9, 24
_COUNT = 1_000_000
_CHUNK = 1 << 16
_AT_MS = 1_795_300_000_000
_BOTTLE, _CASE = "09520123456788", "19520123456785"
_BASE = "https://v.uncap.cn"
_KEYS = Keyring({1: ("minting", bytes(range(32)))})
_ROLES = {_BOTTLE: (Role.CAP_OUTER, Role.CAP_INNER), _CASE: (Role.CASE_OUTER, Role.CASE_INNER)}
_BUDGET = {"roll": 0.1, "windowed": 0.6, "random": 2.7}
_SHIPMENTS = {pallet: f"shipment-{pallet % 7}" for pallet in range(_COUNT // _PACK)}
"""By pallet; the last step is whoever keeps movements, here a dictionary."""

I64 = npt.NDArray[np.int64]


class _Book:
    def facts(self, batch_no: int) -> BatchFacts | None:
        return {
            _UNITS: BatchFacts(_UNITS, 1 << 28, _BOTTLE, _PACK, _CASE),
            _CASES: BatchFacts(_CASES, 1 << 24, _CASE, 0, level="case"),
            _PALLETS: BatchFacts(_PALLETS, 1 << 20, level="pallet"),
        }.get(batch_no)


class _Nothing:
    def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:  # noqa: ARG002  # the port's
        return None

    def children_of(self, unit: UnitRef, at_ms: int | None = None) -> tuple[UnitSpan, ...]:  # noqa: ARG002
        return ()


@dataclass(frozen=True, slots=True)
class _Line:
    """A file: unit indices in the order the line reported them, their cases, and both as printed links."""

    unit: I64
    case: I64
    unit_codes: Codes
    case_codes: Codes


def association_ingest() -> Iterator[Row]:
    """Rows per second on one core, both codes of a row read; bytes per unit as stored, all items counted."""
    for mode in _BUDGET:
        line = _line(mode)
        spent = median_seconds(functools.partial(_apply, line), rounds=5)
        record, store = _apply(line)
        stored = sum(cell.size for cell in store.cells.values()) / record.added
        peer = row_per_child().bytes / 1e9
        began = time.process_time()
        _apply(line)
        busy = time.process_time() - began
        yield row(
            "association_ingest", len(line.unit) / spent, "rows/s", mode=mode, budget=">= 1e6",
            rows_per_cpu_second=round(len(line.unit) / busy),
            forms=sorted(record.cost), refused=int(not record.sound),
        )  # fmt: skip
        yield row(
            "association_ingest.bytes", stored, "B/unit", peer="row per unit", peer_value=peer, ratio=peer / stored,
            mode=mode, budget=f"<= {_BUDGET[mode]}", items=len(store.cells),
        )  # fmt: skip


def association_lookup() -> Iterator[Row]:
    """Microseconds for unit → case → pallet → shipment, warm; the first touch of a block; a case's bottles."""
    for mode in _BUDGET:
        _, store = _apply(_line(mode, codes=False))
        _palletise(store)
        reader = StoredAssociation(store, _Nothing(), lambda: int(time.time() * 1000), 3_600_000)
        some = [UnitRef(_UNITS, index) for index in range(0, 8 * 4_096, 37)]

        def trace(reader: StoredAssociation = reader, some: list[UnitRef] = some) -> None:
            for unit in some:
                _SHIPMENTS[chain_of(reader, unit)[-1].index]

        def cold(store: MemoryCells = store) -> None:
            StoredAssociation(store, _Nothing(), lambda: 0, 1).parent_of(UnitRef(_UNITS, 123_456))

        warm = median_seconds(trace) / len(some) * 1e6
        yield row("association_lookup", warm, "us", mode=mode, budget="<= 50 us", what="unit to case to shipment")
        yield row("association_lookup.cold", median_seconds(cold) * 1e6, "us", mode=mode, what="without requests")
        before = store.reads, store.read_bytes
        StoredAssociation(store, _Nothing(), lambda: 0, 1).children_of(UnitRef(_CASES, 9_000))
        reads, read = store.reads - before[0], store.read_bytes - before[1]
        yield row("association_lookup.children", read, "bytes read", mode=mode, requests=reads, what="of one case")


def association_cost() -> Iterator[Row]:
    """USD and hours per 10^9 units, from the items and bytes of a measured file × dated prices."""
    peer = row_per_child()
    for mode in _BUDGET:
        record, _ = _apply(_line(mode, codes=False))
        bill = per_billion(record.total)
        yield row(
            "association_cost", bill.usd, "USD/1e9 units", peer="row per unit", peer_value=peer.usd,
            ratio=peer.usd / bill.usd, mode=mode, requests=round(bill.requests), gigabytes=round(bill.bytes / 1e9, 3),
            usd_month=round(bill.usd_month, 4),
        )  # fmt: skip
        yield row(
            "association_cost.hours", bill.hours, "h/1e9 units", peer="row per unit, 40 partitions",
            peer_value=peer.hours, ratio=peer.hours / bill.hours, mode=mode, what="writing into one partition",
        )  # fmt: skip


def _order(mode: str) -> I64:
    """Unit indices as they come to the packer; 1 % are thrown out, which is what roll order has to cope with."""
    rng = np.random.default_rng(5)
    index = np.arange(_COUNT)
    if mode == "roll":
        return index[rng.random(_COUNT) > 0.01]
    if mode == "windowed":
        return np.argsort(index + rng.uniform(0, 200, _COUNT), kind="stable")
    return rng.permutation(_COUNT)


def _line(mode: str, *, codes: bool = True) -> _Line:
    unit = _order(mode)
    case = np.arange(len(unit)) // _PACK
    if not codes:
        return _Line(unit, case, np.zeros(0, "S1"), np.zeros(0, "S1"))
    printed = [
        _printed(_BOTTLE, Role.CAP_OUTER, _UNITS, unit),
        _printed(_CASE, Role.CASE_OUTER, _CASES, np.arange(int(case[-1]) + 1))[case],
    ]
    return _Line(unit, case, *printed)


def _printed(gtin: str, role: Role, batch_no: int, indices: I64) -> Codes:
    prefix = links.code_prefix(_BASE, gtin).encode()
    serials = bulk.serials(_KEYS.key(1, gtin, role), batch_no, indices)
    head = np.broadcast_to(np.frombuffer(prefix, np.uint8), (len(serials), len(prefix)))
    return np.ascontiguousarray(np.concatenate([head, serials], axis=1)).view(f"S{len(prefix) + 17}")[:, 0]


def _apply(line: _Line) -> tuple[FileRecord, MemoryCells]:
    """The whole file: codes read where there are any, rows judged, packed and stored."""
    store, reader = MemoryCells(), CodeReader(_KEYS, lambda gtin: _ROLES.get(gtin, ()))
    start = FileStart(sha256_of(line.unit.tobytes()), "rollback")
    job = open_file(store, _Book(), start, lambda: _AT_MS)
    for at in range(0, len(line.unit), _CHUNK):
        part = slice(at, at + _CHUNK)
        if len(line.unit_codes):
            child, parent = _refs(reader.read(line.unit_codes[part])), _refs(reader.read(line.case_codes[part]))
        else:
            child, parent = _plain(_UNITS, line.unit[part]), _plain(_CASES, line.case[part])
        job.feed(_rows(at, child, parent))
    record = job.finish()
    if record.state != "visible":
        raise RuntimeError(f"the file was refused: {record.counts}")
    return record, store


def _palletise(store: MemoryCells) -> None:
    cases = np.arange(_COUNT // _PACK + 1)
    job = open_file(store, _Book(), FileStart(sha256_of(b"pallets"), "rollback"), lambda: _AT_MS)
    job.feed(_rows(0, _plain(_CASES, cases), _plain(_PALLETS, cases // 40)))
    job.finish()


def _rows(at: int, child: Refs, parent: Refs) -> Rows:
    count = len(child)
    times = np.full(count, _AT_MS)
    return Rows(np.arange(at + 1, at + count + 1), child, parent, np.zeros(count, np.bool_), times)


def _refs(read: ReadCodes) -> Refs:
    return Refs(read.batch_no, read.index, read.fault)


def _plain(batch_no: int, index: I64) -> Refs:
    return Refs(np.full(len(index), batch_no), index, np.zeros(len(index), np.uint8))
