"""Who has scanned recalled codes: pseudonymous keys with counts, from Scans by range. Called by `routes/console`.

An item of Scans remembers the first and the last scan; those between are in the archive. Resumable: `next` says where
the following part begins, and a part read twice gives the same.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import msgspec

from uncap.domain.association.ports import UnitSpan
from uncap.domain.errors import InputError
from uncap.domain.scans import CodeRef, ScanImage
from uncap.services.desk import Actor, Desk, Reason
from uncap.services.recall_codes import read_recall

MAX_CODES = 5_000
"""Codes looked at in one call: fifty reads of a hundred keys."""
_CURSOR = re.compile(r"([0-9]{1,4})\.([0-9]{1,9})", re.ASCII)


class PeopleQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to about `count` codes from `cursor` on (the `next` of the part before)."""

    reason: Reason
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_CODES)] = MAX_CODES
    cursor: Annotated[str, msgspec.Meta(max_length=20)] = ""


class Person(msgspec.Struct, frozen=True):
    """`codes` recalled codes this person has scanned, of which `claimed` were claimed; `last_ms` is the latest scan."""

    person: str
    codes: int
    claimed: int
    last_ms: int


class RecalledPeople(msgspec.Struct, frozen=True):
    """One part. A person can come again in a later part: whoever puts parts together adds up."""

    people: list[Person]
    codes: int
    next: str


def recalled_people(desk: Desk, actor: Actor, recall_id: str, query: PeopleQuery) -> RecalledPeople:
    """Raises NotFoundError (`recall_unknown`), InputError (`cursor_malformed`)."""
    recall = read_recall(desk, recall_id)
    at, index = _position(query.cursor, recall.spans)
    units = list(islice(_units(recall.spans, at, index), query.count + 1))
    part, following = units[: query.count], units[query.count :]
    roles = {batch_no: desk.batch(batch_no).batch.roles for batch_no in {span.batch_no for _, span, _ in part}}
    refs = [CodeRef(span.batch_no, unit, role) for _, span, unit in part for role in roles[span.batch_no]]
    people = _people(desk.scan_ranges.images(refs))
    answer = RecalledPeople(people, len(part), f"{following[0][0]}.{following[0][2]}" if following else "")
    after = f"{len(people)} people on {len(part)} codes from {query.cursor or 'the beginning'}"
    desk.audit(actor, "recalls.people", recall_id, reason=query.reason, after=after)
    return answer


def _units(spans: tuple[UnitSpan, ...], at: int, index: int) -> Iterator[tuple[int, UnitSpan, int]]:
    """(number of the span, the span, a unit of it) from there on."""
    for no in range(at, len(spans)):
        for unit in range(max(index, spans[no].start) if no == at else spans[no].start, spans[no].stop):
            yield no, spans[no], unit


def _people(images: list[ScanImage]) -> list[Person]:
    seen: dict[str, tuple[int, int, int]] = {}
    for image in images:
        claimer = image.first.person if image.first and image.first.form == "claim" else ""
        marks = [mark for mark in (image.first, image.last) if mark is not None and mark.person]
        for person in {mark.person for mark in marks}:
            codes, claimed, last = seen.get(person, (0, 0, 0))
            latest = max(mark.at_ms for mark in marks if mark.person == person)
            seen[person] = (codes + 1, claimed + (person == claimer), max(last, latest))
    return [Person(person, *counts) for person, counts in sorted(seen.items())]


def _position(cursor: str, spans: tuple[UnitSpan, ...]) -> tuple[int, int]:
    """(span, unit) to begin with."""
    if not cursor:
        return 0, 0
    match = _CURSOR.fullmatch(cursor)
    at, unit = (int(match[1]), int(match[2])) if match else (len(spans), 0)
    if at >= len(spans) or not spans[at].start <= unit < spans[at].stop:
        raise InputError("cursor_malformed", "this cursor belongs to another listing", where="cursor")
    return at, unit
