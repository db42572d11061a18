"""Insights from the archive alone, into an empty table: the same rules over the same events, each of them once.

Run by an operator (docs/operations.md): point a writer at a new table, rebuild, then switch the deployment to it. It
may be stopped and run again: what was counted is marked.
"""

from collections.abc import Callable, Iterable

import msgspec

from uncap.adapters.case_watch import CaseWatch
from uncap.adapters.insights import carry_case
from uncap.adapters.insights_writer import InsightsWriter
from uncap.domain.diversion.cases import DiversionCase
from uncap.domain.read_models import ScanFact
from uncap.services.check_diversion import Observer

REBUILD_SEEN_TTL_S = 30 * 86_400
"""For the writer of a rebuild: marks outlive the longest rebuild and the overlap with the stream after it."""


class Rebuilt(msgspec.Struct, frozen=True):
    """`events` read from the archive (each once), of which `counted` now and `replayed` in an earlier run."""

    hours: int
    events: int
    counted: int
    replayed: int
    opened: tuple[str, ...]


def rebuild_insights(
    hours: Iterable[list[ScanFact]],
    observe: Observer,
    insights: InsightsWriter,
    decided: Iterable[DiversionCase] = (),
    progress: Callable[[int, int], None] = lambda _hours, _events: None,
    watch: CaseWatch | None = None,
) -> Rebuilt:
    """Replay `hours` (ScanArchive.hours). `decided`: cases of the old table, carried over before their evidence is.

    `progress(hours, events)` is called after each hour. Raises TransientError; run again to go on.
    """
    for case in decided:
        carry_case(case)
    seen_hours = events = counted = replayed = 0
    opened: list[str] = []
    for facts in hours:
        observations = [observe(fact) for fact in facts]
        done = insights.record(observations)
        if watch:
            watch.record(one.glimpse for one in observations if one.glimpse)
        seen_hours += 1
        events += len(facts)
        counted += done.counted
        replayed += done.replayed
        opened += done.opened
        progress(seen_hours, events)
    return Rebuilt(seen_hours, events, counted, replayed, tuple(opened))
