"""The audit trail of a day, checked link by link. Called by `routes/console/audit.py`."""

from typing import Annotated

import msgspec

from uncap.domain.audit import GENESIS, AuditEntry, ChainCheck, check_chain
from uncap.services.desk import Desk
from uncap.services.list_entries import Count, cursor_of, read_cursor
from uncap.services.read_overview import Day


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Entries of a day, oldest first."""

    day: Day
    count: Count = 100
    cursor: Annotated[str, msgspec.Meta(max_length=400)] = ""


class AuditPage(msgspec.Struct, frozen=True):
    """Entries with the result of checking that each follows from the one before, on this page and into it.

    `head` is the hash at the end of the whole trail: noted elsewhere, it shows later that nothing was cut off.
    """

    entries: list[AuditEntry]
    check: ChainCheck
    head: str
    next: str


def read_audit(desk: Desk, query: AuditQuery) -> AuditPage:
    """One page of a day. Raises InputError (`cursor_malformed`)."""
    after = read_cursor(query.cursor, "")
    pk = f"audit#{query.day}"
    page = desk.parties.page(pk, "", query.count, after)
    entries = page.values(AuditEntry)
    previous = desk.parties.value(pk, after, AuditEntry) if after else None
    check = check_chain(entries, previous.hash if previous else None)
    if check.intact and entries and not _begins_well(entries[0], after):
        check = ChainCheck(intact=False, entries=len(entries), broken_at=entries[0].seq)
    head = desk.writes.head()
    last = entries[-1] if entries and not page.after else None
    if check.intact and last and last.day == head.day and last.hash != head.hash and last.seq >= head.seq:
        check = ChainCheck(intact=False, entries=len(entries), broken_at=last.seq)
    return AuditPage(entries, check, head.hash, cursor_of(page.after))


def _begins_well(first: AuditEntry, after: str) -> bool:
    """A day begins with entry 1, a page with the entry after the one before; what comes first of all has no past."""
    expected = int(after) + 1 if after.isdecimal() else 1
    return first.seq == expected and (first.previous != GENESIS or first.seq == 1)
