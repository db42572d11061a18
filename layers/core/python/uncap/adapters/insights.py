"""The read models and diversion cases as the console sees them; the projector writes through `insights_writer.py`.

`day#{day}` / `{gtin}#{region}#{outcome}` and `party#{id}` / `day#{day}#{outcome}` are counters (domain/read_models.py);
`cases` / `{case id}` is a case as people left it, beside it the evidence as the projector last saw it.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, timedelta

import msgspec

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.insights_writer import CASES_PK, EVIDENCE_SUFFIX
from uncap.adapters.models import InsightItem
from uncap.domain.diversion.cases import DiversionCase, EvidenceSummary
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.domain.read_models import canary_key

MAX_DAYS = 366


class DayRow(msgspec.Struct, frozen=True):
    """`n` scans of a product in a region with this outcome (or signal) on this day."""

    day: str
    gtin: str
    region: str
    outcome: str
    n: int


class PartyRow(msgspec.Struct, frozen=True):
    """`n` scans that concern a party (its shelf, its shipments) with this outcome or signal on this day."""

    party_id: str
    day: str
    outcome: str
    n: int


class CasePage(msgspec.Struct, frozen=True):
    """Cases in order of their ids; `after` is the id to continue from, "" at the end."""

    cases: tuple[DiversionCase, ...]
    after: str


class Insights:
    """Reads counters and cases, and stores what people decide. Needs `open_tables` to have bound InsightItem."""

    def overview(self, first_day: str, last_day: str) -> list[DayRow]:
        """Every counter of the days `first_day` to `last_day` (yyyy-mm-dd, inclusive), oldest first.

        Raises InputError (`day_range_malformed`, `day_range_too_long`), TransientError.
        """
        rows = []
        for day in _days(first_day, last_day):
            for item in _query(f"day#{day}"):
                gtin, region, outcome = item.sk.split("#", 2)
                rows.append(DayRow(day, gtin, region, outcome, item.n or 0))
        return rows

    def party(self, party_id: str, first_day: str, last_day: str) -> list[PartyRow]:
        """The party's counters of the days given, oldest first. Raises as `overview`."""
        _days(first_day, last_day)
        rows = []
        for item in _query(f"party#{party_id}", (f"day#{first_day}#", f"day#{last_day}#~")):
            _, day, outcome = item.sk.split("#", 2)
            rows.append(PartyRow(party_id, day, outcome, item.n or 0))
        return rows

    def cases(self, *, state: str = "", limit: int = 100, after: str = "") -> CasePage:
        """Up to `limit` cases, in `state` only if given, each with the latest evidence. Raises TransientError."""
        found: list[DiversionCase] = []
        for case in _cases_of(_query(CASES_PK, (after + EVIDENCE_SUFFIX + "~", "~") if after else None)):
            if state and case.state != state:
                continue
            if len(found) == limit:
                return CasePage(tuple(found), found[-1].case_id)
            found.append(case)
        return CasePage(tuple(found), "")

    def case(self, case_id: str) -> DiversionCase:
        """One case with the latest evidence. Raises NotFoundError (`case_unknown`), TransientError."""
        for case in _cases_of(_query(CASES_PK, (case_id, case_id + EVIDENCE_SUFFIX))):
            if case.case_id == case_id:
                return case
        raise NotFoundError("case_unknown", "There is no such diversion case.", where="case_id")

    def canary_scans(self, export_id: str) -> int:
        """How often canaries of an export order were scanned (services/watch_canaries.py). Raises TransientError."""
        pk, sk = canary_key(export_id)
        return sum(item.n or 0 for item in _query(pk, (sk, sk)))

    def update_case(self, case: DiversionCase) -> None:
        """Store a case that `move_case` returned; its version is one more than the stored one.

        Raises ConflictError (`case_moved`) if someone else was faster, TransientError.
        """
        with translated("case_moved"):
            _item_of(case).save(condition=InsightItem.v == case.version - 1)


def carry_case(case: DiversionCase) -> None:
    """Put a case from another Insights table (a rebuild keeps what people decided); an existing one stays."""
    with suppress(ConflictError), translated():
        _item_of(case).save(condition=InsightItem.pk.does_not_exist())


def _item_of(case: DiversionCase) -> InsightItem:
    return InsightItem(CASES_PK, case.case_id, doc=msgspec.json.encode(case).decode(), v=case.version)


def _cases_of(items: Iterable[InsightItem]) -> Iterable[DiversionCase]:
    """Pairs each case with the summary that follows it in key order."""
    case: DiversionCase | None = None
    for item in items:
        if case is not None and item.sk == case.case_id + EVIDENCE_SUFFIX:
            latest = msgspec.json.decode(item.doc or "", type=EvidenceSummary)
            yield msgspec.structs.replace(case, evidence=latest)
            case = None
            continue
        if case is not None:
            yield case
        case = msgspec.json.decode(item.doc or "", type=DiversionCase)
    if case is not None:
        yield case


def _query(pk: str, between: tuple[str, str] | None = None) -> Iterable[InsightItem]:
    condition = InsightItem.sk.between(*between) if between else None
    with translated():
        yield from InsightItem.query(pk, condition, consistent_read=True)


def _days(first_day: str, last_day: str) -> list[str]:
    try:
        first, last = date.fromisoformat(first_day), date.fromisoformat(last_day)
    except ValueError as cause:
        raise InputError("day_range_malformed", "Days are written yyyy-mm-dd.", where="days") from cause
    count = (last - first).days + 1
    if count < 1:
        raise InputError("day_range_malformed", "The first day is after the last.", where="days")
    if count > MAX_DAYS:
        raise InputError("day_range_too_long", f"At most {MAX_DAYS} days at once.", where="days")
    return [(first + timedelta(days=offset)).isoformat() for offset in range(count)]
