"""What people made of a money case: open, explained, resolved by an entry, or open again. Pure; every step stays.

The case itself never changes (`domain/rewards/reward.py`); this is kept beside it by `adapters/money_cases.py`.
"""

import msgspec

from uncap.domain.errors import ConflictError

OPEN, EXPLAINED, RESOLVED = "open", "explained", "resolved"
MAX_STEPS = 50


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """`entry_id`: the correction, by two people, with which the difference was settled."""

    at_ms: int
    by: str
    state: str
    reason: str
    entry_id: str = ""


class CaseLog(msgspec.Struct, frozen=True, omit_defaults=True):
    """The steps in order; `rev` counts its writes."""

    case_id: str
    steps: tuple[Step, ...] = ()
    rev: int = 0

    @property
    def state(self) -> str:
        return self.steps[-1].state if self.steps else OPEN


def stepped(log: CaseLog, step: Step) -> CaseLog:
    """ConflictError (`case_state`): explained and resolved come from open, and go back to it only."""
    closes = step.state in (EXPLAINED, RESOLVED)
    if closes != (log.state == OPEN) or len(log.steps) >= MAX_STEPS:
        raise ConflictError("case_state", f"the case is {log.state}", where="state")
    return CaseLog(log.case_id, (*log.steps, step), log.rev + 1)
