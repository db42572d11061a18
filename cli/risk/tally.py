"""Judged claims counted: precision, recall, honest people held; by kind and by signal. Used by `command.py`."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from cli.risk.attempt import Attempt
from uncap.domain.risk import SIGNALS, Verdict

_SPREAD = ("precision", "recall", "honest_people_held", "honest_claims_held_share", "writes_per_claim")


class Tally:
    """Claims and people by kind: all, and those held; by signal: those it spoke of."""

    def __init__(self) -> None:
        self.claims: Counter[str] = Counter()
        self.held: Counter[str] = Counter()
        self.fraud: dict[str, bool] = {}
        self.people: dict[str, set[str]] = {}
        self.held_people: dict[str, set[str]] = {}
        self.spoke: Counter[tuple[str, bool]] = Counter()
        self.spoke_alone: Counter[str] = Counter()
        self.bothered: dict[str, set[str]] = {}
        self.writes = 0

    def add(self, claim: Attempt, verdict: Verdict) -> None:
        """One judged claim."""
        self.claims[claim.kind] += 1
        self.held[claim.kind] += verdict.held
        self.fraud[claim.kind] = claim.fraud
        self.people.setdefault(claim.kind, set()).add(claim.person)
        if verdict.held:
            self.held_people.setdefault(claim.kind, set()).add(claim.person)
        for name, _ in verdict.signals:
            self.spoke[name, claim.fraud] += 1
            self.spoke_alone[name] += len(verdict.signals) == 1 and verdict.held
            if verdict.held and not claim.fraud:
                self.bothered.setdefault(name, set()).add(claim.person)

    def report(self) -> dict[str, Any]:
        """Precision and recall in claims, honest people of whom anything was held, and each kind by itself."""
        bad = sum(self.claims[kind] for kind, fraud in self.fraud.items() if fraud)
        caught = sum(self.held[kind] for kind, fraud in self.fraud.items() if fraud)
        honest = [kind for kind, fraud in self.fraud.items() if not fraud]
        everyone = sum(self.claims.values())
        held = sum(self.held.values())
        return {
            "claims": everyone,
            "fraud": bad,
            "precision": _share(caught, held),
            "recall": _share(caught, bad),
            "honest_people": sum(len(self.people[kind]) for kind in honest),
            "honest_people_held": sum(len(self.held_people.get(kind, ())) for kind in honest),
            "honest_claims_held_share": round((held - caught) / max(1, everyone - bad), 5),
            "writes_per_claim": round(self.writes / max(1, everyone), 4),
            "signals": [self._signal(name, bad) for name in SIGNALS],
            "kinds": [self._kind(kind) for kind in sorted(self.claims)],
        }

    def _signal(self, name: str, bad: int) -> dict[str, Any]:
        """What a signal is worth by itself. `alone`: claims held by nothing else."""
        caught, wrong = self.spoke[name, True], self.spoke[name, False]
        return {
            "signal": name,
            "spoke": caught + wrong,
            "precision": _share(caught, caught + wrong),
            "recall": _share(caught, bad),
            "alone": self.spoke_alone[name],
            "honest_people_held": len(self.bothered.get(name, ())),
        }

    def _kind(self, kind: str) -> dict[str, Any]:
        return {
            "kind": kind,
            "fraud": self.fraud[kind],
            "claims": self.claims[kind],
            "held": self.held[kind],
            "people": len(self.people[kind]),
            "people_held": len(self.held_people.get(kind, ())),
        }


def together(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several seeds' reports as one: sums, means of shares, and from least to most of what matters."""
    whole = dict(reports[0])
    for name in ("claims", "fraud", "honest_people", "honest_people_held"):
        whole[name] = sum(one[name] for one in reports)
    for name in ("precision", "recall", "honest_claims_held_share", "writes_per_claim"):
        whole[name] = round(sum(one[name] for one in reports) / len(reports), 5)
    whole["spread"] = {name: [min(one[name] for one in reports), max(one[name] for one in reports)] for name in _SPREAD}
    for table, sums in (("signals", ("spoke", "alone", "honest_people_held")), ("kinds", ("claims", "held"))):
        whole[table] = [_added([one[table] for one in reports], at, sums) for at in range(len(whole[table]))]
    return whole


def _added(tables: Sequence[Sequence[dict[str, Any]]], at: int, sums: Sequence[str]) -> dict[str, Any]:
    lines = [table[at] for table in tables]
    added = dict(lines[0])
    for name, value in lines[0].items():
        if name in sums or (isinstance(value, int) and not isinstance(value, bool)):
            added[name] = sum(line[name] for line in lines)
        elif isinstance(value, float):
            added[name] = round(sum(line[name] for line in lines) / len(lines), 4)
    return added


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 1.0
