"""The pack that a unit came out of, from the stored packing: short cases, repacked bottles, cases of their own.

Used by `judge_risk.py` and `decide_claims.py` (`Targeting.case_of`); wired by the relay and the reconcile job.
"""

from collections.abc import Callable

from uncap.domain.association.ports import AssociationReader, UnitRef
from uncap.domain.campaigns.places import BOTTLE_ROLES
from uncap.domain.catalog import CodeBatch, Role

CaseOf = Callable[[CodeBatch, int, Role], str]


def stored_case_of(association: AssociationReader) -> CaseOf:
    """A `case_of` that asks what is stored, which falls back to roll order where no file and no hand has spoken.

    The index is the unit's place: of a replaced code, the one it took over (`Release.drawn_as`). "" for a unit that is
    known to lie in nothing. What calls it meets TransientError.
    """

    def case_of(batch: CodeBatch, index: int, role: Role) -> str:
        if role not in BOTTLE_ROLES:
            return f"{batch.batch_no}.{index}"
        pack = association.parent_of(UnitRef(batch.batch_no, index))
        return f"{pack.batch_no}.{pack.index}" if pack else ""

    return case_of
