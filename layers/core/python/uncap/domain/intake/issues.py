"""What the association says of a row, in words people can act on. Used by `services/take_association.py`."""

from collections.abc import Iterable, Mapping

from uncap.domain.association.files import ERRORS, NOTES, Issue
from uncap.domain.association.ports import UnitRef
from uncap.domain.intake.faults import RowFault

UNREAD = "code_malformed"
"""How the association counts a line that the reader could not read; the reader's own reason is reported instead."""

_WORDS = {
    "code_malformed": "a code of this row is not a link, a serial or an SSCC",
    "check_digit": "the check digit of a GTIN or an SSCC is wrong",
    "code_not_issued": "nobody issued a code of this row; was the right file sent to the right system?",
    "gtin_missing": "a serial by itself: say which product's codes these are (--gtin), or send links",
    "other_product": "this product is not packed in that",
    "contradiction": "it is packed in something else already and was not taken out",
    "case_overfull": "more was packed in it than it holds",
    "not_packed": "it was taken out of something it is not in",
    "time_invalid": "a time before 2000 or more than a day ahead",
    "repeat": "the same row again; taken once",
    "case_short": "closed with fewer than it holds",
}


def fault_of(issue: Issue) -> RowFault:
    """The issue as a line of the report. Units are named by batch and index, never by their code."""
    words = _WORDS.get(issue.reason, issue.reason)
    if issue.child is not None:
        words += f": {_name(issue.child)}"
    if issue.parent is not None:
        words += f" in {_name(issue.parent)}" if issue.child is not None else f": {_name(issue.parent)}"
    if issue.other is not None:
        words += f", is in {_name(issue.other)}"
    if issue.other_lines != (0, 0):
        first, last = issue.other_lines
        lines = f"line {first}" if first == last else f"lines {first} to {last}"
        words += f" ({lines} of {'file ' + issue.other_file if issue.other_file else 'this file'})"
    if issue.reason == "case_overfull" and issue.other_file:
        words += f"; {issue.count} of it were put in before, last by file {issue.other_file}"
    elif issue.count:
        words += f": {issue.count}"
    return RowFault(issue.line, issue.reason, words, grave=issue.reason not in NOTES)


def reported_counts(association: Mapping[str, int], reader: Mapping[str, int]) -> dict[str, int]:
    """Counts by reason of both together; lines the reader refused are counted under its reasons only."""
    counts = dict(association)
    counts[UNREAD] = max(counts.get(UNREAD, 0) - sum(reader.values()), 0)
    for reason, count in reader.items():
        counts[reason] = counts.get(reason, 0) + count
    return {reason: count for reason, count in sorted(counts.items()) if count}


def told_once(faults: Iterable[RowFault]) -> list[RowFault]:
    """The faults in order of lines, without the association's bare word on a line that the reader says more of."""
    listed = sorted(faults)
    read = {fault.line for fault in listed if fault.code not in ERRORS | NOTES}
    return [fault for fault in listed if fault.code != UNREAD or fault.line not in read]


def _name(unit: UnitRef) -> str:
    return f"batch {unit.batch_no} index {unit.index}"
