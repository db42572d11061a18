"""The Catalog table for the scan path, as the source behind `adapters/catalog.py`."""

from collections.abc import Sequence

import msgspec

from uncap.adapters.wire.dynamodb import ENCODE, Attributes, Caller, QueryReply, get_item

_QUERY = msgspec.json.Decoder(QueryReply)


class WireCatalogSource:
    """CatalogSource over the wire client."""

    def __init__(self, client: Caller, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> str | None:
        """The document's JSON text, or None."""
        item = get_item(self._client, self._table, {"pk": pk, "sk": sk}, consistent=consistent)
        return str(item["doc"]["S"]) if item else None

    def query(self, pk: str, *, consistent: bool = False) -> Sequence[tuple[str, str]]:
        """All (sk, doc) under pk in order of sk, page by page."""
        rows: list[tuple[str, str]] = []
        start: Attributes | None = None
        while True:
            request: dict[str, object] = {
                "TableName": self._table,
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": {"S": pk}},
                "ConsistentRead": consistent,
            }
            if start:
                request["ExclusiveStartKey"] = start
            page = _QUERY.decode(self._client.call("Query", ENCODE(request)))
            rows += [(str(item["sk"]["S"]), str(item["doc"]["S"])) for item in page.items]
            start = page.last_key
            if not start:
                return rows
