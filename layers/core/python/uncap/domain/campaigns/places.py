"""Which region goods belong to, and which case a unit came out of: facts derived from the catalog alone. Pure.

Used by `services/decide_claims.py`.
"""

from collections.abc import Iterable

from uncap.domain.catalog import CodeBatch, Role, Territory

BOTTLE_ROLES = frozenset({Role.CAP_INNER, Role.CAP_OUTER})


def region_of(territories: Iterable[Territory], *parties: str) -> str:
    """The region of the first of these parties that has a territory, "" if none has."""
    regions = {one.party_id: one.region for one in territories}
    return next((regions[party] for party in parties if regions.get(party)), "")


def case_of(batch: CodeBatch, index: int, role: Role) -> str:
    """The case a code belongs to as "batch.index": its own for a case's code, by roll order for a bottle's.

    "" where the batch does not say how it was packed.
    """
    if role not in BOTTLE_ROLES:
        return f"{batch.batch_no}.{index}"
    if not batch.case_batch_no or not batch.units_per_case:
        return ""
    return f"{batch.case_batch_no}.{index // batch.units_per_case}"
