"""The yearly coefficients of parties in the Parties table, read strongly consistent.

Used by reconcile_job when it settles a month and by the console. Written by `services/review_case.py`.
"""

from uncap.adapters.documents import DocumentTable
from uncap.domain.diversion.penalties import Coefficient


def coefficient_key(party_id: str, year: int) -> tuple[str, str]:
    """Where a party's coefficient of a year is kept."""
    return f"party#{party_id}", f"coefficient#{year}"


def coefficient_of(parties: DocumentTable, party_id: str, year: int) -> Coefficient:
    """The coefficient; full for whoever was never found guilty of anything, persons included. Raises TransientError."""
    return parties.value(*coefficient_key(party_id, year), Coefficient) or Coefficient(party_id, year)
