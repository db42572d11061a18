"""What was withheld in a month, and what of it has reached the tax office. Pure.

Moved by `services/pay_taxes.py`, kept by `adapters/tax_payments.py`. A payment takes the debt off `tax:withheld`; what
a month owes is what its entries withheld, never a sum that somebody types (docs/adr/0034).
"""

from collections.abc import Callable, Sequence

import msgspec

from uncap.domain.books.journal import Withheld
from uncap.domain.books.turnover import AccountMonth
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import JournalEntry, account, moved

KIND = "tax_paid"
OFFICE = "tax_office"


class TaxPayment(msgspec.Struct, frozen=True, omit_defaults=True):
    """`reference`: the number of the tax office's receipt (完税凭证). `paid_on`: the day on it, yyyy-mm-dd."""

    reference: str
    paid_on: str
    amount_minor: int
    at_ms: int
    by: tuple[str, ...]


class TaxMonth(msgspec.Struct, frozen=True, omit_defaults=True):
    """A month's payments, the earliest first. `rev` counts its writes."""

    month: str
    currency: str
    payments: tuple[TaxPayment, ...] = ()
    rev: int = 0

    @property
    def paid_minor(self) -> int:
        """What has been paid of the month's tax."""
        return sum(one.amount_minor for one in self.payments)

    def entry_id(self, reference: str) -> str:
        """The journal entry of a payment."""
        return f"tax-{self.month}-{self.currency}-{reference}"

    def payment(self, reference: str) -> TaxPayment | None:
        """The payment with this receipt."""
        return next((one for one in self.payments if one.reference == reference), None)


def withheld_account(currency: str) -> str:
    """Where withheld tax waits."""
    return account("tax", "withheld", currency)


def withheld_in(month: AccountMonth) -> int:
    """What the month's entries withheld, corrections included; payments of the tax are not part of it."""
    return sum(one.credit_minor - one.debit_minor for one in month.turns if one.kind != KIND)


def with_payment(old: TaxMonth, given: TaxPayment, withheld_minor: int) -> TaxMonth:
    """The month with one payment more; the very same object if it is there already.

    ConflictError: `tax_differs` (another payment has this receipt), `tax_exceeds_withheld`.
    """
    known = old.payment(given.reference)
    if known is not None:
        if (known.paid_on, known.amount_minor) != (given.paid_on, given.amount_minor):
            raise ConflictError("tax_differs", "this receipt is recorded with another day or amount", where="reference")
        return old
    if old.paid_minor + given.amount_minor > withheld_minor:
        left = withheld_minor - old.paid_minor
        raise ConflictError("tax_exceeds_withheld", f"{left} is left to be paid of {old.month}", where="amount_minor")
    return msgspec.structs.replace(old, payments=(*old.payments, given), rev=old.rev + 1)


def paid_in_full(people: Sequence[Withheld], month_of: Callable[[str], TaxMonth]) -> dict[str, tuple[str, str]]:
    """By currency, of what is wholly paid: the day of the last payment, and the receipts."""
    found: dict[str, tuple[str, str]] = {}
    for currency in sorted({one.currency for one in people}):
        month = month_of(currency)
        owed = sum(one.tax_minor for one in people if one.currency == currency)
        if month.payments and month.paid_minor >= owed:
            days, receipts = zip(*((one.paid_on, one.reference) for one in month.payments), strict=True)
            found[currency] = (max(days), " ".join(receipts))
    return found


def entry_of(month: TaxMonth, payment: TaxPayment, note: str) -> JournalEntry:
    """The debt to the tax office is gone, and so is the money."""
    postings = moved(
        withheld_account(month.currency), account("clearing", OFFICE, month.currency), payment.amount_minor
    )
    return JournalEntry(month.entry_id(payment.reference), KIND, payment.at_ms, postings, note, by=payment.by)
