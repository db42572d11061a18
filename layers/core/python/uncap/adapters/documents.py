"""A table of JSON documents under (pk, sk): strongly consistent reads and bounded pages for the console.

Catalog, Parties and Flow have this shape (docs/adr/0001). Satisfies `adapters/catalog.py`'s CatalogSource. Writes go
through `adapters/audited_writes.py`.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from uncap.adapters.models import CatalogItem, FlowItem, PartyItem
from uncap.domain.errors import TransientError

DocumentItem = CatalogItem | PartyItem | FlowItem
ValueT = TypeVar("ValueT")


class DocumentTable:
    """Reads one table. Every read is strongly consistent: an operator sees what was just written."""

    def __init__(self, model: type[CatalogItem] | type[PartyItem] | type[FlowItem]) -> None:
        self._model = model

    def get(self, pk: str, sk: str, *, consistent: bool = True) -> str | None:
        """The document's text, or None. Raises TransientError."""
        try:
            return self._model.get(pk, sk, consistent_read=consistent).doc
        except DoesNotExist:
            return None
        except PynamoDBException as cause:
            raise _unavailable(cause) from cause

    def value(self, pk: str, sk: str, kind: type[ValueT]) -> ValueT | None:
        """The document as a value, or None."""
        doc = self.get(pk, sk)
        return None if doc is None else msgspec.json.decode(doc, type=kind)

    def query(self, pk: str, *, consistent: bool = True) -> Sequence[tuple[str, str]]:
        """All (sk, doc) under pk, in order of sk."""
        try:
            return [(item.sk, item.doc) for item in self._model.query(pk, consistent_read=consistent)]
        except PynamoDBException as cause:
            raise _unavailable(cause) from cause

    def starting(self, pk: str, prefix: str) -> Sequence[tuple[str, str]]:
        """All (sk, doc) under pk whose sk begins with `prefix`, in order: for prefixes known to be few."""
        try:
            found = self._model.query(pk, self._model.sk.startswith(prefix), consistent_read=True)
            return [(item.sk, item.doc) for item in found]
        except PynamoDBException as cause:
            raise _unavailable(cause) from cause

    def page(self, pk: str, prefix: str, limit: int, after: str = "", *, newest_first: bool = False) -> "Page":
        """Up to `limit` (sk, doc) whose sk begins with `prefix`, following `after` (an sk) if given."""
        key = {"pk": {"S": pk}, "sk": {"S": after}} if after else None
        condition = self._model.sk.startswith(prefix) if prefix else None
        try:
            found = self._model.query(
                pk,
                condition,
                consistent_read=True,
                limit=limit,
                page_size=limit,
                last_evaluated_key=key,
                scan_index_forward=not newest_first,
            )
            rows = [(item.sk, item.doc) for item in found]
        except PynamoDBException as cause:
            raise _unavailable(cause) from cause
        return Page(rows, rows[-1][0] if len(rows) == limit else "")


class Page(msgspec.Struct, frozen=True):
    """Rows of one page; `after` is the sk to continue from, "" at the end."""

    rows: list[tuple[str, str]]
    after: str

    def values(self, kind: type[ValueT]) -> list[ValueT]:
        """The documents as values."""
        return [msgspec.json.decode(doc, type=kind) for _, doc in self.rows]


def _unavailable(cause: PynamoDBException) -> TransientError:
    return TransientError("table_unavailable", f"a table did not answer ({cause.cause_response_code or 'no reply'})")
