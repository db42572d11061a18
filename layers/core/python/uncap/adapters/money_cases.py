"""Money cases and what people made of them, in the Ledger table. Used by `services/review_money.py`.

Every case is listed in the index `owner`; the steps are an item of their own, so that opening a case again, which a job
does every day while the difference stands, can never undo them.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.ledger import CASE, CASES
from uncap.adapters.models import LedgerItem
from uncap.domain.books.cases import CaseLog
from uncap.domain.rewards.reward import Case

LOG = "caselog#"
_BATCH_GET = 100
ValueT = TypeVar("ValueT")


class MoneyCases:
    """Needs `open_tables` to have bound LedgerItem. Raises TransientError."""

    def page(self, limit: int, after: str = "") -> tuple[list[tuple[Case, CaseLog]], str]:
        """Up to `limit` cases, the latest first, and what to continue from ("" at the end)."""
        key = None
        if after:
            at_ms, _, name = after.partition("#")
            key = {"pk": {"S": CASE + name}, "owner": {"S": CASES}, "owner_at": {"N": at_ms}}
        with translated():
            found = LedgerItem.by_owner.query(
                CASES, limit=limit, page_size=limit, last_evaluated_key=key, scan_index_forward=False
            )
            rows = [(item.pk[len(CASE) :], item.owner_at) for item in found]
        names = [name for name, _ in rows]
        cases = _values([CASE + one for one in names], Case)
        logs = _values([LOG + one for one in names], CaseLog)
        both = [(cases[CASE + one], logs.get(LOG + one, CaseLog(one))) for one in names if CASE + one in cases]
        return both, f"{rows[-1][1]}#{rows[-1][0]}" if len(rows) == limit else ""

    def case(self, case_id: str) -> tuple[Case, CaseLog] | None:
        """The case and its steps as of now."""
        case = _values([CASE + case_id], Case).get(CASE + case_id)
        if case is None:
            return None
        return case, _values([LOG + case_id], CaseLog).get(LOG + case_id, CaseLog(case_id))

    def keep(self, log: CaseLog) -> None:
        """The steps with one more. ConflictError (`case_moved`)."""
        text = msgspec.json.encode(log).decode()
        before = LedgerItem.pk.does_not_exist() if log.rev == 1 else LedgerItem.rev == log.rev - 1
        with translated("case_moved"):
            LedgerItem(LOG + log.case_id, doc=text, rev=log.rev).save(condition=before)


def _values(pks: Sequence[str], kind: type[ValueT]) -> dict[str, ValueT]:
    found: dict[str, ValueT] = {}
    with translated():
        for at in range(0, len(pks), _BATCH_GET):
            for item in LedgerItem.batch_get(pks[at : at + _BATCH_GET], consistent_read=True):
                found[item.pk] = msgspec.json.decode(item.doc, type=kind)
    return found
