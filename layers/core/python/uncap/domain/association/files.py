"""An association file's life and report: what is stored about it, what people read. Pure, without numpy.

running → visible, or failed (rollback mode, something was wrong), or given_up; a job that stood still too long and
whose batch another file needed is interrupted, and begins anew when it comes back. See `services/associate_units.py`.
"""

import hashlib

import msgspec

from uncap.domain.association.ports import UnitRef
from uncap.domain.codes import crockford

ID_LENGTH = 26
KEPT_ISSUES = 1_000
"""Issues kept word for word per file; the counts by reason are exact whatever their number."""

ERRORS = frozenset(
    {
        "code_malformed",  # not a link, serial or SSCC of ours
        "check_digit",  # a GTIN's or SSCC's check digit
        "code_not_issued",  # nobody issued it: forged, unknown product or batch, beyond its size
        "gtin_missing",  # a bare serial, and the file does not say which product
        "other_product",  # this product is not packed in that
        "contradiction",  # packed in something else already, and not taken out in between
        "case_overfull",  # more children than the parent holds
        "not_packed",  # taken out of something it is not in
        "time_invalid",  # before 2000, or more than a day ahead of the clock
    }
)
"""Reasons for which a row is not applied; in rollback mode one of them fails the file."""

NOTES = frozenset({"repeat", "case_short"})
"""What real lines do and the report mentions: the same row again; a case that closed with fewer than it holds."""


class Issue(msgspec.Struct, frozen=True, omit_defaults=True):
    """One row's trouble. Never holds a printed code. Lines are those of `Rows.line`, 0 where a line makes no sense.

    For a contradiction `other` is what the child is in instead, `other_file` and `other_lines` (first, last) say where
    that was stated: the exact line twice, or the lines of the stored block it is in; `other_file` is "" for this file,
    an exception's id for what was changed by hand. For an over-full case `other_file` is who last put something into
    it before this file, if anybody did, `count` how many had been put in.
    """

    line: int
    reason: str
    child: UnitRef | None = None
    parent: UnitRef | None = None
    other: UnitRef | None = None
    other_file: str = ""
    other_lines: tuple[int, int] = (0, 0)
    count: int = 0  # case_short: how many are packed in it; case_overfull: how many others put in


class RunNotes(msgspec.Struct, frozen=True, omit_defaults=True):
    """Item `issues#{run}` of a file: issues that are kept, and the first lines of parents that are short so far."""

    issues: tuple[Issue, ...] = ()
    first_lines: dict[int, int] = {}


class FormCost(msgspec.Struct, frozen=True, omit_defaults=True):
    """What storing took: items written, their bytes, DynamoDB write units; by form of storage."""

    units: int = 0  # children placed
    items: int = 0
    bytes: int = 0
    write_units: int = 0

    def plus(self, other: "FormCost") -> "FormCost":
        """Both together."""
        return FormCost(
            self.units + other.units,
            self.items + other.items,
            self.bytes + other.bytes,
            self.write_units + other.write_units,
        )


class FileStart(msgspec.Struct, frozen=True):
    """What is known before the first row. `mode`: rollback | proceed."""

    sha256: str
    mode: str
    name: str = ""
    by: str = ""

    @property
    def file_id(self) -> str:
        """The first 130 bits of the hash, in Crockford base32."""
        return crockford.digest(bytes.fromhex(self.sha256), ID_LENGTH)


class FileRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """Item `meta` of a file: where its job stands, and its report. `version` is the item's."""

    file_id: str
    sha256: str
    mode: str
    accepted_at_ms: int
    touched_at_ms: int
    name: str = ""
    by: str = ""
    state: str = "running"  # running | visible | failed | interrupted | given_up
    generation: int = 1
    rows_done: int = 0  # rows that need not be fed again
    mark: str = ""  # the feeder's own position after those rows
    runs: int = 0
    batches: tuple[int, ...] = ()  # child batches it holds
    adds: tuple[int, ...] = ()  # those of them it packs, rather than only takes out
    against: dict[str, int] = {}  # by id: files and changes by hand it contradicts, or over-fills a case together with
    added: int = 0
    deleted: int = 0
    counts: dict[str, int] = {}  # by reason
    cost: dict[str, FormCost] = {}  # by form: algebraic | blocks | exceptions | records
    kept: int = 0
    finished_at_ms: int = 0
    version: int = 1

    @property
    def sound(self) -> bool:
        """No row so far had to be refused."""
        return not any(self.counts.get(reason) for reason in ERRORS)

    @property
    def total(self) -> FormCost:
        """Everything stored for it."""
        total = FormCost()
        for one in self.cost.values():
            total = total.plus(one)
        return total


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """Item `head` of a batch that a file or a hand has spoken of. `lease`: the file that is being applied to it.

    `visible`: some file says what it is packed in; `changes`: how many times hands changed it.
    """

    lease: str = ""
    visible: bool = False
    changes: int = 0
    version: int = 1


class Fill(msgspec.Struct, frozen=True):
    """Item `fill` of a batch of packs: its version moves whenever something becomes visible that packs into it."""

    version: int = 0


def sha256_of(data: bytes) -> str:
    """For callers that hold the whole file; intake hashes as it reads."""
    return hashlib.sha256(data).hexdigest()
