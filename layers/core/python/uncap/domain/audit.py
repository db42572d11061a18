"""The audit trail's values: one entry per change, each carrying the hash of the one before it.

Written by `adapters/audited_writes.py` in the same transaction as the change; verified by `services/read_audit.py`.
A summary names what changed; it never holds secrets, serials, payees or places.
"""

import hashlib
from collections.abc import Sequence

import msgspec

from uncap.domain.association.ports import UnitSpan

GENESIS = "0" * 64
_SUMMARY_CHARACTERS = 2_000


class AuditDraft(msgspec.Struct, frozen=True):
    """What happened, before it has its place in the chain. `action` is "area.verb", `target` an id.

    `about` names the units it happened to: the act then stands in their history too (`acts_of`).
    """

    who: str
    role: str
    action: str
    target: str
    reason: str = ""
    before: str = ""
    after: str = ""
    about: tuple[UnitSpan, ...] = ()


class AuditEntry(msgspec.Struct, frozen=True):
    """One link: `hash` covers every other field, `previous` is the hash of the entry before, across days."""

    day: str
    seq: int
    at_ms: int
    who: str
    role: str
    action: str
    target: str
    reason: str
    before: str
    after: str
    previous: str
    hash: str = ""


class Act(msgspec.Struct, frozen=True, omit_defaults=True):
    """An audited act as the history of a batch's units keeps it: `spans` are (start, stop) of unit indices.

    `day` and `seq` name its entry in the trail, which is the proof; this is the way to it.
    """

    at_ms: int
    action: str
    who: str
    day: str
    seq: int
    spans: tuple[tuple[int, int], ...]
    reason: str = ""
    before: str = ""
    after: str = ""

    def covers(self, index: int) -> bool:
        """Did it happen to this unit?"""
        return any(start <= index < stop for start, stop in self.spans)


class AuditHead(msgspec.Struct, frozen=True):
    """The end of the chain: where the next entry goes."""

    day: str = ""
    seq: int = 0
    hash: str = GENESIS
    version: int = 0


class ChainCheck(msgspec.Struct, frozen=True):
    """`intact`, or the sequence number of the first entry that does not follow from the one before it."""

    intact: bool
    entries: int
    broken_at: int = 0


def link_entry(head: AuditHead, draft: AuditDraft, day: str, at_ms: int) -> AuditEntry:
    """The draft as the entry that follows `head`. `seq` restarts with each day, the hashes do not.

    A clock behind the head's day keeps the head's day: the chain never runs backwards.
    """
    day = max(day, head.day)
    entry = AuditEntry(
        day=day,
        seq=head.seq + 1 if day == head.day else 1,
        at_ms=at_ms,
        who=draft.who,
        role=draft.role,
        action=draft.action,
        target=draft.target,
        reason=draft.reason,
        before=_short(draft.before),
        after=_short(draft.after),
        previous=head.hash,
    )
    return msgspec.structs.replace(entry, hash=entry_hash(entry))


def acts_of(entry: AuditEntry, about: Sequence[UnitSpan]) -> dict[int, Act]:
    """One act per batch number."""
    spans: dict[int, list[tuple[int, int]]] = {}
    for one in about:
        spans.setdefault(one.batch_no, []).append((one.start, one.stop))
    return {
        batch_no: Act(
            at_ms=entry.at_ms,
            action=entry.action,
            who=entry.who,
            day=entry.day,
            seq=entry.seq,
            spans=tuple(sorted(ranges)),
            reason=entry.reason,
            before=entry.before,
            after=entry.after,
        )
        for batch_no, ranges in sorted(spans.items())
    }


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256 over the entry's JSON with `hash` empty; the fields are encoded in their declared order."""
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(entry, hash=""))).hexdigest()


def check_chain(entries: Sequence[AuditEntry], previous: str | None = None) -> ChainCheck:
    """Do these consecutive entries follow from each other, and from `previous` where it is known?"""
    expected_hash, expected_seq = previous, entries[0].seq if entries else 0
    for entry in entries:
        follows = expected_hash is None or entry.previous == expected_hash
        if not follows or entry.seq != expected_seq or entry_hash(entry) != entry.hash:
            return ChainCheck(intact=False, entries=len(entries), broken_at=entry.seq)
        expected_hash, expected_seq = entry.hash, entry.seq + 1
    return ChainCheck(intact=True, entries=len(entries))


def _short(text: str) -> str:
    return text if len(text) <= _SUMMARY_CHARACTERS else text[: _SUMMARY_CHARACTERS - 1] + "…"
