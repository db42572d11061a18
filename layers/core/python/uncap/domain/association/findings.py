"""What a run of a file found wrong or worth noting: exact counts, and the first of each kind word for word. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence

from uncap.domain.association.files import Issue


class Findings:
    """`room`: how many issues may still be kept of the file."""

    def __init__(self, room: int) -> None:
        self.counts: Counter[str] = Counter()
        self.against: Counter[str] = Counter()
        self._room = room
        self._kept: dict[str, list[Issue]] = {}

    def add(self, issue: Issue) -> None:
        """One of them."""
        self.counts[issue.reason] += 1
        kept = self._kept.setdefault(issue.reason, [])
        if len(kept) < self._room:
            kept.append(issue)

    def add_rows(self, reason: str, rows: Sequence[int], issue_of: Callable[[int], Issue]) -> None:
        """Many at once, in order of lines; `issue_of` is asked only for those that are kept."""
        if not len(rows):
            return
        self.counts[reason] += len(rows)
        kept = self._kept.setdefault(reason, [])
        kept += [issue_of(row) for row in rows[: self._room - len(kept)]]

    def kept(self) -> list[Issue]:
        """By line; no more than there is room for. Errors come before notes, so that they are not crowded out."""
        everything = [issue for issues in self._kept.values() for issue in issues]
        everything.sort(key=lambda one: (one.reason in ("repeat", "case_short"), one.line))
        return sorted(everything[: self._room], key=lambda one: one.line)
