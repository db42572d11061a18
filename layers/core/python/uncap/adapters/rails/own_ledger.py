"""The rail for points, goods vouchers and trade credit: its counterpart is our own ledger. Built by `registry.py`.

Nothing leaves the house, so nothing is remembered here either: the caller's ledger write *is* the payment. Submitting
the same bill again gives the same answer, and a query's NotFound makes the caller do just that.
"""

import datetime
from collections.abc import Iterator, Mapping

from uncap.domain.errors import AuthError
from uncap.domain.rails import (
    CallbackNotice,
    NotFound,
    Paid,
    PayInstruction,
    RailCapabilities,
    RailOutcome,
    StatementLine,
    check_instruction,
)

_CAPABILITIES = RailCapabilities(name="own_ledger", currencies=None, key_pattern=r"[0-9A-Za-z]{1,32}")


class OwnLedgerRail:
    """`domain.rails.Rail` without an outside."""

    @property
    def capabilities(self) -> RailCapabilities:
        """See `domain.rails.Rail`."""
        return _CAPABILITIES

    def submit(self, instruction: PayInstruction) -> RailOutcome:
        """Paid at once; the rail's id is a function of the bill number, so a repeat cannot book a second one."""
        check_instruction(instruction, _CAPABILITIES)
        return Paid(rail_id=f"own-{instruction.bill_no}", amount_minor=instruction.amount_minor)

    def query(self, bill_no: str) -> RailOutcome:  # noqa: ARG002
        """NotFound: submit the same bill again, which is always safe here."""
        return NotFound()

    def cancel(self, bill_no: str) -> RailOutcome:  # noqa: ARG002
        """NotFound: a bill is either booked in the ledger or does not exist."""
        return NotFound()

    def verify_callback(self, headers: Mapping[str, str], body: bytes) -> CallbackNotice:  # noqa: ARG002
        """AuthError: nobody is entitled to call back."""
        raise AuthError("rail_unsigned", "this rail sends no notices")

    def statement(self, date: datetime.date) -> Iterator[StatementLine]:  # noqa: ARG002
        """Empty: the ledger is its own statement."""
        return iter(())
