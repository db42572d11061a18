"""Entries and outcome of closing draws in the Ledger: `entering#`, `entries#{campaign}#{n:06d}`, `drawn#{campaign}`.

`ClosingStore` on PynamoDB, for reconcile_job and the console. A chunk is written in one transaction with the progress
that counts it, so a kill leaves both or neither, and of two runs only one goes on (ADR 0028).
"""

import base64
from collections.abc import Mapping

import msgspec
from pynamodb.exceptions import DoesNotExist, PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import LedgerItem
from uncap.domain.errors import ConflictError, PoisonError, TransientError
from uncap.domain.prizes.entering import Entering, Outcome

ENTERING, ENTRIES, DRAWN = "entering#", "entries#", "drawn#"
_FAILED = "ConditionalCheckFailed"
_MOVED = "closing_moved"


class ClosingEntries:
    """See `ClosingStore`. Needs `open_tables` to have bound the Ledger's model."""

    def entering(self, campaign_id: str) -> Entering | None:
        """See `ClosingStore`."""
        doc = _doc(ENTERING + campaign_id)
        return msgspec.json.decode(doc, type=Entering) if doc else None

    def save_entering(self, campaign_id: str, entering: Entering, chunks: Mapping[int, bytes]) -> None:
        """See `ClosingStore`."""
        try:
            with TransactWrite(connection=LedgerItem._get_connection().connection) as transaction:
                for number, rows in chunks.items():
                    text = base64.b64encode(rows).decode()
                    transaction.save(LedgerItem(_chunk(campaign_id, number), doc=text))
                item = LedgerItem(ENTERING + campaign_id, doc=_text(entering), rev=entering.rev)
                transaction.save(item, condition=_follows(entering.rev))
        except TransactWriteError as cause:
            if any(reason is not None and reason.code == _FAILED for reason in cause.cancellation_reasons):
                raise ConflictError(_MOVED, "another run goes on with these entries") from cause
            raise TransientError("table_unavailable", "the entries were not written") from cause
        except PynamoDBException as cause:
            raise TransientError("table_unavailable", "the table did not answer") from cause

    def rows(self, campaign_id: str, number: int) -> bytes:
        """See `ClosingStore`."""
        doc = _doc(_chunk(campaign_id, number))
        if not doc:
            raise PoisonError("entries_missing", f"chunk {number} of {campaign_id}'s entries is not there")
        return base64.b64decode(doc)

    def outcome(self, campaign_id: str) -> Outcome | None:
        """See `ClosingStore`."""
        doc = _doc(DRAWN + campaign_id)
        return msgspec.json.decode(doc, type=Outcome) if doc else None

    def save_outcome(self, campaign_id: str, outcome: Outcome) -> None:
        """See `ClosingStore`."""
        item = LedgerItem(DRAWN + campaign_id, doc=_text(outcome), rev=outcome.rev)
        with translated(_MOVED):
            item.save(condition=_follows(outcome.rev))


def _follows(rev: int) -> Condition:
    return LedgerItem.pk.does_not_exist() if rev == 1 else LedgerItem.rev == rev - 1


def _chunk(campaign_id: str, number: int) -> str:
    return f"{ENTRIES}{campaign_id}#{number:06d}"


def _text(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


def _doc(pk: str) -> str:
    try:
        with translated():
            return LedgerItem.get(pk, consistent_read=True).doc
    except DoesNotExist:
        return ""
