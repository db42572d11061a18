"""Scans of canaries: counted under the export order they were drawn for, and kept out of every other figure.

Stands before `DiversionCheck.observe` in the projector and in the rebuild (ADR 0018). A canary is told by its index
against the batch's size, both at hand: other scans pay nothing for it.
"""

from collections.abc import Iterable

from uncap.adapters.catalog import Catalog
from uncap.domain.codes.canaries import run_of
from uncap.domain.read_models import Observation, ScanFact, canary_key
from uncap.domain.scans import CodeRef
from uncap.services.check_diversion import Observer

_PK = canary_key("")[0]


class CanaryWatch:
    """`Observer` around another one."""

    def __init__(self, catalog: Catalog, observe: Observer) -> None:
        self._catalog = catalog
        self._observe = observe

    def observe(self, fact: ScanFact) -> Observation:
        """The order's own counter for a canary, the inner observer's answer for any other code. Raises PoisonError."""
        ref = CodeRef.from_key(fact.code)
        view = self._catalog.batch(ref.batch_no)
        run = run_of(view.batch, ref.index) if view else None
        if run is None:
            return self._observe(fact)
        return Observation(fact.event_id, (canary_key(run.order),) if fact.counted else ())


def orders_rung(observations: Iterable[Observation]) -> tuple[str, ...]:
    """The orders whose canaries are among these scans: their files have leaked."""
    keys = {pk for one in observations for pk, _ in one.counters if pk.startswith(_PK)}
    return tuple(sorted(pk.removeprefix(_PK) for pk in keys))
