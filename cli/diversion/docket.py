"""Evidence and cases in memory, judged scan after scan as the projector would. For evaluation and backtests.

The same pure rules as `adapters/insights_writer.py`, without its table.
"""

from collections import Counter

from uncap.domain.diversion.evidence import Evidence, accumulate
from uncap.domain.diversion.judgement import DiversionRule, Judgement, judge, may_open
from uncap.domain.read_models import CounterKey, Observation, home_key, shipment_key


class Docket:
    """What is known so far, and which (shipment, place) would have a case. One rule for all."""

    def __init__(self, rule: DiversionRule) -> None:
        self.rule = rule
        self.opened: dict[tuple[str, str], Judgement] = {}
        self.evidence: dict[tuple[str, str], Evidence] = {}
        self._counts: Counter[CounterKey] = Counter()

    def hear(self, observation: Observation) -> None:
        """Take one scan; a case opens at the scan that makes the evidence sufficient, and stays."""
        self._counts.update(key for key in observation.counters if key[0].startswith("shipment#"))
        sighting = observation.sighting
        if sighting is None:
            return
        key = sighting.shipment_id, sighting.place
        evidence = self.evidence[key] = accumulate(self.evidence.get(key), sighting)
        if key not in self.opened and may_open(evidence, self.rule):
            judgement = self.judged(evidence)
            if judgement.opens:
                self.opened[key] = judgement

    def judged(self, evidence: Evidence) -> Judgement:
        """What this evidence comes to at this moment."""
        home = {case: self._counts[home_key(evidence.shipment_id, case)] for case in evidence.case_scans}
        return judge(evidence, self._counts[shipment_key(evidence.shipment_id)], home, self.rule)
