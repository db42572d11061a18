"""The audit trail of a day, checked link by link. Called by `routes/console/audit.py`."""

from datetime import date, timedelta
from typing import Annotated

import msgspec

from uncap.domain.audit import AuditEntry, AuditHead, ChainCheck, check_chain
from uncap.domain.errors import InputError
from uncap.services.desk import Desk
from uncap.services.list_entries import Count, cursor_of, read_cursor
from uncap.services.read_overview import Day

_LOOK_BACK_DAYS = 14


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
    """One page of a day. Raises InputError (`cursor_malformed`, `day_malformed`)."""
    after = read_cursor(query.cursor, "")
    page = desk.parties.page(f"audit#{query.day}", "", query.count, after)
    entries = page.values(AuditEntry)
    head = desk.writes.head()
    check = check_chain(entries, _hash_before(desk, query.day, after))
    if check.intact:
        broken_at = _beginning_missing(entries, after) or _end_missing(entries, page.after, query.day, head)
        check = ChainCheck(intact=not broken_at, entries=len(entries), broken_at=broken_at)
    return AuditPage(entries, check, head.hash, cursor_of(page.after))


def _hash_before(desk: Desk, day: str, after: str) -> str | None:
    """The hash that the page's first entry must name: of the entry before it, on this day or the last busy one."""
    if after:
        before = desk.parties.value(f"audit#{day}", after, AuditEntry)
        return before.hash if before else None
    for back in range(1, _LOOK_BACK_DAYS + 1):
        earlier = (_date(day) - timedelta(days=back)).isoformat()
        last = desk.parties.page(f"audit#{earlier}", "", 1, newest_first=True).values(AuditEntry)
        if last:
            return last[0].hash
    return None


def _beginning_missing(entries: list[AuditEntry], after: str) -> int:
    """The number of the first entry if it should have a smaller one before it on the page, else 0."""
    expected = int(after) + 1 if after.isdecimal() else 1
    return entries[0].seq if entries and entries[0].seq != expected else 0


def _end_missing(entries: list[AuditEntry], more: str, day: str, head: AuditHead) -> int:
    """The number of the entry that should follow the last one, if the trail's end is on this day and beyond it."""
    last = entries[-1].seq if entries else 0
    return last + 1 if not more and day == head.day and last < head.seq else 0


def _date(day: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError as cause:
        raise InputError("day_malformed", "days are written yyyy-mm-dd", where="day") from cause
