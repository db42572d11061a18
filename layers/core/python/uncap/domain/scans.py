"""The scan as it is recorded: one item per code in the Scans table, written by one unconditional update.

Written by `adapters/scans_wire.py` (scan path), read back from stream images by `reward_relay` and `scan_projector`
and by `reconcile_job`. Attribute names are short because the whole item must stay within one write unit (1 KB).
"""

from typing import Annotated

import msgspec

from uncap.domain.catalog import Role
from uncap.domain.errors import PoisonError

_MAX_VERSION_DIGITS = 9
# Bounds are checked where a mark is decoded: what breaks them is parked before a day or a key is made of it.
_TimeMs = Annotated[int, msgspec.Meta(ge=0, lt=4_102_444_800_000)]
_Id = Annotated[str, msgspec.Meta(max_length=64)]
_Payee = Annotated[str, msgspec.Meta(max_length=512)]
_Metres = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
_Form = Annotated[str, msgspec.Meta(pattern=r"^(claim|observe|tombstone)$(?!\n)")]


class CodeRef(msgspec.Struct, frozen=True, order=True):
    """Names one code without revealing its serial: safe in logs, keys and dead-letter queues."""

    batch_no: int
    index: int
    role: Role

    def key(self) -> str:
        """Partition key in Scans: "batch.index.role". DynamoDB hashes it; neighbours land on different partitions."""
        return f"{self.batch_no}.{self.index}.{int(self.role)}"

    @classmethod
    def from_key(cls, key: str) -> "CodeRef":
        """Inverse of `key`. Raises PoisonError (`scan_key_malformed`)."""
        try:
            batch_no, index, role = (int(part) for part in key.split("."))
            ref = cls(batch_no, index, Role(role))
        except ValueError as cause:
            raise PoisonError("scan_key_malformed", f"not a code key: {key[:40]!r}", where="pk") from cause
        if batch_no < 0 or index < 0 or ref.key() != key:  # `int` also reads "+1", "1_0" and other scripts' digits
            raise PoisonError("scan_key_malformed", f"not a code key: {key[:40]!r}", where="pk")
        return ref


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """One scan. As `first` it is the claim; as `last` it is the latest scan, whoever made it.

    `claim_id` is bound to the person (see services/claim_code.py), so a stranger cannot replay it. `person` is a keyed
    hash. `payee` is the sealed openid, readable by the payout worker only. `cell` is an H3 cell, never coordinates.
    """

    claim_id: _Id = msgspec.field(name="i")
    at_ms: _TimeMs = msgspec.field(name="t")
    form: _Form = msgspec.field(name="w")  # claim | observe | tombstone
    person: _Id = msgspec.field(name="p", default="")
    payee: _Payee = msgspec.field(name="o", default="")
    cell: _Id = msgspec.field(name="c", default="")
    accuracy_m: _Metres = msgspec.field(name="a", default=0)
    outlet: _Id = msgspec.field(name="b", default="")  # the scanning party where it is not a consumer
    intent: _Id = msgspec.field(name="n", default="claim")
    reason: _Id = msgspec.field(name="x", default="")  # why it was only observed, or decommissioned
    release_id: _Id = msgspec.field(name="r", default="")
    campaign: _Id = msgspec.field(name="v", default="")  # "campaign_id@version" that decided this claim
    device: _Id = msgspec.field(name="d", default="")  # of a claim: the session's, cut short (docs/risk.md)

    @property
    def campaign_version(self) -> tuple[str, int]:
        """(campaign id, version). Raises PoisonError (`campaign_malformed`) if the mark does not name them."""
        campaign_id, _, version = self.campaign.rpartition("@")
        digits = version.isascii() and version.isdecimal() and len(version) <= _MAX_VERSION_DIGITS
        if not campaign_id or not digits:
            raise PoisonError("campaign_malformed", "the claim does not name a campaign version", where="campaign")
        return campaign_id, int(version)


class ScanImage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code's item: `first` is absent until someone claims it (or it is decommissioned); `count` counts writes."""

    pk: str
    last: Mark = msgspec.field(name="l")
    count: int = msgspec.field(name="n")
    first: Mark | None = msgspec.field(name="f", default=None)

    @property
    def ref(self) -> CodeRef:
        return CodeRef.from_key(self.pk)


class ScanChange(msgspec.Struct, frozen=True):
    """One stream record: the item before (None if it did not exist) and after the scan."""

    event_id: str
    at_ms: int
    old: ScanImage | None
    new: ScanImage

    @property
    def is_first_claim(self) -> bool:
        """True exactly once in a code's life: the old image lacks `first`, the new one has a person's claim."""
        had = self.old is not None and self.old.first is not None
        return not had and self.new.first is not None and self.new.first.form == "claim"

    @property
    def is_retry(self) -> bool:
        """A client's retry of its own scan is not a new scan.

        It repeats the winning claim, or the scan directly before it. A losing scan retried after someone else's scan
        came between is counted again: the item remembers only the first and the last (tests/unit/domain/test_scans.py).
        """
        if self.old is None:
            return False
        claim_id = self.new.last.claim_id
        first = self.old.first
        return claim_id == self.old.last.claim_id or (first is not None and first.claim_id == claim_id)
