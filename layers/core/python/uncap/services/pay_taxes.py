"""The withheld tax of a month, recorded as paid to the tax office: by one person up to a limit, by two above it.

Called by `routes/console/books.py`. The month's tax is what the books withheld, as the last pass kept it; a receipt
counts once, however often it is sent.
"""

import datetime
from typing import Annotated

import msgspec

from uncap.domain.approvals import Proposal
from uncap.domain.books.taxes import TaxMonth, TaxPayment, entry_of, with_payment, withheld_account, withheld_in
from uncap.domain.books.turnover import later
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.rewards.accruing import checked_month, month_start_ms, next_month
from uncap.services.desk import Actor, Desk, Reason, draft
from uncap.services.keep_proposals import approved_proposal, proposal_write, propose
from uncap.services.list_entries import Listing, PageQuery, cursor_of, read_cursor
from uncap.services.settle_accounts import SETTLES_AFTER_MS

PAY_TAX = "pay-tax"
LIMIT_MINOR = 1_000_000
"""What one person may record of a month's tax, all payments together: ¥10,000."""
_RACES = 4
_RFC_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)"


class TaxForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`reference`: the receipt's number; `paid_on` the day on it."""

    reference: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,40}$(?!\n)", max_length=40)]
    paid_on: Annotated[str, msgspec.Meta(pattern=_RFC_DAY, max_length=10)]
    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=10**12)]
    reason: Reason
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", max_length=3)] = "CNY"

    def pin(self, month: str) -> str:
        """What is asked for, in one line: the approval is for this and nothing else."""
        return f"{month}:{self.currency}:{self.reference}:{self.paid_on}:{self.amount_minor}"


class TaxQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of which currency."""

    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", max_length=3)] = "CNY"


class TaxStatement(msgspec.Struct, frozen=True):
    """`open_minor` is what the tax office still gets for the month. `as_of_ms`: the books were read through then."""

    month: str
    currency: str
    withheld_minor: int
    paid_minor: int
    open_minor: int
    payments: tuple[TaxPayment, ...]
    as_of_ms: int


def read_tax(desk: Desk, month: str, query: TaxQuery) -> TaxStatement:
    """Raises InputError (`month_malformed`)."""
    found = desk.taxes.month(checked_month(month), query.currency)
    withheld = _withheld(desk, month, query.currency)
    as_of_ms = desk.months.state().as_of_ms
    left = withheld - found.paid_minor
    return TaxStatement(month, query.currency, withheld, found.paid_minor, left, found.payments, as_of_ms)


def list_taxes(desk: Desk, query: PageQuery) -> Listing[TaxMonth]:
    """Months of which tax was paid, the latest first. Raises InputError (`cursor_malformed`)."""
    months, following = desk.taxes.months(query.count, read_cursor(query.cursor, ""))
    return Listing(months, cursor_of(following))


def pay_tax(desk: Desk, actor: Actor, month: str, form: TaxForm) -> TaxMonth:
    """Raises InputError (`month_malformed`, `day_malformed`), ConflictError: `month_not_over`, `books_not_read` (the
    month's last entries are not counted yet), `tax_exceeds_withheld`, `tax_differs`, `tax_above_limit` (two people)."""
    new, payment = _planned(desk, month, form, (actor.login,))
    if payment is None:
        return new
    _check_limit(new, (actor.login,))
    desk.audit(actor, "books.pay-tax", month, reason=form.reason, after=form.pin(month))
    return _recorded(desk, month, form, (actor.login,))


def request_tax(desk: Desk, actor: Actor, month: str, form: TaxForm) -> Proposal:
    """Ask for a payment above the limit to be recorded. Raises what `pay_tax` does, and ConflictError
    (`proposal_open`)."""
    _planned(desk, month, form, (actor.login,))
    return propose(desk, actor, PAY_TAX, form.pin(month), form.reason)


def approve_tax(desk: Desk, actor: Actor, month: str, form: TaxForm) -> TaxMonth:
    """The same form by a second person. Raises what `approvals.approve` does."""
    _planned(desk, month, form, (actor.login,))
    asked = approved_proposal(desk, actor, PAY_TAX, form.pin(month))
    note = draft(actor, "books.pay-tax", month, reason=asked.reason, after=f"asked by {asked.requested_by}")
    desk.writes.commit([proposal_write(asked)], note)
    return _recorded(desk, month, form, (asked.requested_by, actor.login))


def _planned(desk: Desk, month: str, form: TaxForm, by: tuple[str, ...]) -> tuple[TaxMonth, TaxPayment | None]:
    """The month as it would be, and the payment; None if it is recorded already."""
    _check_day(form.paid_on)
    end_ms = month_start_ms(next_month(checked_month(month)))
    if desk.clock_ms() < end_ms:
        raise ConflictError("month_not_over", f"{month} is not over", where="month")
    if desk.months.state().as_of_ms < end_ms + SETTLES_AFTER_MS:
        raise ConflictError("books_not_read", f"the books were not read through since the end of {month}")
    old = desk.taxes.month(month, form.currency)
    payment = TaxPayment(form.reference, form.paid_on, form.amount_minor, desk.clock_ms(), by)
    new = with_payment(old, payment, _withheld(desk, month, form.currency))
    return new, None if new is old else payment


def _recorded(desk: Desk, month: str, form: TaxForm, by: tuple[str, ...]) -> TaxMonth:
    for _ in range(_RACES):
        new, payment = _planned(desk, month, form, by)
        if payment is None:
            return new
        _check_limit(new, by)
        old = msgspec.structs.replace(new, payments=new.payments[:-1], rev=new.rev - 1)
        try:
            desk.taxes.write(old, new, entry_of(new, payment, f"{form.reference} of {form.paid_on}: {form.reason}"))
        except ConflictError:
            continue  # somebody records another payment of this month: judged anew
        return new
    raise ConflictError("tax_moved", "the month keeps changing; try again")


def _check_limit(new: TaxMonth, by: tuple[str, ...]) -> None:
    if len(by) == 1 and new.paid_minor > LIMIT_MINOR:
        raise ConflictError("tax_above_limit", "above the limit two people record it", where="amount_minor")


def _withheld(desk: Desk, month: str, currency: str) -> int:
    name = withheld_account(currency)
    return withheld_in(later(desk.months.month(name, month), name, month))


def _check_day(text: str) -> None:
    try:
        datetime.date.fromisoformat(text)
    except ValueError as cause:
        raise InputError("day_malformed", "not a day of the calendar", where="paid_on") from cause
