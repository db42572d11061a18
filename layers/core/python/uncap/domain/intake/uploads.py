"""An uploaded file's life: announced, uploaded, started, worked on in slices, done or failed. Values and moves only.

Stored in Flow as `upload#{id}` / `meta` (docs/adr/0011). The console creates and starts uploads, the job moves them
on; every write is conditional on `version`, so two of either cannot undo each other.
"""

import hashlib

import msgspec

from uncap.domain.codes import crockford
from uncap.domain.errors import ConflictError
from uncap.domain.intake.faults import RowFault

ID_LENGTH = 26
KEPT_FAULTS = 1_000
"""Faults kept word for word per run; the counts by reason are exact whatever their number."""

AREAS = {
    "association": "batches",
    "epcis": "epcis",
    "shipments": "shipments",
    "receipts": "shipments",
    "returns": "shipments",
}
"""Kind of file → the area of the console whose `write` it takes, besides that on uploads."""


class Upload(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file and how far it is. `sha256` is hex; `form` auto | csv | parquet | epcis; `gtin` for bare serials.

    `place` is the kind's own mark of what has been done durably; `counts` by reason, `result` the kind's figures.
    """

    upload_id: str
    kind: str
    sha256: str
    size: int
    name: str
    mode: str  # rollback | proceed
    by: str
    role: str
    created_at_ms: int
    form: str = "auto"
    gtin: str = ""
    state: str = "waiting"  # waiting | queued | running | done | failed
    run: int = 1
    place: str = ""
    permille: int = 0
    rows_done: int = 0
    counts: dict[str, int] = {}
    result: dict[str, int] = {}
    kept: int = 0
    reason: RowFault | None = None  # why the file as a whole failed
    started_at_ms: int = 0
    touched_at_ms: int = 0
    finished_at_ms: int = 0
    lease_until_ms: int = 0
    version: int = 1

    @property
    def is_over(self) -> bool:
        """Nobody works on it any more."""
        return self.state in ("done", "failed")

    @property
    def key(self) -> str:
        """Where its bytes lie in the bucket."""
        return f"uploads/{self.upload_id}"


def upload_id(kind: str, sha256: str) -> str:
    """The same bytes for the same purpose are the same upload: 130 bits of SHA-256 over kind and hash, in base32."""
    return crockford.digest(hashlib.sha256(f"{kind}|{sha256}".encode()).digest(), ID_LENGTH)


def announced_again(stored: Upload, asked: Upload) -> Upload:
    """What becomes of a file that is announced a second time: as it is, or a new run if the one before failed.

    Raises ConflictError (`upload_running`) where another mode is asked for while it is being worked on.
    """
    if stored.state == "failed" or (stored.state == "waiting" and _differs(stored, asked)):
        run = stored.run + (stored.state == "failed")
        return msgspec.structs.replace(asked, run=run, version=stored.version + 1)
    if not stored.is_over and _differs(stored, asked):
        raise ConflictError("upload_running", "this file is being worked on in another mode", where=stored.upload_id)
    return stored


def started(stored: Upload, now_ms: int) -> Upload:
    """The upload on its way; an upload that is under way or done stays as it is."""
    if stored.state != "waiting":
        return stored
    return msgspec.structs.replace(
        stored, state="queued", started_at_ms=now_ms, touched_at_ms=now_ms, version=stored.version + 1
    )


def leased(stored: Upload, now_ms: int, until_ms: int) -> Upload | None:
    """The upload in the hands of one worker until `until_ms`; None if there is nothing to do or another has it."""
    if stored.state not in ("queued", "running") or stored.lease_until_ms > now_ms:
        return None
    return msgspec.structs.replace(
        stored, state="running", lease_until_ms=until_ms, touched_at_ms=now_ms, version=stored.version + 1
    )


def finished(stored: Upload, state: str, now_ms: int, reason: RowFault | None = None) -> Upload:
    """Over, as `done` or `failed`."""
    return msgspec.structs.replace(
        stored,
        state=state,
        reason=reason,
        lease_until_ms=0,
        touched_at_ms=now_ms,
        finished_at_ms=now_ms,
        permille=1000 if state == "done" else stored.permille,
        version=stored.version + 1,
    )


def _differs(stored: Upload, asked: Upload) -> bool:
    return (stored.mode, stored.form, stored.gtin) != (asked.mode, asked.form, asked.gtin)
