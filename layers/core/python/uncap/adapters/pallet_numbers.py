"""Which batch an SSCC belongs to: one Catalog item per run of pallets, none per pallet. Used by the console's services.

`sscc` / `run#{first body:017d}` is a PalletRun; `sscc` / `guard` is raised by every allocation, so that two can never
take the same numbers. One read leads from an SSCC to its run: runs are disjoint and their key is where they begin.
"""

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.adapters.documents import DocumentTable
from uncap.domain.association.ports import UnitRef
from uncap.domain.codes.sscc import BODY_DIGITS, body_of

_PK, _RUN, _GUARD = "sscc", "run#", "guard"
GUARD_MOVED = "sscc_guard_moved"


class PalletRun(msgspec.Struct, frozen=True):
    """Pallets 0..size of a batch carry the SSCCs with bodies from `first_body` on."""

    batch_no: int
    first_body: int
    size: int

    @property
    def stop_body(self) -> int:
        """One past the last body."""
        return self.first_body + self.size


class PalletNumbers:
    """The registry, strongly consistent. Raises TransientError."""

    def __init__(self, catalog: DocumentTable) -> None:
        self._catalog = catalog

    def find(self, sscc: str) -> UnitRef | None:
        """The pallet that carries this SSCC; None if it is not ours. Raises InputError (`sscc_…`)."""
        body = body_of(sscc)
        run = self.last_run(body + 1)
        return UnitRef(run.batch_no, body - run.first_body) if run and body < run.stop_body else None

    def last_run(self, before_body: int) -> PalletRun | None:
        """The last run that begins before this body."""
        after = _key(before_body) if before_body < 10**BODY_DIGITS else f"{_RUN}~"
        found = self._catalog.page(_PK, _RUN, 1, after, newest_first=True).values(PalletRun)
        return found[0] if found else None

    def runs(self) -> list[PalletRun]:
        """Every run in order of its numbers: for files that name many pallets (`codes/sscc_bulk.py` counts in them)."""
        rows = self._catalog.query(_PK)
        return [msgspec.json.decode(doc, type=PalletRun) for sk, doc in rows if sk.startswith(_RUN)]

    def guard(self) -> int:
        """How often numbers have been given out; read it before looking for free ones."""
        return self._catalog.value(_PK, _GUARD, int) or 0

    @staticmethod
    def writes(run: PalletRun, guard: int) -> list[DocWrite]:
        """The run, if nobody was given numbers since `guard` was read (else ConflictError `sscc_guard_moved`)."""
        return [
            DocWrite("catalog", _PK, _GUARD, doc_of(guard + 1), guard + 1, GUARD_MOVED),
            DocWrite("catalog", _PK, _key(run.first_body), doc_of(run), 1, GUARD_MOVED),
        ]


def _key(body: int) -> str:
    return f"{_RUN}{body:0{BODY_DIGITS}d}"
