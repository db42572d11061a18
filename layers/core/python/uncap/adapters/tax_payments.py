"""Payments of withheld tax in the Ledger table: `tax#{currency}#{month}` doc TaxMonth, `rev`; its entries beside it.

Used by `services/pay_taxes.py` and `uncap books tax`. The index `owner` lists the months under `taxes`.
"""

import msgspec
from pynamodb.exceptions import DoesNotExist, PynamoDBException, TransactWriteError
from pynamodb.transactions import TransactWrite

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.ledger import ENTRY
from uncap.adapters.models import LedgerItem
from uncap.domain.books.taxes import TaxMonth
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.ledger import JournalEntry, balanced

TAX, TAXES = "tax#", "taxes"


class TaxPayments:
    """Needs `open_tables` to have bound LedgerItem. Raises TransientError where nothing was decided."""

    def month(self, month: str, currency: str) -> TaxMonth:
        """The month as of now; nothing paid if nothing is stored."""
        try:
            with translated():
                return msgspec.json.decode(
                    LedgerItem.get(_pk(month, currency), consistent_read=True).doc, type=TaxMonth
                )
        except DoesNotExist:
            return TaxMonth(month, currency)

    def months(self, limit: int, before: str = "") -> tuple[list[TaxMonth], str]:
        """The latest months of which tax was paid, and what to continue from ("" at the end)."""
        key = None
        if before:
            key = {"pk": {"S": TAX + before}, "owner": {"S": TAXES}, "owner_at": {"N": _number(before[-7:])}}
        with translated():
            rows = LedgerItem.by_owner.query(
                TAXES, limit=limit, page_size=limit, scan_index_forward=False, last_evaluated_key=key
            )
            pks = [item.pk for item in rows]
            found = {item.pk: item.doc for item in LedgerItem.batch_get(pks)} if pks else {}
        months = [msgspec.json.decode(found[pk], type=TaxMonth) for pk in pks if pk in found]
        return months, pks[-1][len(TAX) :] if len(pks) == limit else ""

    def write(self, old: TaxMonth, new: TaxMonth, entry: JournalEntry) -> None:
        """The month and its entry, or neither. ConflictError (`tax_moved`): read again and judge anew."""
        balanced(entry.postings)
        month = LedgerItem(
            _pk(new.month, new.currency), doc=_text(new), rev=new.rev, owner=TAXES, owner_at=int(_number(new.month))
        )
        booked = LedgerItem(ENTRY + entry.entry_id, doc=_text(entry))
        absent = LedgerItem.pk.does_not_exist()
        try:
            with TransactWrite(connection=LedgerItem._get_connection().connection) as transaction:
                transaction.save(month, condition=LedgerItem.rev == old.rev if old.rev else absent)
                transaction.save(booked, condition=absent)
        except TransactWriteError as cause:
            codes = {reason.code for reason in cause.cancellation_reasons if reason}
            if codes & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise ConflictError("tax_moved", "the month has changed meanwhile") from cause
            raise TransientError("table_unavailable", "the table did not answer") from cause
        except PynamoDBException as cause:
            raise TransientError("table_unavailable", "the table did not answer") from cause


def _pk(month: str, currency: str) -> str:
    return f"{TAX}{currency}#{month}"


def _number(month: str) -> str:
    return month.replace("-", "")


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
