"""The console's only way to change documents: the change and its audit entry are one transaction, or neither is.

Used by every service that changes Catalog, Parties or Flow. The audit trail is one hash chain in the Parties table:
`audit#{day}` / `{seq:09d}`, its end in `audit` / `head`; racing writers are put in order by the head's version. An act
that is about units joins their history in `acts#{batch_no}` too.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from uncap.adapters.documents import DocumentItem, DocumentTable
from uncap.adapters.models import CatalogItem, FlowItem, PartyItem
from uncap.domain.audit import AuditDraft, AuditEntry, AuditHead, acts_of, link_entry
from uncap.domain.errors import ConflictError, TransientError

MODELS: dict[str, type[CatalogItem] | type[PartyItem] | type[FlowItem]] = {
    "catalog": CatalogItem,
    "parties": PartyItem,
    "flow": FlowItem,
}
MAX_WRITES = 98  # a transaction takes 100 items; the audit entry and its head are two
_ATTEMPTS = 8
_BACKOFF_S = 0.02


class DocWrite(msgspec.Struct, frozen=True):
    """Put `doc` with version `version`, if the stored version is `version - 1` (1: if nothing is stored yet).

    `version` 0 puts unconditionally. `conflict` is the code to report if the condition fails.
    """

    table: str  # catalog | parties | flow
    pk: str
    sk: str
    doc: str
    version: int
    conflict: str = "changed_meanwhile"


def doc_of(value: Any) -> str:
    """A value as the JSON text that is stored."""
    return msgspec.json.encode(value).decode()


class AuditedWrites:
    """Commits changes with their audit entry. `day_of` gives the brand's calendar day of a time."""

    def __init__(
        self,
        connection: Connection,
        parties: DocumentTable,
        clock_ms: Callable[[], int],
        day_of: Callable[[int], str],
    ) -> None:
        self._connection = connection
        self._parties = parties
        self._clock_ms = clock_ms
        self._day_of = day_of

    def commit(self, writes: Sequence[DocWrite], draft: AuditDraft) -> AuditEntry:
        """All of `writes` and the entry, or nothing. No writes: only the entry (a download, a refused act).

        Raises ConflictError with the write's own code, TransientError (`audit_contended`, `table_unavailable`).
        """
        size = len(writes) + len({span.batch_no for span in draft.about})
        if size > MAX_WRITES:
            raise ValueError(f"{size} writes do not fit one transaction")
        for attempt in range(_ATTEMPTS):
            now_ms = self._clock_ms()
            head = self.head()
            entry = link_entry(head, draft, self._day_of(now_ms), now_ms)
            try:
                self._transact([*writes, *_chain_writes(head, entry), *_act_writes(entry, draft)])
            except TransactWriteError as cause:
                _raise_own_conflict(writes, cause)
                # Another operator's entry took the place in the chain, or touched the same items at the same moment.
                time.sleep(random.uniform(0, _BACKOFF_S * 2**attempt))
                continue
            except PynamoDBException as cause:
                raise TransientError("table_unavailable", "the change was not stored") from cause
            return entry
        raise TransientError("audit_contended", "too many changes at once; try again")

    def head(self) -> AuditHead:
        """The end of the audit chain."""
        return self._parties.value("audit", "head", AuditHead) or AuditHead()

    def _transact(self, writes: Sequence[DocWrite]) -> None:
        # Puts only: PynamoDB reorders by kind, and cancellation reasons come in the order sent.
        with TransactWrite(connection=self._connection) as transaction:
            for write in writes:
                model = MODELS[write.table]
                item: DocumentItem = model(write.pk, write.sk, doc=write.doc, v=write.version)
                transaction.save(item, condition=_condition(model, write.version))


def _chain_writes(head: AuditHead, entry: AuditEntry) -> list[DocWrite]:
    following = AuditHead(entry.day, entry.seq, entry.hash, head.version + 1)
    return [
        DocWrite("parties", f"audit#{entry.day}", f"{entry.seq:09d}", doc_of(entry), 1),
        DocWrite("parties", "audit", "head", doc_of(following), following.version),
    ]


def _act_writes(entry: AuditEntry, draft: AuditDraft) -> list[DocWrite]:
    """The same act in the history of the units it was about (docs/adr/0012); the trail itself names no ranges."""
    return [
        DocWrite("catalog", f"acts#{batch_no}", f"{entry.at_ms:013d}#{entry.day}#{entry.seq:09d}", doc_of(act), 0)
        for batch_no, act in acts_of(entry, draft.about).items()
    ]


def _condition(model: type[CatalogItem] | type[PartyItem] | type[FlowItem], version: int) -> Condition | None:
    if version == 0:
        return None
    return model.pk.does_not_exist() if version == 1 else model.v == version - 1


def _raise_own_conflict(writes: Sequence[DocWrite], cause: TransactWriteError) -> None:
    reasons = cause.cancellation_reasons
    if not reasons and cause.cause_response_code != "TransactionCanceledException":
        if cause.cause_response_code == "TransactionInProgressException":
            return
        raise TransientError("table_unavailable", "the change was not stored") from cause
    for write, reason in zip(writes, reasons, strict=False):
        if reason is not None and reason.code == "ConditionalCheckFailed":
            raise ConflictError(write.conflict, f"{write.pk} has changed or exists already", where=write.sk) from cause
